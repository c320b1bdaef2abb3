"""Clio logins: connections and tokens, subscriptions to Clio's webhooks, and the shared rate limit.

Modules for other folders: `connections`, `clio_subscriptions`, `rate_limits`, `sealed_columns` (key rotation).
Nothing here calls Clio.
"""
