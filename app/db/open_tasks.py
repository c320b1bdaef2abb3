"""Counts what waits for a person in an account: decisions, blocked activities, attorneys without a user."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, func, select

from app.db.accounts import attorneys
from app.db.contacts import tables as contact_tables
from app.db.contacts.holds import HoldKind, HoldStatus
from app.db.outbox import tables as outbox_tables
from app.db.outbox.activities import Status
from app.db.session import Session

_holds, _items = contact_tables.holds, contact_tables.hold_items
_activities = outbox_tables.activities


@dataclass(frozen=True)
class OpenTasks:
    """The numbers of people who wait in holds, of blocked activities, and of attorneys without a user.

    `to_review` says whether a first publication waits; its people do not count as held.
    """

    held: int
    to_review: bool
    blocked: int
    unmapped: int


NO_TASKS = OpenTasks(held=0, to_review=False, blocked=0, unmapped=0)


async def count_open_tasks(session: Session, account_id: str) -> OpenTasks:
    """Return what waits for a person in an account."""
    own_items = (_items.c.account_id == _holds.c.account_id) & (
        _items.c.hold_id == _holds.c.hold_id
    )
    held = (
        select(func.count(_items.c.clio_id))
        .join_from(_holds, _items, own_items)
        .where(_open(account_id), _holds.c.kind != HoldKind.FIRST_PUBLICATION)
    )
    review = exists().where(_open(account_id), _holds.c.kind == HoldKind.FIRST_PUBLICATION)
    blocked = (
        select(func.count())
        .select_from(_activities)
        .where(_activities.c.account_id == account_id, _activities.c.status == Status.BLOCKED)
    )
    every = (held.scalar_subquery(), review, blocked.scalar_subquery())
    waiting, to_review, n_blocked = (await session.execute(select(*every))).one()
    unmapped = await attorneys.count_unmapped(session, account_id)
    return OpenTasks(waiting, to_review, n_blocked, unmapped)


def _open(account_id: str) -> ColumnElement[bool]:
    return (_holds.c.account_id == account_id) & (_holds.c.status == HoldStatus.OPEN)


async def count_blocked_by_user(session: Session, account_id: str) -> dict[str, int]:
    """Return how many activities are blocked, by the user who did them."""
    own = (_activities.c.account_id == account_id) & (_activities.c.status == Status.BLOCKED)
    counted = select(_activities.c.user_id, func.count()).where(own).group_by(_activities.c.user_id)
    return {row[0]: row[1] for row in await session.execute(counted)}
