"""Request and response bodies of runs, run reports and the status of an account."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, StringConstraints, model_validator

from app.api.schemas.base import ALWAYS_THERE, Body, CodeDetail, Schema


class RunIn(Body):
    """A request for a run."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"kind": "incremental"}]}
    )

    kind: Literal["incremental", "full"] | None = None
    """What to read from Clio: what changed since the last run (`incremental`), or everything (`full`). The first run of
    an account always reads everything. Required without `contact_id`, ignored with it."""

    contact_id: Annotated[str, StringConstraints(pattern=r"^[\w-]{1,64}$")] | None = None
    """Our id of a contact (`con_…`), to read only this contact. Null for a run of the whole account."""

    @model_validator(mode="after")
    def _says_what_to_read(self) -> Self:
        if self.kind is None and self.contact_id is None:
            raise ValueError(
                "must say what to read; send kind, or contact_id to read only one contact"
            )
        return self


class Progress(Schema):
    """The progress of a run. Its numbers count records read from Clio and contacts assessed."""

    phase: Literal["pulling", "assessing", "done"] | None
    """`pulling`: Clio is read. `assessing`: the rules are applied. `done`: the run succeeded. Null before it begins. A
    run that failed or was cancelled keeps its last phase."""

    done: int
    """How many records were read and contacts assessed."""

    total: int | None
    """How many there are in all. Null while Clio has not said how long its lists are, and in a run that reads no
    lists."""

    percent: int | None
    """The share that is done, from 0 to 99; 100 when the run succeeded. Null while `total` is null or 0."""

    eta_seconds: int | None
    """The estimated time until the work of this phase is done, in seconds; 0 when the run succeeded. Null if there is
    no estimate."""


class PulledRecords(Schema):
    """The numbers of records read from Clio. A record that several logins show counts once for each login."""

    model_config = ALWAYS_THERE

    contacts: int = 0
    """People and companies."""

    matters: int = 0
    """Matters of any status."""

    relationships: int = 0
    """Relationships of contacts to matters."""


class RunCounts(Schema):
    """The counts of a run."""

    pulled: PulledRecords
    """The records read from Clio."""

    changed: int
    """Entries that the run added to the change feed."""

    quarantined: int
    """Records that could not be read. Their last readable versions are kept."""

    entered: int
    """Contacts that entered the scope, for the first time or again."""

    left: int
    """Contacts that left the scope or were deleted in Clio."""

    new_clients: int
    """People who were recorded as new clients, announced or not."""


class ClioUsage(Schema):
    """A run's requests to Clio."""

    requests: int
    """All requests."""

    rate_limited: int
    """Requests that Clio refused because of its rate limit."""

    waited_seconds: float
    """The time spent waiting for the rate limit, in seconds."""


class RunProblem(CodeDetail):
    """A problem of a run."""

    connection_id: str | None
    """The id of the affected connection. Null if it is not about one connection."""


class Run(Schema):
    """A run: one pass over one account, which reads Clio and applies the rules."""

    id: str
    """The id of the run (`run_…`)."""

    kind: Literal["initial", "incremental", "full", "coverage", "rederive", "contact"]
    """What the run does. `initial`: the first run, it reads everything. `incremental`: it reads what changed. `full`:
    it reads everything again. `coverage`: it reads what a new login sees. `rederive`: it applies the rules again and
    reads nothing. `contact`: it reads one contact."""

    reads: Literal["lists", "records", "nothing"]
    """What the run reads of Clio. `lists`: whole lists. `records`: single records, which a person or webhooks of Clio
    named. `nothing`: it only applies the rules again. Only a run that reads lists can be the answer to a request for an
    `incremental` or `full` run, and only such a run counts for `last_successful_run_at`."""

    trigger: Literal["schedule", "connect", "manual", "settings", "users", "webhook", "upgrade"]
    """Why the run was requested: a time of the schedule, a new login (`connect`), a person (`manual`), changed
    settings, changed users or attorneys (`users`), a webhook of Clio, or a release whose rules differ (`upgrade`)."""

    status: Literal["queued", "running", "succeeded", "interrupted", "failed", "cancelled"]
    """`queued`: it waits. `running`: it works. `interrupted`: it continues by itself. `succeeded`, `failed` and
    `cancelled`: it has ended."""

    slot: str | None
    """The scheduled date and time that the run serves, as `YYYY-MM-DD HH:MM` in the account's time zone. A run with
    another trigger has one if it was queued when the time came. Null if it serves none."""

    settings_version: int
    """The version of the settings that the run applies. It is fixed when the run begins."""

    queued_at: datetime
    """When the run was requested (RFC 3339, UTC)."""

    started_at: datetime | None
    """When the run first began to work (RFC 3339, UTC). Null until then."""

    finished_at: datetime | None
    """When the run ended (RFC 3339, UTC). Null until then, also while it is interrupted."""

    progress: Progress
    """How far the run is."""

    counts: RunCounts
    """What the run did so far, as numbers."""

    clio: ClioUsage
    """The requests that the run sent to Clio."""

    problems: list[RunProblem]
    """What went wrong, and what to do about it. A run can succeed with problems."""


class ReportedRecord(Schema):
    """One row of a run's report: a contact that changed, a record that waits or could not be read, or a problem."""

    outcome: Literal[
        "added",
        "updated",
        "out_of_scope",
        "deleted",
        "erased",
        "skipped",
        "held",
        "quarantined",
        "problem",
        "count",
    ]
    """What happened. `added`, `updated`, `out_of_scope`, `deleted`: the contact changed like this. `erased` does not
    occur. `held`: the contact would leave, but waits for a decision. `skipped`: a person without name and email
    address. `quarantined`: a record that cannot be read. `problem`: a problem of the run. `count`: a count of `noted`
    (CSV only)."""

    kind: Literal["contact", "matter", "relationship", "run"]
    """What the row is about: a contact, a matter, a relationship, or the run itself."""

    contact_id: str | None
    """Our id of the contact. Null in rows that are not about a contact in Levitate."""

    clio_id: str | None
    """Clio's id of the record. Null if it is not known, and in rows about the run."""

    changed_fields: list[str]
    """The names of the contact's fields that changed, without their values."""

    tags_added: list[str]
    """The labels of the tags that the contact got."""

    tags_removed: list[str]
    """The labels of the tags that the contact lost."""

    owner: str | None
    """Levitate's id of the new owner. Null if the owner did not change or there is none now."""

    detail: str | None
    """Why the contact is out of scope, why the record cannot be read, or what went wrong. Null if there is nothing to
    say."""


class RunNotes(Schema):
    """Counts of values that a run could not use, and of contacts whose owner changed."""

    owner_changes: int
    """Contacts that stayed in scope and got another owner or none."""

    too_long: int
    """Values of custom fields that are too long for a tag (more than 60 characters)."""

    unparsable: int
    """Values of custom fields that give no tag or date because they cannot be read."""

    no_name_or_email: int
    """People who are out of scope because they have neither a name nor an email address."""


class RunReport(Schema):
    """A run, and everything that it changed, held or could not read."""

    run: Run
    """The run itself, with its progress and problems."""

    noted: RunNotes
    """Counts that concern the whole run."""

    outcomes: list[ReportedRecord]
    """The rows of the report: changes, held contacts, quarantined records (at most 10,000), skipped people (at most
    1,000), problems."""


class StatusConnections(Schema):
    """The numbers of connections that work and that need their users."""

    connected: int
    """Connections that work."""

    needs_reconnect: int
    """Connections whose users must connect again."""


class StatusContacts(Schema):
    """The numbers of contacts by state. Only contacts that were once in scope count."""

    in_scope: int
    """Contacts that belong in Levitate."""

    out_of_scope: int
    """Contacts that no longer belong in Levitate."""

    deleted: int
    """Contacts that were deleted in Clio."""


class Coverage(Schema):
    """The view that one connection has of the firm."""

    connection_id: str
    """The id of the connection."""

    user_id: str
    """Levitate's id of the user."""

    full_view: bool
    """Whether the login may see all contacts of the firm."""

    last_sync_at: datetime | None
    """When a run last read everything that this login sees (RFC 3339, UTC). Null until then."""


class HealthReason(CodeDetail):
    """A reason why an account's health is not `ok`. The code is that of an issue, `no_working_login` or `disabled`."""


class Status(Schema):
    """The status of an account at a glance."""

    health: Literal["ok", "degraded", "needs_attention", "disabled"]
    """`ok`: everything works. `degraded`: an issue of severity `warning` is open, or no run has read all lists for two
    slots. `needs_attention`: no login works, or an issue of severity `error` is open. `disabled`: the integration is
    off."""

    health_reasons: list[HealthReason]
    """Why the health is not `ok`, the gravest reasons first. Empty if it is `ok`."""

    last_successful_run_at: datetime | None
    """When the newest run that succeeded and read all lists of all logins ended (RFC 3339, UTC): an `initial` or `full`
    run, or an `incremental` one whose `reads` is `lists`. Null if none did."""

    next_run_at: datetime | None
    """When the next scheduled run is due (RFC 3339, UTC). Null while the account is disabled or no login works."""

    connections: StatusConnections
    """How many connections work."""

    contacts: StatusContacts
    """How many contacts there are."""

    run: Run | None
    """The newest run, ended or not. Null if there was none."""

    open_issues: int
    """The number of open issues, of all severities."""

    coverage: list[Coverage]
    """What each login sees, for all logins that were ever connected."""
