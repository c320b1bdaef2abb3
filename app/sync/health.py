"""The health of an account and its reasons: the only place that decides them.

The health follows from a few facts. `current_health` computes it for a reader at once, so that it is right also while
no scheduler runs. `refresh_health` stores it for those who read many accounts, soon after a fact has changed and when
an account becomes overdue.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog

from app.db import issues
from app.db.accounts import health
from app.db.accounts.health import HealthFacts, OpenIssues
from app.db.issues import Finding
from app.db.session import Session, transaction
from app.errors import DatabaseUnavailable, Problem
from app.sync.services import Services, Timing
from app.sync.slot_times import overdue_at, zone_of

BATCH = 500  # accounts that are computed in one tick
OVERDUE_FOR = timedelta(days=3)  # after so long the issue `sync_overdue` is an error
CHECK_AGAIN = timedelta(hours=1)  # facts that the previous release changed are found by then

log = structlog.get_logger(__name__)


class Value(StrEnum):
    """The health of an account."""

    OK = "ok"
    DEGRADED = "degraded"
    NEEDS_ATTENTION = "needs_attention"
    DISABLED = "disabled"


@dataclass(frozen=True)
class Health:
    """The health of an account; `reasons` say why it is not `ok`, the gravest first."""

    value: Value
    reasons: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Deadline:
    """The last success of an account or the beginning of its slots, and when it is overdue because of it."""

    since: datetime
    at: datetime


_DISABLED = Problem("disabled", "The integration is switched off")
_NO_LOGIN = Problem(
    "no_working_login",
    "No Clio login of this account works, so nothing is read. A user must connect",
)


def current_health(facts: HealthFacts, timing: Timing, account_id: str, *, now: datetime) -> Health:
    """Return the account's health now."""
    return health_of(facts, _overdue(deadline_of(facts, timing, account_id), now=now))


def health_of(facts: HealthFacts, overdue: Finding | None) -> Health:
    """Return the health that follows from the facts.

    `needs_attention` if the account cannot go on without a person, `degraded` with warnings or while it is overdue.
    """
    if not facts.enabled:
        return Health(Value.DISABLED, (_DISABLED,))
    found = [issue for issue in facts.issues if issue.code != issues.SYNC_OVERDUE]
    errors = [*([_NO_LOGIN] if not facts.working_logins else []), *_reasons(found, "error")]
    warnings = _reasons(found, "warning")
    if overdue is not None:
        reasons = errors if overdue.severity == "error" else warnings
        reasons.append(Problem(overdue.code, overdue.detail))
    if errors:
        return Health(Value.NEEDS_ATTENTION, (*errors, *warnings))
    return Health(Value.DEGRADED if warnings else Value.OK, tuple(warnings))


def _reasons(found: list[OpenIssues], severity: str) -> list[Problem]:
    """Return a reason for each code of open issues of this severity."""
    return [
        Problem(issue.code, issue.detail + (f" (and {issue.count - 1} more)" * (issue.count > 1)))
        for issue in found
        if issue.severity == severity
    ]


def deadline_of(facts: HealthFacts, timing: Timing, account_id: str) -> Deadline | None:
    """Return when the account is overdue; None if it is off or was never connected.

    It is overdue when two slots have passed since the newest success, or since the account was switched on. A first run
    is not overdue while it makes progress.
    """
    began = facts.synced_at or facts.first_connected_at
    if not facts.enabled or facts.first_connected_at is None or began is None:
        return None
    since = max(began, facts.enabled_at, facts.progressed_at or began)
    return Deadline(since, overdue_at(since, zone_of(facts.time_zone), timing, account_id))


def _overdue(deadline: Deadline | None, *, now: datetime) -> Finding | None:
    """Return the finding that the account is overdue, or None."""
    if deadline is None or now < deadline.at:
        return None
    text = (
        f"No run has read all lists of Clio since {deadline.since:%Y-%m-%d %H:%M} UTC, through two slots or more."
        " The newest runs and the other issues say why"
    )
    return Finding(issues.SYNC_OVERDUE, text, has_lasted=now >= deadline.at + OVERDUE_FOR)


async def refresh_health(services: Services) -> int:
    """Compute and store the health of accounts where a fact has changed or the time has come; return of how many.

    The scheduler calls it regularly. A fault in one account must not delay the others.
    """
    now = services.now()
    async with transaction(services.database) as session:
        due = await health.list_due(session, now=now, limit=BATCH)
    for account_id in due:
        try:
            async with transaction(services.database) as session:
                if await health.claim(session, account_id):
                    await _refresh(session, services.timing, account_id, now=now)
        except DatabaseUnavailable:
            raise
        except Exception:
            log.exception("health_crashed", account_id=account_id)
    return len(due)


async def _refresh(session: Session, timing: Timing, account_id: str, *, now: datetime) -> None:
    """Store the account's health, and open or resolve the issue that it is overdue."""
    facts = await health.load_facts(session, account_id)
    deadline = deadline_of(facts, timing, account_id)
    overdue = _overdue(deadline, now=now)
    findings = [overdue] if overdue else []
    await issues.reconcile(session, account_id, issues.SYNC_OVERDUE, findings, now=now)
    found = health_of(facts, overdue)
    reasons = [{"code": reason.code, "detail": reason.detail} for reason in found.reasons]
    due_at = min(_times_to_check(deadline, now=now))
    await health.store_health(session, account_id, found.value, reasons, now=now, due_at=due_at)


def _times_to_check(deadline: Deadline | None, *, now: datetime) -> Iterator[datetime]:
    """Yield when the health may change although no fact does."""
    yield now + CHECK_AGAIN
    if deadline is not None:
        yield from (at for at in (deadline.at, deadline.at + OVERDUE_FOR) if at > now)
