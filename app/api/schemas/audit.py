"""Response bodies of the audit log."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel


class AuditEntry(BaseModel):
    """An entry of the audit log. `details` has ids, versions and JSON pointers, never client data."""

    id: str
    at: datetime
    user_id: str | None
    role: str | None
    token_id: str | None
    action: str
    subject: str | None
    details: dict[str, Any]
