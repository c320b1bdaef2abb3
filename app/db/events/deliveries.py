"""Deliveries: events on their way to webhook endpoints.

A delivery is a row with the time at which it is due, not a job: a receiver that is down for days costs one row per
event and no polling. Of each subject only the oldest pending delivery is posted, so events about one subject arrive in
order; `turns.py` chooses.

What happens to all deliveries of an endpoint at once is a mark on the endpoint, because there may be millions of them.
A delivery that was last tried before `hurried_at` is due, and of one that was last tried before `restarted_at` no
attempt counts. Whoever reads a delivery here gets it with these marks applied.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, func, select, update

from app.db.events import tables
from app.db.list_pages import Listed, ListPage, SortedBy, read_page
from app.db.session import Session, any_of
from app.errors import AppError

_table = tables.deliveries
_events = tables.events
_endpoints = tables.webhook_endpoints
_BY = SortedBy(_table.c.delivery_id, _table.c.created_at, "dlv")


_TRIED = (
    "status", "waits_for", "attempts", "first_attempt_at", "last_attempt_at", "delivered_at",
    "response_status", "problem_code", "due_at",
)  # fmt: skip
RETRY = "retry"  # the value of `waits_for` until a delivery is due
_MARKED = ("due_at", "attempts", "first_attempt_at")


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
    next_step = "GET …/deliveries of its endpoint lists them"


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
class DeliveryFilter:
    """The deliveries that a list shows; None does not filter."""

    status: str | None = None
    kind: str | None = None
    account_id: str | None = None


@dataclass(frozen=True)
class DeliveryAttempt:
    """A delivery after one attempt."""

    delivery: Delivery
    status: Status
    response_status: int | None
    problem_code: str | None
    due_at: datetime


def _of_account_and_delivery(delivery: Delivery) -> ColumnElement[bool]:
    own = _table.c.account_id == delivery.account_id
    return own & (_table.c.delivery_id == delivery.delivery_id)


async def list_chosen(
    session: Session, endpoint_id: str, delivery_ids: Sequence[str]
) -> list[Delivery]:
    """Return these deliveries of an endpoint, in this order."""
    if not delivery_ids:
        return []
    query = _joined().where(_table.c.endpoint_id == endpoint_id)
    rows = await session.execute(query.where(any_of(_table.c.delivery_id, delivery_ids)))
    found = [_delivery(row) for row in rows]
    return sorted(found, key=lambda each: delivery_ids.index(each.delivery_id))


async def record_attempts(
    session: Session, attempts: Sequence[DeliveryAttempt], *, now: datetime
) -> None:
    """Store the results of attempts, each unless another process has tried the delivery meanwhile."""
    statement = (
        update(_table)
        .where(_table.c.account_id == bindparam("of_account"))
        .where(_table.c.delivery_id == bindparam("of_delivery"))
        .where(_table.c.last_attempt_at.is_not_distinct_from(bindparam("tried_before")))
        .values({name: bindparam(name) for name in _TRIED})
    )
    await session.execute(statement, [_tried(attempt, now) for attempt in attempts])


def _tried(attempt: DeliveryAttempt, now: datetime) -> dict[str, Any]:
    before = attempt.delivery
    return {
        "of_account": before.account_id,
        "of_delivery": before.delivery_id,
        "tried_before": before.last_attempt_at,
        "status": attempt.status,
        "waits_for": RETRY if attempt.status is Status.PENDING else None,
        "attempts": before.attempts + 1,
        "first_attempt_at": before.first_attempt_at or now,
        "last_attempt_at": now,
        "delivered_at": now if attempt.status is Status.DELIVERED else None,
        "response_status": attempt.response_status,
        "problem_code": attempt.problem_code,
        "due_at": attempt.due_at,
    }


async def list_deliveries(
    session: Session, endpoint_id: str, wanted: DeliveryFilter, page: ListPage
) -> Listed[Delivery]:
    """Return a page of the endpoint's deliveries."""
    query = _joined().where(_table.c.endpoint_id == endpoint_id)
    columns = (_table.c.status, _events.c.kind, _table.c.account_id)
    for column, value in zip(columns, astuple(wanted), strict=True):
        query = query if value is None else query.where(column == value)
    return (await read_page(session, query, _BY, page)).of(_delivery)


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
    query = _joined().where(_table.c.delivery_id == delivery_id, _endpoints.c.deleted_at.is_(None))
    if token_id is not None:
        query = query.where(_endpoints.c.token_id == token_id)
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise DeliveryNotFound
    return _delivery(row)


async def redeliver(session: Session, delivery: Delivery, *, now: datetime) -> None:
    """Send the event once more, under the same id."""
    await session.execute(
        update(_table)
        .where(_of_account_and_delivery(delivery))
        .values(
            status=Status.PENDING, waits_for=None, due_at=now, attempts=0, first_attempt_at=None
        )
    )


def _joined() -> Any:
    """Return the query for deliveries with their events, as the marks of their endpoints change them."""
    event = (_events.c.account_id == _table.c.account_id) & (
        _events.c.event_id == _table.c.event_id
    )
    stored = [column for column in _table.c if column.name not in _MARKED]
    return (
        select(*stored, *_marked(), _events.c.kind, _events.c.data, _events.c.at)
        .join(_events, event)
        .join(_endpoints, _endpoints.c.endpoint_id == _table.c.endpoint_id)
    )


def _marked() -> list[ColumnElement[Any]]:
    """Return the columns of `_MARKED`: those of a pending delivery count from its endpoint's marks on."""
    pending, last = _table.c.status == Status.PENDING, _table.c.last_attempt_at
    is_hurried = pending & (_table.c.waits_for == RETRY) & (last < _endpoints.c.hurried_at)
    is_fresh = pending & (last < _endpoints.c.restarted_at)
    due_at, attempts, first = (_table.c[name] for name in _MARKED)
    return [
        case((is_hurried, func.least(due_at, _endpoints.c.hurried_at)), else_=due_at).label(
            "due_at"
        ),
        case((is_fresh, 0), else_=attempts).label("attempts"),
        case((is_fresh, None), else_=first).label("first_attempt_at"),
    ]


def _delivery(row: Any) -> Delivery:
    plain = Delivery.__dataclass_fields__.keys() - {"status"}
    return Delivery(**{name: row._mapping[name] for name in plain}, status=Status(row.status))
