"""Why a contact is what it is, and the ledger of new clients: bodies out."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel

from app.api.schemas.base import ALWAYS_THERE


class Grant(BaseModel):
    """One rule's reason for a label."""

    model_config = ALWAYS_THERE

    rule: str
    setting: str | None = None
    matter_clio_ids: list[str]
    field_id: str | None = None
    detail: str


class ExplainedTag(BaseModel):
    """A tag and all that holds it up."""

    label: str
    category: str
    grants: list[Grant]


class ConsideredMatter(BaseModel):
    """A matter that the ownership rule looked at."""

    matter_clio_id: str
    status: str
    updated_at: datetime | None
    outcome: str


class ExplainedOwner(BaseModel):
    """The owner's rule and every matter considered, in order."""

    rule: str
    matter_clio_id: str | None
    considered: list[ConsideredMatter]


class NotGranted(BaseModel):
    """What somebody might expect, and why a rule that is switched on did not give it."""

    label: str
    rule: str
    why: str


class ExplainedScope(BaseModel):
    """Why a contact is in or out."""

    rule: str
    detail: str


class NewClient(BaseModel):
    """A ledger row: this person was recognised as a client, once and for all.

    `held_for` says what a held one waits for: the end of its run, or a person.
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
    """Whether a receiver was told."""

    event_id: str
    status: Literal["pending", "delivered", "failed"]
    attempts: int
    response_status: int | None
    delivered_at: datetime | None


class Explained(BaseModel):
    """Why a contact is what it is; `new_client_waits` says why a client is not in the ledger yet."""

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
