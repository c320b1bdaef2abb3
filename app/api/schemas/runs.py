"""Request and response bodies of runs, run reports and the status of an account."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from app.api.schemas.base import ALWAYS_THERE, CodeDetail, In


class RunIn(In):
    """A request for a run: changes since the last run (`incremental`), everything (`full`), or one contact by id."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"kind": "incremental"}]}
    )

    kind: Literal["incremental", "full"]
    contact_id: Annotated[str, StringConstraints(pattern=r"^[\w-]{1,64}$")] | None = None


class Progress(BaseModel):
    """The progress of a run. `total`, `percent` and `eta_seconds` are null while they are unknown."""

    phase: Literal["pulling", "assessing", "done"] | None
    done: int
    total: int | None
    percent: int | None
    eta_seconds: int | None


class Pulled(BaseModel):
    """Numbers of records read from Clio."""

    model_config = ALWAYS_THERE

    contacts: int = 0
    matters: int = 0
    relationships: int = 0


class Counts(BaseModel):
    """The results of a run as counts: `entered` and `left` count contacts that entered or left the scope."""

    pulled: Pulled
    changed: int
    quarantined: int
    entered: int
    left: int
    new_clients: int


class ClioUsage(BaseModel):
    """Requests to Clio: all, those refused by its rate limit, and the seconds spent waiting."""

    requests: int
    rate_limited: int
    waited_seconds: float


class RunProblem(CodeDetail):
    """A problem of a run. `connection_id` is the affected connection, or null when it is not about one."""

    connection_id: str | None


class Run(BaseModel):
    """A run: one synchronisation of one account."""

    id: str
    kind: Literal["initial", "incremental", "full", "coverage", "rederive", "contact"]
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


class Outcome(BaseModel):
    """One row of a run's report.

    `detail` says why a contact is out of scope, why a record was quarantined, or what went wrong. In CSV each count of
    `noted` is a row with the outcome `count`.
    """

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
    kind: Literal["contact", "matter", "relationship", "run"]
    contact_id: str | None
    clio_id: str | None
    changed_fields: list[str]
    tags_added: list[str]
    tags_removed: list[str]
    owner: str | None
    detail: str | None


class Noted(BaseModel):
    """Counts of values that a run could not use, and of contacts whose owner changed.

    `too_long` and `unparsable` count values of custom fields that give no tag. `no_name_or_email` counts persons who
    are out of scope because they have neither a name nor an email address.
    """

    owner_changes: int
    too_long: int
    unparsable: int
    no_name_or_email: int


class RunReport(BaseModel):
    """A run, and the outcome of every contact that it changed."""

    run: Run
    noted: Noted
    outcomes: list[Outcome]


class StatusConnections(BaseModel):
    """Numbers of connections that work, and of those whose user must connect again."""

    connected: int
    needs_reconnect: int


class StatusContacts(BaseModel):
    """Numbers of contacts by state."""

    in_scope: int
    out_of_scope: int
    deleted: int


class Coverage(BaseModel):
    """The view of one connection. `full_view` is true when its login sees all contacts of the firm."""

    connection_id: str
    user_id: str
    full_view: bool
    last_sync_at: datetime | None


class Status(BaseModel):
    """The status of an account: health, runs, connections, contacts and open issues."""

    health: Literal["ok", "degraded", "needs_attention", "disabled"]
    last_successful_run_at: datetime | None
    next_run_at: datetime | None
    connections: StatusConnections
    contacts: StatusContacts
    run: Run | None
    open_issues: int
    coverage: list[Coverage]
