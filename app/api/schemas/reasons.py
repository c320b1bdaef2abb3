"""Response bodies of `explain` and of the new-clients ledger."""

from datetime import date, datetime
from typing import Literal

from app.api.schemas.base import ALWAYS_THERE, Schema


class TagGrant(Schema):
    """One rule's reason for a tag."""

    model_config = ALWAYS_THERE

    rule: str
    """The name of the rule, for example `client_status` or `practice_area`."""

    setting: str | None = None
    """The JSON pointer of the setting that switches the rule on. Null if the rule is always on."""

    matter_clio_ids: list[str]
    """Clio's ids of the matters behind the reason. Empty if it does not come from matters."""

    field_id: str | None = None
    """Clio's id of the custom field that the label comes from. Null for other rules."""

    detail: str
    """The reason in plain words, for a Success Manager."""


class ExplainedTag(Schema):
    """A tag and every reason for it. The tag stays while one reason remains."""

    label: str
    """The text of the tag."""

    category: str
    """The kind of tag, as in `Tag.category`."""

    grants: list[TagGrant]
    """Every reason for the tag; there is at least one."""


class ConsideredMatter(Schema):
    """A matter that the ownership rule considered."""

    matter_clio_id: str
    """Clio's id of the matter."""

    status: str
    """The status of the matter in Clio: `open`, `pending` or `closed`."""

    updated_at: datetime | None
    """When the matter was last changed in Clio (RFC 3339, UTC). Null if Clio does not say."""

    outcome: str
    """What the rule found in this matter, in plain words, for example that it names no attorney."""


class ExplainedOwner(Schema):
    """The rule that chose the owner, and every matter that it considered, in order."""

    rule: str
    """The rule that decided, as in `Owner.rule`."""

    matter_clio_id: str | None
    """Clio's id of the matter that decided. Null if none did."""

    considered: list[ConsideredMatter]
    """The matters in the order in which they were considered. Empty if the rule considers none."""


class NotGranted(Schema):
    """A label that a user might expect, and why an enabled rule did not grant it."""

    label: str
    """The label that was not granted."""

    rule: str
    """The name of the rule."""

    why: str
    """Why the rule did not grant it, in plain words."""


class ExplainedScope(Schema):
    """The rule that put the contact in or out of scope."""

    rule: str
    """The name of the rule or setting that decided, for example `clients` or `include_related`. `not_shown` if the
    reason may be in records that the acting user does not see in Clio."""

    detail: str
    """The reason in plain words, for a Success Manager."""


class NewClient(Schema):
    """The fact that a person was recognised as a client, once and for all, and whether this was announced."""

    id: str
    """The id of the row (`ncl_…`). A person has one row at most."""

    contact_id: str
    """Our id of the contact."""

    clio_id: str
    """Clio's id of the contact."""

    status: Literal["emitted", "held", "suppressed"]
    """`emitted`: the event `client.new` was sent. `held`: the announcement waits. `suppressed`: there is none."""

    held_for: Literal["run", "initial_sync", "surge", "possible_duplicate", "merge"] | None
    """What a held announcement waits for. `run`: the end of the run. A person's decision: `initial_sync`,
    `possible_duplicate`, because the settings say so; `surge`, because one run found too many. `merge`: Clio's answer
    whether the client exists whom this one may have replaced; the next run that reads Clio asks. Null unless it is
    held."""

    origin: Literal["initial_sync", "incremental", "visibility", "settings", "manual"]
    """How the person was found. `initial_sync`: by the first sync. `incremental`: by a later one. `visibility`: because
    a new login sees more. `settings`: because settings, users or a decision changed. `manual`: by a person."""

    basis: Literal["flag", "matter", "company"]
    """Why the person is a client. `flag`: marked as a client in Clio. `matter`: the client of a matter. `company`: a
    representative of a company that is a client."""

    client_since: date | None
    """The earliest date on which one of the client's matters was opened, pending or created. Null without matters, and
    if the acting user sees none of them."""

    has_open_matter: bool
    """Whether the client had an open matter when this row was made."""

    possible_duplicate_of: str | None
    """The id of an older row that may be of the same person: it has the same primary email address, or the same name or
    an address and a matter that this client has now. Null if there is none."""

    merged_into: str | None
    """Our id of the contact that this one was merged into in Clio. Null if that is not known."""

    run_id: str
    """The id of the run that found the client, or that proved that it replaced nobody."""

    created_at: datetime
    """When the client was found (RFC 3339, UTC)."""

    emitted_at: datetime | None
    """When the client was last announced (RFC 3339, UTC). Null if that never happened."""

    event_ids: list[str]
    """The ids of the events `client.new`, oldest first: one for the announcement and one for each replay."""


class NewClientDelivery(Schema):
    """The delivery of a `client.new` event to a webhook endpoint."""

    event_id: str
    """The id of the event, which receivers see as `webhook-id`."""

    status: Literal["pending", "delivered", "failed"]
    """`pending`: it is tried again. `delivered`: the receiver accepted it. `failed`: it was tried for three days."""

    attempts: int
    """The number of attempts."""

    response_status: int | None
    """The HTTP status of the last response. Null before the first attempt and if there was no response."""

    delivered_at: datetime | None
    """When the receiver accepted the event (RFC 3339, UTC). Null until then."""


class Decision(Schema):
    """What the rules decide about a contact of Clio, whether Levitate has it or not, and why."""

    in_scope: bool
    """Whether the contact belongs in Levitate."""

    scope: ExplainedScope
    """The rule that decided about the scope."""

    tags: list[ExplainedTag]
    """The tags of the contact with their reasons. Empty if it is out of scope."""

    owner: ExplainedOwner | None
    """How the owner was chosen. Null if the contact is out of scope."""

    not_granted: list[NotGranted]
    """Labels that somebody may expect, and why the contact does not have them."""

    new_client: NewClient | None
    """The row of the person in the list of new clients. Null if there is none."""

    new_client_waits: str | None
    """Why a client has no row there yet, in plain words. Null if nothing waits."""

    new_client_deliveries: list[NewClientDelivery]
    """The deliveries of the events of `new_client` to webhook endpoints. They are kept for 30 days."""

    seen_by: list[str]
    """The ids of the connections whose logins see the contact in Clio. A connection that ended stays here until its
    records are removed. A limited user gets only the own one."""


class Explained(Decision):
    """The reasons for a contact's scope, tags and owner."""

    contact_id: str
    """Our id of the contact."""

    run_id: str
    """The id of the run that first had this result."""


class NeededChange(Schema):
    """A change that would bring a person into scope. Exactly one of `setting` and `clio` is set."""

    setting: str | None
    """The JSON pointer of the setting that would have to change."""

    clio: str | None
    """What would have to change in Clio: `client`, `name`, `opt_out`, `role`, `contact` (it was deleted) or
    `visibility` (no login sees it any more)."""

    detail: str
    """What to do, in plain words."""

    alone: bool
    """Whether this change alone is enough. Those that are not are needed together."""


class ClioContact(Schema):
    """A contact of Clio that a login has shown, in Levitate or not."""

    clio_id: str
    """Clio's id of the contact."""

    name: str
    """The name in Clio. Empty if there is none."""

    type: Literal["person", "company"]
    """Whether Clio has a person or a company."""

    contact_id: str | None
    """Our id of the contact. Null if it was never in Levitate."""

    state: Literal["in_scope", "out_of_scope", "deleted"] | None
    """The state of the contact in Levitate. Null if it was never there."""


class ExplainedClioContact(ClioContact):
    """A contact of Clio with the decision of the rules by the records that were pulled and the present settings."""

    decision: Decision
    """The decision, in the form of an explanation."""

    would_need: list[NeededChange]
    """What would bring the person into scope: other settings, or changes in Clio. Empty for a person in scope, for a
    company, and if the acting user does not see all that the decision comes from."""
