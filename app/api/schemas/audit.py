"""Response bodies of the audit logs."""

from datetime import datetime
from typing import Any

from app.api.schemas.base import Schema


class AuditEntry(Schema):
    """An entry of the audit log: who did what, and when. It has ids, versions and counts, never data of clients."""

    id: str
    """The id of the entry."""

    at: datetime
    """When it was done (RFC 3339, UTC)."""

    user_id: str | None
    """Levitate's id of the acting user, as in the header `Levitate-User`. Null if the request named nobody."""

    role: str | None
    """The role of the acting user, as in the header `Levitate-Role`; `operator` for who runs a command of the service.
    Null if neither did it."""

    token_id: str | None
    """The id of the service token; `bootstrap` is the token of the configuration. Null if no token was used."""

    request_id: str | None
    """The id of the API request, as in the header `X-Request-Id`. Null if no API request did it."""

    source_address: str | None
    """The address from which the request came. Null if no API request did it."""

    action: str
    """What was done, for example `settings.changed`, `hold.released` or `contact.erased`. New actions can be added."""

    subject: str | None
    """The id of what was changed, such as a connection, a contact, a token or an erased account. Null if it was the
    account of the log, its settings, or the keys of the service."""

    details: dict[str, Any]
    """More about the action: ids, versions, counts, and JSON pointers to the fields that changed."""
