"""Clio logins: OAuth flow, tokens, rate limit, Clio's webhooks, disconnect."""
