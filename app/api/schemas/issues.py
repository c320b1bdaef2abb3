"""Response bodies of issues and holds."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel


class Subject(BaseModel):
    """The subject of an issue. `id` is empty when the subject is the whole account."""

    kind: str
    id: str


class Issue(BaseModel):
    """A condition that needs attention. docs/issues.md lists the codes. It resolves by itself when its cause ends."""

    id: str
    code: str
    severity: Literal["info", "warning", "error"]
    detail: str
    subject: Subject
    opened_at: datetime
    resolved_at: datetime | None


class Hold(BaseModel):
    """Removals or announcements that wait for a decision. `contact_clio_ids` lists the first 100 contacts at most."""

    id: str
    kind: Literal["removals", "new_clients"]
    status: Literal["open", "released", "discarded"]
    run_id: str
    count: int
    contact_clio_ids: list[str]
    opened_at: datetime
    decided_at: datetime | None
    decided_by: str | None
