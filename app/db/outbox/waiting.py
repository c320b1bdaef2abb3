"""The activities that wait to be sent to Clio: which contact is next, and when the next one is due.

Only the first activity that waits at a contact can be sent. It must be due, and no worker may have the contact's lease.
The contact's row says from when (`activity_turns.ready_at`), so nothing here reads activities.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from app.db.session import Session

# The condition that the first activity of a contact's row `t` can be sent.
CAN_BE_SENT = (
    "t.ready_at <= :now and (t.leased_until is null or t.leased_until <= clock_timestamp())"
)


@dataclass(frozen=True)
class WaitingContact:
    """A contact whose first activity can be sent, and the user who did that activity."""

    clio_contact_id: int
    user_id: str


async def find_contact(
    session: Session,
    account_id: str,
    *,
    except_users: Collection[str],
    except_contacts: Collection[int],
    now: datetime,
) -> WaitingContact | None:
    """Return a contact of an enabled account whose first activity can be sent, the one that could be for longest.

    Not one of these contacts, and no activity of these users.
    """
    named = {
        "account": account_id,
        "users": list(except_users),
        "contacts": list(except_contacts),
        "now": now,
    }
    row = (await session.execute(_NEXT, named)).one_or_none()
    return None if row is None else WaitingContact(row.clio_contact_id, row.user_id)


async def next_due(
    session: Session, account_id: str, *, closed: Mapping[str, datetime], now: datetime
) -> datetime | None:
    """Return when the next activity of the account can be sent, None if none waits; a moment that is past means now.

    `closed` says until when the users' logins have no request left.
    """
    named = {"account": account_id, "now": now, "contacts": []}
    if (await session.execute(_NEXT, {**named, "users": list(closed)})).one_or_none():
        return now
    times = [until for user_id, until in closed.items() if await _waits(session, named, user_id)]
    row = (await session.execute(_LATER, {"account": account_id, "now": now})).one()
    if row.due_at is not None:
        times.append(row.due_at)
    if row.leased_for is not None:
        times.append(now + max(row.leased_for, timedelta(0)))
    return min(times, default=None)


async def _waits(session: Session, named: Mapping[str, object], user_id: str) -> bool:
    """Return whether an activity of the user can be sent."""
    found = await session.execute(_OF_USER, {**named, "user": user_id})
    return found.one_or_none() is not None


# An index finds the users with waiting activities one by one, and of each only the first contact that is ready.
_FIRST_OF_USER = (
    "select t.clio_contact_id, t.first_user_id as user_id, t.ready_at from activity_turns t"  # noqa: S608  # our own text
    " where t.account_id = :account and t.first_user_id = {user}"
    f" and t.clio_contact_id <> all(cast(:contacts as bigint[])) and {CAN_BE_SENT}"
    " order by t.ready_at, t.clio_contact_id limit 1"
)
_OF_USER = text(_FIRST_OF_USER.format(user=":user"))
_FIRST_USER = (
    "select first_user_id from activity_turns where account_id = :account and ready_at is not null"
)
_NEXT = text(
    "with recursive users as (("  # noqa: S608  # our own text
    f" {_FIRST_USER} order by first_user_id limit 1)"
    " union all"
    f" select ({_FIRST_USER} and first_user_id > users.first_user_id order by first_user_id limit 1)"
    "  from users where users.first_user_id is not null)"
    " select first.clio_contact_id, first.user_id from users"
    f" cross join lateral ({_FIRST_OF_USER.format(user='users.first_user_id')}) first"
    " where users.first_user_id <> all(cast(:users as text[]))"
    " and exists (select from accounts where account_id = :account and enabled)"
    " order by first.ready_at, first.clio_contact_id limit 1"
)
_LATER = text(
    "select (select min(ready_at) from activity_turns where account_id = :account and ready_at > :now) as due_at,"
    " (select min(t.leased_until) - clock_timestamp() from activity_turns t where t.account_id = :account"
    "  and t.leased_until > clock_timestamp() and t.ready_at is not null) as leased_for"
)
