"""Activities as values: what Levitate's users did, where writing it to Clio stands, and why it does not go on."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from app.errors import AppError


class Kind(StrEnum):
    """What a Levitate user did [WB-1]."""

    EMAIL = "email"
    NOTE = "note"
    PHONE_CALL = "phone_call"
    HANDWRITTEN_CARD = "handwritten_card"
    TEXT_MESSAGE = "text_message"


class Status(StrEnum):
    """Where an activity stands."""

    QUEUED = "queued"
    SENDING = "sending"
    WRITTEN = "written"
    SKIPPED = "skipped"
    BLOCKED = "blocked"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Reason(StrEnum):
    """Why it stands there."""

    DISABLED = "disabled_by_settings"
    NOT_LINKED = "not_linked"
    NEEDS_CONNECTION = "needs_connection"
    CONTACT_GONE = "contact_gone"
    NO_ACCESS = "no_access"
    REFUSED = "refused_by_clio"
    REMOVED = "removed_in_clio"
    WAITING = "waiting_for_clio"
    CHECKING = "checking_in_clio"
    UNVERIFIED = "sent_unverified"
    UNCONFIRMED = "unconfirmed"
    DOUBLED = "doubled_in_clio"
    MISSING = "missing_in_clio"
    INTERNAL = "internal_error"


WAITING = (Status.QUEUED, Status.SENDING)


class ActivityNotFound(AppError):
    """No such activity in this account."""

    status = 404
    code = "activity_not_found"
    title = "There is no such activity in this account"


class NotRetryable(AppError):
    """Only what failed or is blocked can be tried again."""

    status = 409
    code = "activity_not_retryable"
    title = "Only a failed or blocked activity can be tried again"


class NotCancellable(AppError):
    """What is on its way, or may be in Clio already, cannot be taken back."""

    status = 409
    code = "activity_not_cancellable"
    title = "Only an activity that certainly is not in Clio yet can be cancelled"


@dataclass(frozen=True)
class NewActivity:
    """An activity that was judged and worded, about to be kept."""

    account_id: str
    kind: Kind
    status: Status
    reason: Reason | None
    user_id: str
    contact_id: str | None
    clio_contact_id: int | None
    occurred_at: datetime
    time_zone: str
    local_date: date
    direction: str | None
    conversation_id: str | None
    subject: str
    body: str


@dataclass(frozen=True)
class Activity(NewActivity):
    """An activity as it is kept."""

    activity_id: str
    place: int
    problem: str | None
    marker: str | None
    clio_id: int | None
    connection_id: str | None
    attempts: int
    rounds: int
    unsure: bool
    first_attempt_at: datetime | None
    due_at: datetime | None
    blocked_at: datetime | None
    created_at: datetime
    written_at: datetime | None
    proven_at: datetime | None


@dataclass(frozen=True)
class Outcome:
    """What becomes of an activity: `unsure` says that Clio may have it, `after` when to go on."""

    status: Status
    reason: Reason | None = None
    problem: str | None = None
    after: timedelta | None = None
    unsure: bool = False
    clio_id: int | None = None
    rounds: int | None = None


@dataclass(frozen=True)
class ActivityFilter:
    """Which activities a reader asks for; None asks for all."""

    contact_id: str | None = None
    status: str | None = None
    kind: str | None = None
