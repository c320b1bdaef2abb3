"""Accounts, their settings, service tokens, idempotency keys and the audit log.

Modules for other folders: `accounts`, `settings` (versions), `service_tokens`, `idempotency` (stored responses),
`audit`. The logins of an account are in `app/db/connections/`.
"""
