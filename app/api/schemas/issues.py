"""Issues and holds: bodies out."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel


class Subject(BaseModel):
    """What an issue is about; `id` is empty for the account as a whole."""

    kind: str
    id: str


class Issue(BaseModel):
    """What somebody should know or do. Its code stands in docs/issues.md; it resolves by itself when it is over."""

    id: str
    code: str
    severity: Literal["info", "warning", "error"]
    detail: str
    subject: Subject
    opened_at: datetime
    resolved_at: datetime | None


class Hold(BaseModel):
    """Withdrawals or announcements that wait for a person; `contact_clio_ids` names the first of them."""

    id: str
    kind: Literal["removals", "new_clients"]
    status: Literal["open", "released", "discarded"]
    run_id: str
    count: int
    contact_clio_ids: list[str]
    opened_at: datetime
    decided_at: datetime | None
    decided_by: str | None
