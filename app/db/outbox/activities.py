"""Activities as values: what a Levitate user did, the status of writing it to Clio, and the reason for the status."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from app.db.cursors import ADDED
from app.errors import AppError


class Kind(StrEnum):
    """The kind of an activity of a Levitate user [WB-1]."""

    EMAIL = "email"
    NOTE = "note"
    PHONE_CALL = "phone_call"
    HANDWRITTEN_CARD = "handwritten_card"
    TEXT_MESSAGE = "text_message"


class Status(StrEnum):
    """The state of an activity."""

    QUEUED = "queued"
    SENDING = "sending"
    WRITTEN = "written"
    SKIPPED = "skipped"
    BLOCKED = "blocked"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Reason(StrEnum):
    """The reason for an activity's status."""

    DISABLED = "disabled_by_settings"
    NOT_LINKED = "not_linked"
    NEEDS_CONNECTION = "needs_connection"
    USER_UNKNOWN = "user_unknown"
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
    """The account has no such activity."""

    status = 404
    code = "activity_not_found"
    title = "There is no such activity in this account"
    next_step = "GET …/activities lists them"


class NotRetryable(AppError):
    """Only a failed or blocked activity can be tried again."""

    status = 409
    code = "activity_not_retryable"
    title = "Only a failed or blocked activity can be tried again"
    next_step = "read its status, or post a new one"


class NotCancellable(AppError):
    """An activity that is being sent, or may be in Clio already, cannot be cancelled."""

    status = 409
    code = "activity_not_cancellable"
    title = "Only an activity that certainly is not in Clio yet can be cancelled"
    next_step = "read its status, and remove the record in Clio if need be"


@dataclass(frozen=True)
class NewActivity:
    """An activity that was checked and formatted and is about to be stored."""

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
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class Activity(NewActivity):
    """A stored activity."""

    activity_id: str
    place: int
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
    """The result of an attempt: `unsure` means that Clio may have it; `after` is the delay of the next attempt."""

    status: Status
    reason: Reason | None = None
    problem: str | None = None
    after: timedelta | None = None
    unsure: bool = False
    clio_id: int | None = None
    rounds: int | None = None


@dataclass(frozen=True)
class ActivityFilter:
    """The activities that a list shows; None does not filter."""

    contact_id: str | None = None
    status: str | None = None
    kind: str | None = None
    user_id: str | None = field(default=None, metadata=ADDED)
