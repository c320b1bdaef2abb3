"""Response bodies of issues and holds."""

from datetime import datetime
from typing import Literal

from app.api.schemas.base import Schema


class Subject(Schema):
    """The subject of an issue."""

    kind: str
    """What it is: `account`, `connection`, `contact`, `matter`, `relationship`, `hold`, `setting`, `webhook_endpoint`,
    or a list of Clio such as `contacts`. New kinds can be added."""

    id: str
    """Its id: ours, Clio's for a record, a connection's for a list, a JSON pointer for a setting. Empty if it is the
    whole account."""


class Issue(Schema):
    """A condition that needs attention. docs/issues.md lists the codes. It resolves by itself when its cause ends."""

    id: str
    """The id of the issue (`iss_…`)."""

    code: str
    """A stable code to decide by. New codes can be added: handle them by `severity`."""

    severity: Literal["info", "warning", "error"]
    """`error`: the account needs a person now. `warning`: something is missing or waits. `info`: good to know."""

    detail: str
    """What happened and what to do about it, in plain words. It can change while the issue is open."""

    subject: Subject
    """What the issue is about. For one subject at most one issue with the same code is open."""

    opened_at: datetime
    """When the issue was opened (RFC 3339, UTC)."""

    resolved_at: datetime | None
    """When the issue was resolved (RFC 3339, UTC). Null while it is open."""


class Hold(Schema):
    """Removals or announcements that wait for a person's decision."""

    id: str
    """The id of the hold (`hld_…`)."""

    kind: Literal["removals", "new_clients"]
    """`removals`: contacts that would leave Levitate. `new_clients`: new clients who would be announced."""

    status: Literal["open", "released", "discarded"]
    """`open`: a person must decide. `released`: a person let it happen. `discarded`: a person cancelled it."""

    run_id: str
    """The id of the run that found the changes."""

    count: int
    """The number of contacts in the hold. It falls while a decision is carried out and when a cause ends."""

    contact_clio_ids: list[str]
    """Clio's ids of the contacts in the hold, the lowest 100 at most."""

    opened_at: datetime
    """When the run found the first of the changes (RFC 3339, UTC)."""

    decided_at: datetime | None
    """When a person released or discarded the hold (RFC 3339, UTC). Null while it is open."""

    decided_by: str | None
    """Levitate's id of the user who decided. Null while it is open, and if the request named nobody."""
