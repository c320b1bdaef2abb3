"""Clio logins of an account: tokens, rate limits and Clio's webhook subscriptions."""
