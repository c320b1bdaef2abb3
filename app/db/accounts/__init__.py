"""Accounts, their settings, service tokens, idempotency keys and the audit log."""
