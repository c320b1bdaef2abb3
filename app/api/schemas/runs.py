"""Runs and an account's status: bodies in and out."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from app.api.schemas.base import ALWAYS_THERE, CodeDetail, In


class RunIn(In):
    """Ask for a run: what changed since the last (`incremental`), everything (`full`), or one contact by its id."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"kind": "incremental"}]}
    )

    kind: Literal["incremental", "full"]
    contact_id: Annotated[str, StringConstraints(pattern=r"^[\w-]{1,64}$")] | None = None


class Progress(BaseModel):
    """How far a run is. `total`, `percent` and `eta_seconds` are null while they cannot be known."""

    phase: Literal["pulling", "assessing", "done"] | None
    done: int
    total: int | None
    percent: int | None
    eta_seconds: int | None


class Pulled(BaseModel):
    """Records that were read."""

    model_config = ALWAYS_THERE

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
    """One row of a run's report. `detail` is why a contact is out, why a record was put aside, or what went wrong.

    In CSV each count of `noted` is a row `count`.
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
    """What a run could not use, and how many contacts got another owner.

    `too_long` and `unparsable` are values of custom fields that make no tag; `no_name_or_email` are persons who are
    out for want of both.
    """

    owner_changes: int
    too_long: int
    unparsable: int
    no_name_or_email: int


class RunReport(BaseModel):
    """A run, and every contact it touched."""

    run: Run
    noted: Noted
    outcomes: list[Outcome]


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
