"""Looks: the times at which the regular tasks must look at an account again, one for each task.

A task reads by an index what is due, decides, and puts the accounts off until their next times. Whoever changes a fact
that a task must see soon calls `look_now` in the same transaction. No account is put off for longer than `AT_MOST`:
that finds what was not noted, for example by the previous release, after a change of the configured slots, or after
the system clock was set back. What a task does when it looks is not here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import text, update

from app.db.accounts import tables
from app.db.session import Session

_table = tables.accounts

AT_MOST = timedelta(hours=1)


class Task(StrEnum):
    """A regular task; the value is the column that says when it must look at the account."""

    SLOTS = "slot_due_at"
    HEALTH = "health_due_at"
    OUTBOX = "outbox_due_at"


@dataclass(frozen=True)
class Look:
    """An account at which a task must look now, with the time that is stored for it."""

    account_id: str
    due_at: datetime


async def list_due(session: Session, task: Task, *, now: datetime, limit: int) -> list[Look]:
    """Return accounts at which the task must look now, the longest due first, at most `limit`.

    A time that is too far ahead comes from a clock that was set back, and counts as due.
    """
    due = (
        f"(select account_id, {task} from accounts where {task} <= :now order by {task} limit :limit)"  # noqa: S608  # our own names
        f" union all"
        f" (select account_id, {task} from accounts where {task} > :latest order by {task} limit :limit)"
        f" limit :limit"
    )
    rows = await session.execute(text(due), {"now": now, "latest": now + AT_MOST, "limit": limit})
    return [Look(*row) for row in rows]


async def put_off(
    session: Session, task: Task, next_times: Mapping[Look, datetime], *, now: datetime
) -> None:
    """Store when the task must look at these accounts again, at the latest after `AT_MOST`.

    Those that are put off together for that long come back one after another, in the second half of that time. An
    account whose time has changed since it was read stays as it is, and so does one that somebody else has locked: then
    the next tick looks again.
    """
    if not next_times:
        return
    put = (
        f"update accounts a set {task} = next.at from ("  # noqa: S608  # our own names
        f"  select account_id, wanted.at from accounts join unnest(cast(:accounts as text[]),"
        f"   cast(:seen as timestamptz[]), cast(:times as timestamptz[])) wanted (account, seen, at)"
        f"   on account_id = wanted.account and {task} = wanted.seen"
        f"  order by account_id for no key update of accounts skip locked) next"
        f" where a.account_id = next.account_id"
    )
    looks, step = list(next_times), AT_MOST / 2 / len(next_times)
    latest = [now + AT_MOST - nth * step for nth in range(len(looks))]
    values = {
        "accounts": [look.account_id for look in looks],
        "seen": [look.due_at for look in looks],
        "times": [min(next_times[look], last) for look, last in zip(looks, latest, strict=True)],
    }
    await session.execute(text(put), values)


async def look_now(session: Session, task: Task, account_id: str, *, now: datetime) -> None:
    """Make the task look at the account in its next tick. Does nothing if the account is due already."""
    column = _table.c[task]
    later = (_table.c.account_id == account_id) & (column > now)
    await session.execute(update(_table).where(later).values({task.value: now}))
