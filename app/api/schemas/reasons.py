"""Response bodies of `explain` and of the new-clients ledger."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel

from app.api.schemas.base import ALWAYS_THERE


class Grant(BaseModel):
    """The reason why one rule grants a label."""

    model_config = ALWAYS_THERE

    rule: str
    setting: str | None = None
    matter_clio_ids: list[str]
    field_id: str | None = None
    detail: str


class ExplainedTag(BaseModel):
    """A tag and every reason for it."""

    label: str
    category: str
    grants: list[Grant]


class ConsideredMatter(BaseModel):
    """A matter that the ownership rule considered."""

    matter_clio_id: str
    status: str
    updated_at: datetime | None
    outcome: str


class ExplainedOwner(BaseModel):
    """The rule that chose the owner, and every matter that it considered, in order."""

    rule: str
    matter_clio_id: str | None
    considered: list[ConsideredMatter]


class NotGranted(BaseModel):
    """A label that a user might expect, and why an enabled rule did not grant it."""

    label: str
    rule: str
    why: str


class ExplainedScope(BaseModel):
    """The rule that put the contact in or out of scope."""

    rule: str
    detail: str


class NewClient(BaseModel):
    """A row of the new-clients ledger: this person was recognised as a client. A person has one row at most.

    `held_for` says what a held announcement waits for: the end of a run, or a decision by a person.
    """

    id: str
    contact_id: str
    clio_id: str
    status: Literal["emitted", "held", "suppressed"]
    held_for: Literal["run", "initial_sync", "surge", "merge"] | None
    origin: Literal["initial_sync", "incremental", "visibility", "settings", "manual"]
    basis: Literal["flag", "matter", "company"]
    client_since: date | None
    has_open_matter: bool
    possible_duplicate_of: str | None
    merged_into: str | None
    run_id: str
    created_at: datetime
    emitted_at: datetime | None
    event_ids: list[str]


class NewClientDelivery(BaseModel):
    """The delivery of a `client.new` event to a webhook endpoint."""

    event_id: str
    status: Literal["pending", "delivered", "failed"]
    attempts: int
    response_status: int | None
    delivered_at: datetime | None


class Explained(BaseModel):
    """The reasons for a contact's scope, tags and owner. `new_client_waits`: why a client is not in the ledger yet."""

    contact_id: str
    in_scope: bool
    scope: ExplainedScope
    tags: list[ExplainedTag]
    owner: ExplainedOwner | None
    not_granted: list[NotGranted]
    new_client: NewClient | None
    new_client_waits: str | None
    new_client_deliveries: list[NewClientDelivery]
    seen_by: list[str]
    run_id: str
