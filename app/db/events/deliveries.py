"""Deliveries: events on their way to endpoints.

A delivery is a row with a time at which it is due, not a job: a receiver that is down for days costs one row for
each event, and nobody wakes up for it.

One process at a time sends to an endpoint: it claims it for a while, by the database's clock. Of each subject only
the oldest delivery that has not ended is ever due, so that what is about one person arrives in order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, literal, select, update

from app.db.events import tables
from app.db.events.endpoints import is_active
from app.db.session import Session
from app.errors import AppError

_table = tables.deliveries
_events = tables.events
_endpoints = tables.webhook_endpoints


_TRIED = (
    "status", "first_attempt_at", "last_attempt_at", "delivered_at", "response_status", "problem_code", "due_at",
)  # fmt: skip


class Status(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class DeliveryNotFound(AppError):
    """No such delivery, or one of another token's endpoint: the answer is the same."""

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
    """The right to send to an endpoint until a time; worth nothing once another claimed it after that."""

    endpoint_id: str
    url: str
    failures: int
    failing_since: datetime | None
    rested: bool  # it was left alone for a while, and is to be tried with one event
    until: datetime


@dataclass(frozen=True)
class DeliveryAttempt:
    """What a delivery comes to after one attempt."""

    delivery: Delivery
    status: Status
    response_status: int | None
    problem_code: str | None
    due_at: datetime


@dataclass(frozen=True)
class EndpointHealth:
    """How an endpoint fares after a batch: failures in a row, since when, and until when it is left alone."""

    failures: int
    failing_since: datetime | None
    rests_until: datetime | None


def _of_account_and_delivery(delivery: Delivery) -> ColumnElement[bool]:
    mine = _table.c.account_id == delivery.account_id
    return mine & (_table.c.delivery_id == delivery.delivery_id)


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


def _is_due(now: datetime, tired: ColumnElement[bool]) -> ColumnElement[bool]:
    """Waiting, and its time has come; to an endpoint that was left alone for a while, whatever waits."""
    return (_table.c.status == Status.PENDING) & ((_table.c.due_at <= now) | tired)


async def claim_endpoints(
    session: Session, *, length: timedelta, limit: int, now: datetime
) -> list[Claim]:
    """Claim endpoints that something is due for and that no process sends to now."""
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
        .where(_endpoints.c.endpoint_id.in_(ids))
        .values(claimed_until=clock + length)
        .returning(_endpoints)
    )
    return [_claim(row) for row in rows]


async def renew_claim(session: Session, mine: Claim, *, length: timedelta) -> Claim | None:
    """The claim, prolonged, with how the endpoint fares now; None when another has it or it is sent to no more."""
    held = await session.execute(
        update(_endpoints)
        .where(_endpoints.c.endpoint_id == mine.endpoint_id, is_active())
        .where(_endpoints.c.claimed_until == mine.until)
        .values(claimed_until=func.clock_timestamp() + length)
        .returning(_endpoints)
    )
    row = held.one_or_none()
    return _claim(row) if row else None


async def release_claim(session: Session, mine: Claim) -> None:
    """Leave the endpoint to whoever comes next."""
    await session.execute(
        update(_endpoints)
        .where(_endpoints.c.endpoint_id == mine.endpoint_id)
        .where(_endpoints.c.claimed_until == mine.until)
        .values(claimed_until=None)
    )


async def list_due(session: Session, mine: Claim, *, limit: int, now: datetime) -> list[Delivery]:
    """What is to be sent to an endpoint now, one of each subject; what was never tried comes first."""
    due_now = _is_due(now, literal(mine.rested))
    query = (
        _joined()
        .where(_table.c.endpoint_id == mine.endpoint_id, due_now, _is_first_of_its_subject())
        .order_by(_table.c.attempts, _table.c.position)
        .limit(limit)
    )
    return [_delivery(row) for row in await session.execute(query)]


async def record_attempts(
    session: Session, attempts: Sequence[DeliveryAttempt], *, now: datetime
) -> None:
    """Write down what was tried, each if nobody else has tried it meanwhile."""
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
    """Write down how an endpoint fares."""
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
    """The receiver is back: what waits for a later try is due now."""
    await session.execute(
        update(_table)
        .where(_table.c.endpoint_id == endpoint_id, _table.c.status == Status.PENDING)
        .where(_table.c.due_at > now)
        .values(due_at=now)
    )


async def restart_pending(session: Session, endpoint_id: str, *, now: datetime) -> None:
    """Begin anew with all that has not ended: an endpoint was enabled again.

    What was never tried is due as it stands: millions may wait, and are not touched.
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
    """The endpoint's deliveries by id, those after `after`."""
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
    """Where events went, and how they fared there, in the order of their telling [NC-5]."""
    if not event_ids:
        return []
    query = _joined().where(_table.c.account_id == account_id, _table.c.event_id.in_(event_ids))
    return [_delivery(row) for row in await session.execute(query.order_by(_table.c.position))]


async def get_delivery(session: Session, delivery_id: str, *, token_id: str | None) -> Delivery:
    """The delivery, if it is of an endpoint of the token (None: of one that sees all); raises DeliveryNotFound."""
    query = _joined().where(_table.c.delivery_id == delivery_id)
    if token_id is not None:
        mine = select(_endpoints.c.endpoint_id).where(
            _endpoints.c.endpoint_id == _table.c.endpoint_id, _endpoints.c.token_id == token_id
        )
        query = query.where(mine.exists())
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
    rested = row.rests_until is not None
    return Claim(
        row.endpoint_id, row.url, row.failures, row.failing_since, rested, row.claimed_until
    )


def _delivery(row: Any) -> Delivery:
    plain = Delivery.__dataclass_fields__.keys() - {"status"}
    return Delivery(**{name: row._mapping[name] for name in plain}, status=Status(row.status))
