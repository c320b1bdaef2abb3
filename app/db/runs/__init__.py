"""Runs, their leases, checkpoints, slots and reports."""
