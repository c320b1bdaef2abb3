"""Deliveries: events on their way to webhook endpoints.

A delivery is a row with the time at which it is due, not a job: a receiver that is down for days costs one row per
event and no polling.

One process at a time posts to an endpoint: it claims the endpoint (`claimed_until`) by the database's clock. The
stored time is the fencing token of the claim: each claim and each renewal sets a new one, and `renew_claim` succeeds
only for the time that the process has set itself. A process that hung finds another time there and stops. Claiming
skips locked rows, so no process waits for another.

Of each subject only the oldest pending delivery is ever due, so events about one subject arrive in order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, literal, select, update

from app.db.events import tables
from app.db.events.endpoints import is_active
from app.db.session import Session, any_of
from app.errors import AppError

_table = tables.deliveries
_events = tables.events
_endpoints = tables.webhook_endpoints


_TRIED = (
    "status", "first_attempt_at", "last_attempt_at", "delivered_at", "response_status", "problem_code", "due_at",
)  # fmt: skip


class Status(StrEnum):
    """The state of a delivery."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class DeliveryNotFound(AppError):
    """No such delivery, or one of another token's endpoint: the response is the same."""

    status = 404
    code = "delivery_not_found"
    title = "There is no such delivery for this token"


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one endpoint."""

    account_id: str
    delivery_id: str
    endpoint_id: str
    event_id: str
    kind: str
    status: Status
    attempts: int
    due_at: datetime
    first_attempt_at: datetime | None
    last_attempt_at: datetime | None
    delivered_at: datetime | None
    response_status: int | None
    problem_code: str | None
    created_at: datetime
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True)
class Claim:
    """The right to post to an endpoint until a time; it is void once another process has claimed the endpoint."""

    endpoint_id: str
    url: str
    failures: int
    failing_since: datetime | None
    paused: bool  # after a pause, one event is tried first
    until: datetime


@dataclass(frozen=True)
class DeliveryAttempt:
    """A delivery after one attempt."""

    delivery: Delivery
    status: Status
    response_status: int | None
    problem_code: str | None
    due_at: datetime


@dataclass(frozen=True)
class EndpointHealth:
    """The health of an endpoint: failures in a row, since when, and until when nothing is sent."""

    failures: int
    failing_since: datetime | None
    rests_until: datetime | None


def _of_account_and_delivery(delivery: Delivery) -> ColumnElement[bool]:
    own = _table.c.account_id == delivery.account_id
    return own & (_table.c.delivery_id == delivery.delivery_id)


def _is_first_of_its_subject() -> ColumnElement[bool]:
    before = _table.alias()
    return ~(
        select(before.c.delivery_id)
        .where(before.c.endpoint_id == _table.c.endpoint_id)
        .where(before.c.account_id == _table.c.account_id)
        .where(before.c.subject == _table.c.subject, before.c.status == Status.PENDING)
        .where(before.c.position < _table.c.position)
        .exists()
    )


def _is_due(now: datetime, after_pause: ColumnElement[bool]) -> ColumnElement[bool]:
    """Pending, and due now; at an endpoint after a pause, everything pending is due."""
    return (_table.c.status == Status.PENDING) & ((_table.c.due_at <= now) | after_pause)


async def claim_endpoints(
    session: Session, *, length: timedelta, limit: int, now: datetime
) -> list[Claim]:
    """Claim endpoints with due deliveries that no other process has claimed."""
    clock = func.clock_timestamp()
    due = _is_due(now, _endpoints.c.rests_until.is_not(None))
    waiting = select(_table.c.delivery_id).where(
        _table.c.endpoint_id == _endpoints.c.endpoint_id, due, _is_first_of_its_subject()
    )
    free = (
        select(_endpoints.c.endpoint_id)
        .where(is_active(), waiting.exists())
        .where(_endpoints.c.rests_until.is_(None) | (_endpoints.c.rests_until <= now))
        .where(_endpoints.c.claimed_until.is_(None) | (_endpoints.c.claimed_until < clock))
        .order_by(_endpoints.c.endpoint_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = (await session.execute(free)).scalars().all()
    if not ids:
        return []
    rows = await session.execute(
        update(_endpoints)
        .where(any_of(_endpoints.c.endpoint_id, ids))
        .values(claimed_until=clock + length)
        .returning(_endpoints)
    )
    return [_claim(row) for row in rows]


async def renew_claim(session: Session, claim: Claim, *, length: timedelta) -> Claim | None:
    """Renew the claim with the endpoint's health now; None if another process has it or the endpoint is off."""
    renewed = await session.execute(
        update(_endpoints)
        .where(_endpoints.c.endpoint_id == claim.endpoint_id, is_active())
        .where(_endpoints.c.claimed_until == claim.until)
        .values(claimed_until=func.clock_timestamp() + length)
        .returning(_endpoints)
    )
    row = renewed.one_or_none()
    return _claim(row) if row else None


async def release_claim(session: Session, claim: Claim) -> None:
    """Release the claim."""
    await session.execute(
        update(_endpoints)
        .where(_endpoints.c.endpoint_id == claim.endpoint_id)
        .where(_endpoints.c.claimed_until == claim.until)
        .values(claimed_until=None)
    )


async def list_due(session: Session, claim: Claim, *, limit: int, now: datetime) -> list[Delivery]:
    """Return the deliveries that are due at an endpoint, one per subject, those with the fewest attempts first."""
    due_now = _is_due(now, literal(claim.paused))
    query = (
        _joined()
        .where(_table.c.endpoint_id == claim.endpoint_id, due_now, _is_first_of_its_subject())
        .order_by(_table.c.attempts, _table.c.position)
        .limit(limit)
    )
    return [_delivery(row) for row in await session.execute(query)]


async def record_attempts(
    session: Session, attempts: Sequence[DeliveryAttempt], *, now: datetime
) -> None:
    """Store the results of attempts, each unless another process has tried the delivery meanwhile."""
    statement = (
        update(_table)
        .where(_table.c.account_id == bindparam("of_account"))
        .where(_table.c.delivery_id == bindparam("of_delivery"))
        .where(_table.c.attempts == bindparam("before"))
        .values(attempts=bindparam("before") + 1, **{name: bindparam(name) for name in _TRIED})
    )
    await session.execute(statement, [_tried(attempt, now) for attempt in attempts])


def _tried(attempt: DeliveryAttempt, now: datetime) -> dict[str, Any]:
    before = attempt.delivery
    return {
        "of_account": before.account_id,
        "of_delivery": before.delivery_id,
        "before": before.attempts,
        "status": attempt.status,
        "first_attempt_at": before.first_attempt_at or now,
        "last_attempt_at": now,
        "delivered_at": now if attempt.status is Status.DELIVERED else None,
        "response_status": attempt.response_status,
        "problem_code": attempt.problem_code,
        "due_at": attempt.due_at,
    }


async def record_health(session: Session, endpoint_id: str, health: EndpointHealth) -> None:
    """Store the health of an endpoint."""
    await session.execute(
        update(_endpoints)
        .where(_endpoints.c.endpoint_id == endpoint_id)
        .values(
            failures=health.failures,
            failing_since=health.failing_since,
            rests_until=health.rests_until,
        )
    )


async def retry_now(session: Session, endpoint_id: str, *, now: datetime) -> None:
    """Make the deliveries that wait for a retry due now, because the receiver works again."""
    await session.execute(
        update(_table)
        .where(_table.c.endpoint_id == endpoint_id, _table.c.status == Status.PENDING)
        .where(_table.c.due_at > now)
        .values(due_at=now)
    )


async def restart_pending(session: Session, endpoint_id: str, *, now: datetime) -> None:
    """Restart all pending deliveries of an endpoint that was enabled again.

    Deliveries that were never tried are due already and are not changed: there may be millions of them.
    """
    tried = _table.c.first_attempt_at.is_not(None) | (_table.c.due_at > now)
    await session.execute(
        update(_table)
        .where(_table.c.endpoint_id == endpoint_id, _table.c.status == Status.PENDING, tried)
        .values(due_at=now, attempts=0, first_attempt_at=None)
    )


async def list_deliveries(
    session: Session, endpoint_id: str, *, after: str, limit: int
) -> list[Delivery]:
    """Return the endpoint's deliveries by id, those after `after`."""
    query = (
        _joined()
        .where(_table.c.endpoint_id == endpoint_id, _table.c.delivery_id > after)
        .order_by(_table.c.delivery_id)
        .limit(limit)
    )
    return [_delivery(row) for row in await session.execute(query)]


async def list_by_events(
    session: Session, account_id: str, event_ids: Sequence[str]
) -> list[Delivery]:
    """Return the deliveries of these events, in the order of the events [NC-5]."""
    if not event_ids:
        return []
    query = _joined().where(_table.c.account_id == account_id, any_of(_table.c.event_id, event_ids))
    return [_delivery(row) for row in await session.execute(query.order_by(_table.c.position))]


async def get_delivery(session: Session, delivery_id: str, *, token_id: str | None) -> Delivery:
    """Return a delivery of the token's endpoints (None: of any endpoint); raises DeliveryNotFound."""
    query = _joined().where(_table.c.delivery_id == delivery_id)
    if token_id is not None:
        owned = select(_endpoints.c.endpoint_id).where(
            _endpoints.c.endpoint_id == _table.c.endpoint_id, _endpoints.c.token_id == token_id
        )
        query = query.where(owned.exists())
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise DeliveryNotFound
    return _delivery(row)


async def redeliver(session: Session, delivery: Delivery, *, now: datetime) -> None:
    """Send the event once more, under the same id."""
    await session.execute(
        update(_table)
        .where(_of_account_and_delivery(delivery))
        .values(status=Status.PENDING, due_at=now, attempts=0, first_attempt_at=None)
    )


def _joined() -> Any:
    event = (_events.c.account_id == _table.c.account_id) & (
        _events.c.event_id == _table.c.event_id
    )
    return select(_table, _events.c.kind, _events.c.data, _events.c.at).join(_events, event)


def _claim(row: Any) -> Claim:
    paused = row.rests_until is not None
    return Claim(
        row.endpoint_id, row.url, row.failures, row.failing_since, paused, row.claimed_until
    )


def _delivery(row: Any) -> Delivery:
    plain = Delivery.__dataclass_fields__.keys() - {"status"}
    return Delivery(**{name: row._mapping[name] for name in plain}, status=Status(row.status))
