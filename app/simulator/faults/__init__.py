"""Faults, rate limit and quirks of the simulated Clio.

Tests use `faults.Fault`, `faults.WriteFault`, `quirks.Quirks` and `rate_limit.RateLimit`. `apply` is for `http` only.
"""
