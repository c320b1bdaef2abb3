"""Turns: which deliveries of an endpoint are next, in turn over its accounts, and when the next slice is due.

Every statement reads a limited number of rows by index, however many deliveries wait. `deliveries.waits_for` makes that
possible. It is null while a delivery is ready, also when it is new: storing an event takes no lock. Whoever has claimed
the endpoint looks at the oldest ready deliveries of each account and puts aside those that must wait: with `retry`
until `due_at`, with `subject` behind an earlier pending delivery of their subject. `wake` makes retries ready again.
The triggers of migration 0020 do so for the next delivery of a subject when the one before it ends.

The promise: the oldest pending delivery of a subject never has `subject`. A delivery is put aside only while the oldest
one is locked against ending, and one that ends frees the next one in its own transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    TextClause,
    case,
    func,
    literal_column,
    select,
    text,
)

from app.db import job_queue
from app.db.events import deliveries, tables
from app.db.events.claims import Claim
from app.db.events.deliveries import Delivery
from app.db.events.endpoints import is_active
from app.db.session import Session
from app.lanes import Lane

_endpoints = tables.webhook_endpoints
_d = tables.deliveries.alias("d")

CANDIDATES = 100  # deliveries that are looked at, to choose a few of them
WOKEN = 100  # retries that become ready together

# No slice of the endpoint is at work or can begin now.
_JOB_KEY = f"'{Lane.DELIVERIES.label}:' || webhook_endpoints.endpoint_id"
_NO_JOB = f"not {job_queue.has_job(_JOB_KEY, also='execute_after <= now()')}"
_READY = "d.status = 'pending' and d.waits_for is null"
_RETRY = "d.status = 'pending' and d.waits_for = 'retry'"

# `turn` walks around the accounts that have ready deliveries: one probe of the index for each place.
_NEXT = text(f"""
with recursive turn (place, account_id) as (
    select 0, cast(:served as text)
    union all
    select place + 1, coalesce(
        (select d.account_id from deliveries d
         where d.endpoint_id = :endpoint_id and {_READY} and d.account_id > turn.account_id
         order by d.account_id limit 1),
        (select d.account_id from deliveries d
         where d.endpoint_id = :endpoint_id and {_READY} order by d.account_id limit 1)
    )
    from turn where place < :places and account_id is not null
),
accounts as materialized (
    select account_id, min(place) as place from turn
    where place > 0 and account_id is not null group by account_id
),
candidates as (
    select place, oldest.*, due_at > :now as is_early, exists (
        select from deliveries d
        where d.endpoint_id = :endpoint_id and d.account_id = oldest.account_id
            and d.subject = oldest.subject and d.status = 'pending' and d.position < oldest.position
    ) as is_behind
    from accounts cross join lateral (
        select d.account_id, d.delivery_id, d.subject, d.due_at, d.position from deliveries d
        where d.endpoint_id = :endpoint_id and {_READY} and d.account_id = accounts.account_id
        order by d.due_at, d.position limit (select :candidates / count(*) from accounts)
    ) oldest
)
select account_id, delivery_id, subject, is_early, is_behind from candidates
order by row_number() over (
    partition by account_id, is_early or is_behind order by due_at, position
), place
""")  # noqa: S608  # our own conditions

# The rows to change are found one by one and locked: that is quick with any statistics, and waits for nobody.
_PUT_ASIDE_EARLY = text(f"""
update deliveries set waits_for = 'retry' where ctid = any(array(
    select early.ctid from unnest(cast(:deliveries as text[])) as given (delivery_id)
    cross join lateral (
        select d.ctid from deliveries d
        where d.endpoint_id = :endpoint_id and d.delivery_id = given.delivery_id and {_READY}
        limit 1 for update skip locked
    ) early
))
""")  # noqa: S608

# `for share` excludes whoever ends or deletes the first one; if such a transaction has it, nothing is put aside.
_PUT_ASIDE_BEHIND = text(f"""
update deliveries set waits_for = 'subject' where ctid = any(array(
    select behind.ctid from unnest(
        cast(:accounts as text[]), cast(:subjects as text[]), cast(:deliveries as text[])
    ) as given (account_id, subject, delivery_id)
    cross join lateral (
        select d.position from deliveries d
        where d.endpoint_id = :endpoint_id and d.account_id = given.account_id
            and d.subject = given.subject and d.status = 'pending'
        order by d.position limit 1 for share skip locked
    ) first
    cross join lateral (
        select d.ctid from deliveries d
        where d.endpoint_id = :endpoint_id and d.delivery_id = given.delivery_id and {_READY}
            and d.position > first.position
        limit 1 for update skip locked
    ) behind
))
""")  # noqa: S608


def _wake_statement(condition: str, order: str) -> TextClause:
    return text(f"""
update deliveries set waits_for = null, due_at = least(due_at, :now) where ctid = any(array(
    select d.ctid from deliveries d where d.endpoint_id = :endpoint_id and {_RETRY} and {condition}
    order by {order} limit :limit for update skip locked
))
""")  # noqa: S608


_WAKE_DUE = _wake_statement("d.due_at <= :now", "d.due_at")
_WAKE_HURRIED = _wake_statement(
    "d.last_attempt_at < (select case when rests_until is not null then :now else hurried_at end"
    " from webhook_endpoints where endpoint_id = :endpoint_id)",
    "d.last_attempt_at",
)


@dataclass(frozen=True)
class Turn:
    """The deliveries to post now, and the last account that had its turn."""

    chosen: Sequence[Delivery]
    last_account_id: str
    is_empty: bool = False  # nothing was ready

    def split(self, size: int) -> "tuple[Turn, Turn]":
        """Return the first deliveries, with the last account among them, and the others."""
        first, rest = self.chosen[:size], self.chosen[size:]
        last = first[-1].account_id if first else self.last_account_id
        return Turn(first, last), Turn(rest, self.last_account_id)


NO_TURN = Turn((), "", is_empty=True)


async def wake(session: Session, claim: Claim, *, now: datetime) -> None:
    """Make retries ready that are due; after a pause only the one that was tried longest ago."""
    limit = 1 if claim.paused else WOKEN
    for statement in (_WAKE_DUE, _WAKE_HURRIED):
        await _run(session, statement, claim, now=now, limit=limit)


async def next_turn(session: Session, claim: Claim, *, places: int, now: datetime) -> Turn:
    """Return the deliveries that are next, one per subject, and put aside those that must wait.

    Accounts take turns, beginning with the one after the account that was served last; within one account the delivery
    that has been due longest comes first. If only deliveries that must wait were found, none is chosen, and there may
    be others behind them.
    """
    values = {"served": claim.served_account_id, "places": places, "candidates": CANDIDATES}
    rows = (await _run(session, _NEXT, claim, now=now, **values)).all()
    if not rows:
        return NO_TURN
    await _put_aside(session, claim, [row for row in rows if row.is_early or row.is_behind])
    ready = [row for row in rows if not row.is_early and not row.is_behind][:places]
    chosen = await deliveries.list_chosen(
        session, claim.endpoint_id, [row.delivery_id for row in ready]
    )
    return Turn(chosen, (ready or rows)[-1].account_id)


async def _put_aside(session: Session, claim: Claim, rows: Sequence[Any]) -> None:
    if early := [row.delivery_id for row in rows if row.is_early]:
        await _run(session, _PUT_ASIDE_EARLY, claim, deliveries=early)
    if behind := [row for row in rows if not row.is_early]:
        await _run(
            session,
            _PUT_ASIDE_BEHIND,
            claim,
            accounts=[row.account_id for row in behind],
            subjects=[row.subject for row in behind],
            deliveries=[row.delivery_id for row in behind],
        )


async def _run(session: Session, statement: TextClause, claim: Claim, **values: Any) -> Any:
    return await session.execute(statement, {"endpoint_id": claim.endpoint_id, **values})


async def next_due(session: Session, endpoint_id: str, *, now: datetime) -> datetime | None:
    """Return when the endpoint can be served again: now, at the next retry, or after its pause or another's claim.

    Returns None if nothing waits, or while the endpoint is disabled or deleted.
    """
    claimed_until = case((_is_claimed(), _endpoints.c.claimed_until))
    query = select(_due_at(now), _endpoints.c.rests_until, claimed_until).where(
        _endpoints.c.endpoint_id == endpoint_id, is_active()
    )
    row = (await session.execute(query)).one_or_none()
    if row is None or row[0] is None:
        return None
    times: list[datetime] = [at for at in row if at is not None]
    return max(times)


async def list_due_endpoints(session: Session, *, limit: int, now: datetime) -> list[str]:
    """Return endpoints that can be served now and have no job, those that were served longest ago first."""
    query = (
        select(_endpoints.c.endpoint_id)
        .where(is_active(), ~_is_claimed(), text(_NO_JOB), _due_at(now) <= now)
        .where(_endpoints.c.rests_until.is_(None) | (_endpoints.c.rests_until <= now))
        .order_by(_endpoints.c.claimed_until.nulls_first())
        .limit(limit)
    )
    return list((await session.execute(query)).scalars())


def _due_at(now: datetime) -> ColumnElement[datetime | None]:
    """Return the time at which an endpoint has something to post; after a pause, each retry is due."""
    at_endpoint = select(_d.c.due_at).where(_d.c.endpoint_id == _endpoints.c.endpoint_id)
    retries = at_endpoint.where(text(_RETRY))
    tried_before = case(
        (_endpoints.c.rests_until.is_not(None), literal_column("'infinity'")),
        else_=_endpoints.c.hurried_at,
    )
    return case(
        (at_endpoint.where(text(_READY)).exists(), now),
        (retries.where(_d.c.last_attempt_at < tried_before).exists(), now),
        else_=retries.order_by(_d.c.due_at).limit(1).scalar_subquery(),
    )


def _is_claimed() -> ColumnElement[bool]:
    until = _endpoints.c.claimed_until
    return until.is_not(None) & (until >= func.clock_timestamp())
