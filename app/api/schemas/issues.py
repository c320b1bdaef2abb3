"""Request and response bodies of issues and holds."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from app.api.schemas.base import Body, Schema
from app.api.schemas.preview import PreviewedChange, PreviewSummary
from app.rules.settings import InitialSync

ItemId = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class IssueSubject(Schema):
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

    subject: IssueSubject
    """What the issue is about. For one subject at most one issue with the same code is open."""

    opened_at: datetime
    """When the issue was opened (RFC 3339, UTC)."""

    resolved_at: datetime | None
    """When the issue was resolved (RFC 3339, UTC). Null while it is open."""


class NewClientsSummary(Schema):
    """The new clients who wait in a hold, as numbers."""

    by_held_for: dict[str, int]
    """Why they wait: how many for each value of `held_for`."""

    by_basis: dict[str, int]
    """Why they are clients: how many for each `basis`."""

    with_open_matter: int
    """How many had an open matter when they were found. The others may be clients of long ago."""

    possible_duplicates: int
    """How many have `possible_duplicate_of`: perhaps they were announced under another record."""


class HoldDecision(Body):
    """A decision about some items of a hold. Without a body it is about the whole hold."""

    ids: Annotated[list[ItemId], Field(min_length=1, max_length=10_000)] | None = None
    """The ids of the items, 1 to 10,000. The other items stay in the hold. Leave it out for the whole hold."""


class ReleaseDecision(HoldDecision):
    """A release of some items of a hold, with the choice for the new clients of a first publication."""

    new_clients: InitialSync | None = None
    """Only for a hold of kind `first_publication`. `emit`: those who are published are announced. `hold`: they wait in
    a hold of kind `new_clients`. `suppress`: they are never announced. Leave it out for the setting
    `new_client.initial_sync`."""


class HoldItem(Schema):
    """One contact in a hold."""

    id: str
    """The id of the item (`itm_…`), for a decision about this item."""

    clio_id: str
    """Clio's id of the contact."""

    contact_id: str | None
    """Our id of the contact. Null if it is not in Levitate yet."""

    name: str
    """The person's name, or the first email address of a person without a name."""

    new_client: bool | None
    """Whether the person is a new client, whom a release announces with the event `client.new`, unless it says that new
    clients wait or are not announced. Null if the acting user is limited."""

    change: PreviewedChange | None
    """A contact that would leave, or be published for the first time: the change that a release would make now. A new
    client: the change by which the person became a client in Levitate; it was published already. Null if there is
    none."""


class Hold(Schema):
    """Removals, announcements or a first publication that wait for a person's decision."""

    id: str
    """The id of the hold (`hld_…`)."""

    kind: Literal["removals", "new_clients", "first_publication"]
    """`removals`: contacts that would leave Levitate. `new_clients`: new clients who would be announced.
    `first_publication`: everybody who would be published, and never was."""

    status: Literal["open", "released", "discarded"]
    """`open`: a person must decide. `released`: a person let it happen. `discarded`: a person cancelled it."""

    run_id: str
    """The id of the run that found the changes; of a first publication, the run that opened the hold."""

    count: int
    """The number of contacts that wait in the hold. It falls when some are decided, while a decision is carried out,
    and when a cause ends."""

    contact_clio_ids: list[str]
    """Clio's ids of the contacts in the hold, the lowest 100 at most."""

    summary: NewClientsSummary | PreviewSummary | None
    """What the new clients are who wait, or what a first publication would do, in the form of a preview. Null for
    removals, for a hold that is decided, and for a first publication if the acting user is limited."""

    opened_at: datetime
    """When the run found the first of the changes (RFC 3339, UTC)."""

    decided_at: datetime | None
    """When a person released or discarded the hold (RFC 3339, UTC). Null while it is open."""

    decided_by: str | None
    """Levitate's id of the user who decided. Null while it is open, and if the request named nobody."""
