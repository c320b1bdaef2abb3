"""Slots: the local dates and times at which runs of an account are due [OV-3, row 44].

The row of a slot is made when the slot is due, and lets it start one run, however many processes propose it. A slot is
open until a run of it has succeeded, a person has cancelled that run, the account is switched off, or the next slot is
due. While a slot is open, `start_at` is the time from which a run may be started for it; it is null while the slot has
a run that has not ended. So a slot whose run fails, or for which no login works, is not lost. While no login works,
`start_at` is moved on hour by hour, and connecting one brings it back.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.db import issues
from app.db.accounts import tables as account_tables
from app.db.accounts.accounts import lock_account
from app.db.connections import tables as connection_tables
from app.db.runs import tables
from app.db.runs.run_requests import serve_slot
from app.db.runs.runs import UNFINISHED, Kind, Run, Status
from app.db.session import Session, any_of

_table = tables.slots
_runs = tables.runs

FULL_EVERY = timedelta(days=7) - timedelta(
    hours=6
)  # a week, minus the time by which a slot may be early
# The pauses after a failed run: after the first one, the second one, and so on; the last pause repeats.
PAUSES = [timedelta(minutes=minutes) for minutes in (5, 15, 45, 60)]

# After so long an open slot is looked at again that waits for a login: the previous release does not start it.
LOOK_FOR_LOGIN = timedelta(hours=1)


@dataclass(frozen=True)
class Slot:
    """A local date and time at which an account's run is due, once."""

    local_date: date
    label: str
    due_at: datetime


async def claim(session: Session, account_id: str, slot: Slot, *, now: datetime) -> bool:
    """Store a slot that is due, in the place of the one before; return False if it or a newer one is stored already."""
    await lock_account(session, account_id)
    own = _table.c.account_id == account_id
    newest = select(func.max(_table.c.due_at)).where(own)
    known = (await session.execute(newest)).scalar_one()
    if known is not None and known >= slot.due_at:
        return False
    row = {"account_id": account_id, "local_date": slot.local_date, "slot": slot.label}
    added = await session.execute(
        insert(_table)
        .values(**row, run_id="", due_at=slot.due_at, start_at=now)
        .on_conflict_do_nothing()
        .returning(_table.c.slot)
    )
    is_new = added.one_or_none() is not None
    if not is_new:  # the previous release stored it, without the time
        untimed = _is(account_id, slot) & _table.c.due_at.is_(None)
        await session.execute(update(_table).where(untimed).values(due_at=slot.due_at))
    older = own & ~_is(account_id, slot) & _table.c.closed_at.is_(None)
    await session.execute(update(_table).where(older).values(closed_at=now))
    return is_new


async def list_startable(session: Session, *, now: datetime, limit: int) -> list[tuple[str, Slot]]:
    """Return open slots for which a run can be started, each with its account, the longest startable first.

    Those that wait for a login are put off first, so that nobody reads them in each tick: `start_waiting` starts them.
    """
    await _put_off_waiting(session, now=now, limit=limit)
    columns = (_table.c.account_id, _table.c.local_date, _table.c.slot, _table.c.due_at)
    rows = await session.execute(
        select(*columns).where(_can_start(now)).order_by(_table.c.start_at).limit(limit)
    )
    return [(row.account_id, Slot(row.local_date, row.slot, row.due_at)) for row in rows]


async def _put_off_waiting(session: Session, *, now: datetime, limit: int) -> None:
    """Put off the open slots that could start now, but whose account is off or has no login that works."""
    waiting = text(
        "with waiting as (select account_id, local_date, slot from slots s"
        "  where closed_at is null and start_at <= :now and not exists (select from connections c"
        "   join accounts a on a.account_id = c.account_id and a.enabled"
        "   where c.account_id = s.account_id and c.status = 'connected')"
        "  order by start_at limit :limit for update skip locked)"
        " update slots s set start_at = :later from waiting w"
        " where s.account_id = w.account_id and s.local_date = w.local_date and s.slot = w.slot"
    )
    values = {"now": now, "later": now + LOOK_FOR_LOGIN, "limit": limit}
    await session.execute(waiting, values)


async def start_waiting(session: Session, account_id: str, *, now: datetime) -> None:
    """Let the account's open slot start now if it has waited for the login that works since this transaction."""
    working = select(func.count()).where(_is_working_login(account_id)).scalar_subquery()
    waits = (_table.c.account_id == account_id) & _table.c.closed_at.is_(None)
    await session.execute(
        update(_table)
        .where(waits, _table.c.start_at.is_not(None), working == 1)
        .values(start_at=func.least(_table.c.start_at, now))
    )


async def start(session: Session, account_id: str, slot: Slot, *, now: datetime) -> Run | None:
    """Request the run of an open slot and return it; None if no run can be started for it, or no longer."""
    await lock_account(session, account_id)
    startable = select(_table.c.slot).where(_is(account_id, slot), _can_start(now))
    if (await session.execute(startable.with_for_update(of=_table))).one_or_none() is None:
        return None
    kind = await _scheduled_kind(session, account_id, now=now)
    label = f"{slot.local_date} {slot.label}"
    run = await serve_slot(session, account_id, kind, label, now=now)
    taken = {"run_id": run.run_id, "start_at": None}
    await session.execute(update(_table).where(_is(account_id, slot)).values(taken))
    return run


async def settle(session: Session, account_ids: Collection[str]) -> None:
    """Close the open slots of these accounts whose run succeeded or was cancelled; let the others start again.

    After a failed run a slot starts again after the pause that follows from the number of failures; where all logins
    need reconnecting, as soon as one is connected. It waits for nobody: a slot that another transaction changes is left
    out.
    """
    settled = text(
        "with ended as ("
        "  select s.account_id, s.local_date, s.slot, r.finished_at, r.status = 'failed' as failed,"
        "  r.problems <> '[]' and not exists (select from jsonb_array_elements(r.problems) p"
        "   where p ->> 'code' <> 'needs_reconnect') as waits_for_login"
        "  from slots s join runs r on r.account_id = s.account_id and r.run_id = s.run_id"
        "  where s.account_id = any(:accounts) and s.closed_at is null and s.start_at is null"
        "  and r.finished_at is not null for update of s skip locked)"
        " update slots s set failures = s.failures + failed::int,"
        "  closed_at = case when failed then null else finished_at end,"
        "  start_at = case when failed and waits_for_login then finished_at when failed then finished_at"
        "   + (cast(:pauses as interval[]))[least(s.failures + 1, cardinality(cast(:pauses as interval[])))] end"
        " from ended e where s.account_id = e.account_id and s.local_date = e.local_date and s.slot = e.slot"
    )
    await session.execute(settled, {"accounts": list(account_ids), "pauses": PAUSES})


async def close_open(session: Session, account_id: str, *, now: datetime) -> None:
    """Close the account's open slot, because the account is switched off."""
    still_open = (_table.c.account_id == account_id) & _table.c.closed_at.is_(None)
    await session.execute(update(_table).where(still_open).values(closed_at=now))


async def oldest_unserved(
    session: Session, *, only: Collection[str] | None = None
) -> datetime | None:
    """Return since when the oldest open slot of all accounts, or of those in `only`, is due; None if there is none.

    Slots of accounts without a working login do not count: they wait for a user, not for the service.
    """
    unserved = select(_table.c.due_at).where(_table.c.closed_at.is_(None), _has_login())
    if only is not None:
        unserved = unserved.where(any_of(_table.c.account_id, only))
    oldest = unserved.order_by(_table.c.due_at).limit(1)
    due_at: datetime | None = (await session.execute(oldest)).scalar_one_or_none()
    return due_at


def _is(account_id: str, slot: Slot) -> ColumnElement[bool]:
    own_date = (_table.c.account_id == account_id) & (_table.c.local_date == slot.local_date)
    return own_date & (_table.c.slot == slot.label)


def _can_start(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a slot is open, its run may start now, and the account is on and has a login [EN-1]."""
    accounts = account_tables.accounts.c
    is_on = exists().where(accounts.account_id == _table.c.account_id, accounts.enabled)
    return _table.c.closed_at.is_(None) & (_table.c.start_at <= now) & is_on & _has_login()


def _has_login() -> ColumnElement[bool]:
    return exists().where(_is_working_login(_table.c.account_id))


def _is_working_login(account_id: str | ColumnElement[str]) -> ColumnElement[bool]:
    logins = connection_tables.connections.c
    return (logins.account_id == account_id) & (logins.status == "connected")


async def _scheduled_kind(session: Session, account_id: str, *, now: datetime) -> Kind:
    """Return `full` once a week and while a list was suspiciously short, else `incremental` [OV-4].

    A full run that has not ended counts: the slot's run waits for it.
    """
    within_week = (_runs.c.status == Status.SUCCEEDED) & (_runs.c.started_at > now - FULL_EVERY)
    recent = select(_runs.c.run_id).where(
        _runs.c.account_id == account_id,
        _runs.c.kind.in_((Kind.INITIAL, Kind.FULL)),
        within_week | _runs.c.status.in_(UNFINISHED),
    )
    if (await session.execute(recent.limit(1))).one_or_none() is None:
        return Kind.FULL
    shrunk = await issues.list_open(session, account_id, ["listing_shrank"])
    return Kind.FULL if shrunk else Kind.INCREMENTAL
