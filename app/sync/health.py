"""The health of an account and its reasons: the only place that decides them.

The health follows from a few facts. `current_health` computes it for a reader at once, so that it is right also while
no scheduler runs. `refresh_health` stores it for those who read many accounts, soon after a fact has changed and when
an account becomes overdue.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog

from app.db import issues
from app.db.accounts import health, looks
from app.db.accounts.health import HealthFacts, HealthState, OpenIssues, StoredHealth
from app.db.accounts.looks import Look, Task
from app.db.issues import Finding
from app.db.session import Session, transaction
from app.db.system import system_transaction
from app.errors import DatabaseUnavailable, Problem
from app.sync.services import Services, Timing
from app.sync.slot_times import overdue_at, zone_of

BATCH = 500  # accounts with a change, and as many whose time has come, in one tick
OVERDUE_FOR = timedelta(days=3)  # after so long the issue `sync_overdue` is an error

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


# For issues whose details name records by Clio's id: a person reads the reasons.
_IN_WORDS = {
    "coverage_lost": "Records of Clio that no working login sees any more are not updated; the issue says which",
    "value_unreadable": "Values of some fields in Clio cannot be read; the issue says which fields and records",
}


def _reasons(found: list[OpenIssues], severity: str) -> list[Problem]:
    """Return a reason for each code of open issues of this severity."""
    return [
        Problem(
            issue.code,
            _IN_WORDS.get(issue.code, issue.detail)
            + (f" (and {issue.count - 1} more)" * (issue.count > 1)),
        )
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
    async with system_transaction(services.database) as session:
        changed = await health.list_changed(session, limit=BATCH)
        outdated = await _put_off_unchanged(session, services.timing, now=now)
    wanted = sorted({*changed, *outdated})
    for account_id in wanted:
        try:
            async with transaction(services.database, account_id) as session:
                if await health.claim(session, account_id):
                    await _refresh(session, services.timing, account_id, now=now)
        except DatabaseUnavailable:
            raise
        except Exception:
            log.exception("health_crashed", account_id=account_id)
    return len(wanted)


async def _put_off_unchanged(session: Session, timing: Timing, *, now: datetime) -> list[str]:
    """Look at the accounts whose time has come, all in one query; return those whose stored health is not right.

    The others are put off until the time alone may change their health.
    """
    due = await looks.list_due(session, Task.HEALTH, now=now, limit=BATCH)
    states = await health.load_states(session, [look.account_id for look in due]) if due else {}
    right: dict[Look, datetime] = {}
    for look in due:
        state = states.get(look.account_id)
        if state is not None and _is_right(state, timing, look.account_id, now=now):
            right[look] = _next_look(deadline_of(state.facts, timing, look.account_id), now=now)
    await looks.put_off(session, Task.HEALTH, right, now=now)
    return [look.account_id for look in due if look not in right]


def _is_right(state: HealthState, timing: Timing, account_id: str, *, now: datetime) -> bool:
    """Return whether the stored health, and the issue that the account is overdue, say what follows from the facts."""
    overdue = _overdue(deadline_of(state.facts, timing, account_id), now=now)
    said = [(i.severity, i.detail) for i in state.facts.issues if i.code == issues.SYNC_OVERDUE]
    wanted = [(overdue.severity, overdue.detail)] if overdue else []
    return said == wanted and state.stored == _stored(state.facts, overdue)


async def _refresh(session: Session, timing: Timing, account_id: str, *, now: datetime) -> None:
    """Store the account's health, and open or resolve the issue that it is overdue."""
    facts = await health.load_facts(session, account_id)
    deadline = deadline_of(facts, timing, account_id)
    overdue = _overdue(deadline, now=now)
    findings = [overdue] if overdue else []
    await issues.reconcile(session, account_id, issues.SYNC_OVERDUE, findings, now=now)
    due_at = _next_look(deadline, now=now)
    found = _stored(facts, overdue)
    await health.store_health(session, account_id, found, now=now, due_at=due_at)


def _stored(facts: HealthFacts, overdue: Finding | None) -> StoredHealth:
    """Return what is to be stored for an account with these facts."""
    found = health_of(facts, overdue)
    reasons = [{"code": reason.code, "detail": reason.detail} for reason in found.reasons]
    return StoredHealth(found.value.value, reasons, facts.synced_at)


def _next_look(deadline: Deadline | None, *, now: datetime) -> datetime:
    """Return when the health may change although no fact does: when the account is overdue, or for too long."""
    times = [deadline.at, deadline.at + OVERDUE_FOR] if deadline else []
    return min([now + looks.AT_MOST, *(at for at in times if at > now)])
