"""The bodies that go in and out, as the REST contract fixes them. Unknown fields of a request are refused."""

from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from zoneinfo import available_timezones

import phonenumbers
from pydantic import AfterValidator, AnyHttpUrl, BaseModel, ConfigDict, Field, StringConstraints

from app.clio.regions import Region

T = TypeVar("T")

_ZONES = available_timezones()
_COUNTRIES = phonenumbers.SUPPORTED_REGIONS


def _no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain the NUL character")
    return text


def _zone(name: str) -> str:
    if name not in _ZONES:
        raise ValueError("must be an IANA time zone such as America/New_York")
    return name


def _country(code: str) -> str:
    if code not in _COUNTRIES:
        raise ValueError("must be an ISO 3166 alpha-2 code such as US")
    return code


Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_no_nul),
]
UserId = Annotated[str, StringConstraints(pattern=r"^[\w.@:-]{1,128}$")]
TimeZone = Annotated[str, AfterValidator(_zone)]
Country = Annotated[str, AfterValidator(_country)]


class In(BaseModel):
    """A request's body."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(BaseModel, Generic[T]):
    """A page of a list. Go on with `?cursor=<next_cursor>` while `has_more`."""

    data: list[T]
    next_cursor: str | None
    has_more: bool


class AccountIn(In):
    """An account: one law firm, Levitate's customer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "Harlow & Pike LLP",
                    "time_zone": "America/New_York",
                    "country": "US",
                    "primary_user_id": "u_off",
                    "enabled": True,
                }
            ]
        },
    )

    name: Text
    time_zone: TimeZone
    country: Country
    primary_user_id: UserId | None = None
    enabled: bool


class ClioFirm(BaseModel):
    """The firm in Clio that the account is bound to."""

    region: Region
    account_id: str
    name: str | None


class Account(AccountIn):
    """An account as it is."""

    id: str
    clio: ClioFirm | None
    created_at: datetime
    updated_at: datetime


class User(In):
    """A Levitate user of the firm."""

    id: UserId
    name: Text
    email: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=254), AfterValidator(_no_nul)
    ]
    active: bool


class UsersIn(In):
    """The whole directory of the firm's Levitate users."""

    users: Annotated[list[User], Field(max_length=10_000)]


class Users(BaseModel):
    """The directory of the firm's Levitate users."""

    users: list[User]


class AttorneyIn(In):
    """Who a Clio user is here; null says: nobody."""

    user_id: UserId | None


class Attorney(BaseModel):
    """A Clio user of the firm, and who that is here."""

    clio_user_id: str
    name: str | None
    email: str | None
    enabled: bool | None
    user_id: str | None
    mapped_by: Literal["manual", "connection", "email"] | None


class Attorneys(BaseModel):
    """The firm's Clio users."""

    data: list[Attorney]


class ConnectionIn(In):
    """Connect a user's Clio login."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "user_id": "u_ann",
                    "region": "us",
                    "return_url": "https://app.levitate.example/integrations",
                }
            ]
        },
    )

    user_id: UserId
    region: Region
    return_url: Annotated[AnyHttpUrl, Field(max_length=2000)]


class Started(BaseModel):
    """Send the user's browser to `authorize_url` before `expires_at`."""

    id: str
    status: Literal["pending"] = "pending"
    authorize_url: str
    expires_at: datetime


class CodeDetail(BaseModel):
    """What is wrong: a stable code, and plain words."""

    code: str
    detail: str


class ClioUser(BaseModel):
    """Who a connection acts as in Clio."""

    id: str
    name: str | None
    email: str | None


class Connection(BaseModel):
    """A Levitate user's authorisation to a Clio login. Never holds a token."""

    id: str
    user_id: str
    region: Region
    status: Literal["pending", "connected", "needs_reconnect", "disconnected", "declined"]
    clio_user: ClioUser | None
    connected_at: datetime | None
    last_sync_at: datetime | None
    problem: CodeDetail | None


class RunIn(In):
    """Ask for a run: what changed since the last (`incremental`) or everything (`full`)."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"kind": "incremental"}]}
    )

    kind: Literal["incremental", "full"]


class Progress(BaseModel):
    """How far a run is. `total`, `percent` and `eta_seconds` are null while they cannot be known."""

    phase: Literal["pulling", "assessing", "done"] | None
    done: int
    total: int | None
    percent: int | None
    eta_seconds: int | None


class Pulled(BaseModel):
    """Records that were read."""

    contacts: int = 0
    matters: int = 0
    relationships: int = 0


class Counts(BaseModel):
    """What a run came to."""

    pulled: Pulled
    changed: int
    quarantined: int
    entered: int
    left: int
    new_clients: int


class ClioUsage(BaseModel):
    """Calls to Clio."""

    requests: int
    rate_limited: int
    waited_seconds: float


class RunProblem(CodeDetail):
    """Something that a run could not do, and for whom."""

    connection_id: str | None


class Run(BaseModel):
    """One pass over one account."""

    id: str
    kind: Literal["initial", "incremental", "full", "coverage", "rederive"]
    trigger: Literal["schedule", "connect", "manual", "settings", "users", "webhook"]
    status: Literal["queued", "running", "succeeded", "interrupted", "failed", "cancelled"]
    slot: str | None
    settings_version: int
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    progress: Progress
    counts: Counts
    clio: ClioUsage
    problems: list[RunProblem]


class StatusConnections(BaseModel):
    """How many logins work, and how many need their user."""

    connected: int
    needs_reconnect: int


class StatusContacts(BaseModel):
    """How many contacts are in each state."""

    in_scope: int
    out_of_scope: int
    deleted: int


class Coverage(BaseModel):
    """What one login contributes: a `full_view` sees all of the firm's contacts."""

    connection_id: str
    user_id: str
    full_view: bool
    last_sync_at: datetime | None


class Status(BaseModel):
    """How an account fares."""

    health: Literal["ok", "degraded", "needs_attention", "disabled"]
    last_successful_run_at: datetime | None
    next_run_at: datetime | None
    connections: StatusConnections
    contacts: StatusContacts
    run: Run | None
    open_issues: int
    coverage: list[Coverage]


class Company(BaseModel):
    """The company a person works for."""

    clio_id: str
    name: str | None


class Email(BaseModel):
    """An e-mail address; the first of a list is the primary one."""

    address: str
    kind: str | None
    primary: bool


class Phone(BaseModel):
    """A phone number: E.164 where it could be parsed, and as written in Clio."""

    number: str | None
    raw: str
    kind: str | None
    primary: bool


class Address(BaseModel):
    """A postal address; `clio_primary` is Clio's own flag."""

    kind: str | None
    street: str | None
    city: str | None
    state: str | None
    postal_code: str | None
    country: str | None
    primary: bool
    clio_primary: bool


class Tag(BaseModel):
    """A managed tag."""

    label: str
    category: str
    restricted: bool


class Owner(BaseModel):
    """Who keeps the relationship, and the rule that said so."""

    user_id: str | None
    rule: str
    matter_clio_id: str | None
    detail: str | None


class KeyFact(BaseModel):
    """A short labelled value."""

    kind: str
    label: str
    value: str


class Contact(BaseModel):
    """A person, as Levitate holds it."""

    id: str
    clio_id: str
    clio_url: str
    version: int
    state: Literal["in_scope", "out_of_scope", "deleted"]
    state_reason: str | None
    first_name: str | None
    middle_name: str | None
    last_name: str | None
    prefix: str | None
    title: str | None
    company: Company | None
    emails: list[Email]
    phones: list[Phone]
    addresses: list[Address]
    tags: list[Tag]
    owner: Owner | None
    key_facts: list[KeyFact]
    first_synced_at: datetime
    updated_at: datetime


class FieldChange(BaseModel):
    """A field's value before and after."""

    model_config = ConfigDict(populate_by_name=True)

    before: Any = Field(alias="from")
    after: Any = Field(alias="to")


class OwnerChange(BaseModel):
    """From one owner to another."""

    before: str | None = Field(alias="from")
    after: str | None = Field(alias="to")
    rule: str | None
    matter_clio_id: str | None


class Change(BaseModel):
    """One line of the change feed."""

    seq: int
    kind: str
    contact_id: str
    clio_id: str
    run_id: str
    at: datetime
    cause: str
    fields: dict[str, FieldChange]
    tags_added: list[str]
    tags_removed: list[str]
    owner: OwnerChange | None
    contact: Contact | None


class ChangePage(BaseModel):
    """Lines of the feed in order. Store `next_cursor` after each page and go on from there, for ever."""

    data: list[Change]
    next_cursor: str
    has_more: bool


class Grant(BaseModel):
    """One rule's reason for a label."""

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


class ExplainedScope(BaseModel):
    """Why a contact is in or out."""

    rule: str
    detail: str


class NewClient(BaseModel):
    """A ledger row: this person was recognised as a client, once and for all."""

    id: str
    contact_id: str
    clio_id: str
    status: Literal["emitted", "held", "suppressed"]
    origin: Literal["initial_sync", "incremental", "visibility", "settings", "manual"]
    basis: Literal["flag", "matter", "company"]
    client_since: date | None
    has_open_matter: bool
    run_id: str
    created_at: datetime


class Explained(BaseModel):
    """Why a contact is what it is."""

    contact_id: str
    in_scope: bool
    scope: ExplainedScope
    tags: list[ExplainedTag]
    owner: ExplainedOwner | None
    new_client: NewClient | None
    seen_by: list[str]
    run_id: str
