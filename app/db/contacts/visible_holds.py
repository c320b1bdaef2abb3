"""Holds as they may be shown to an audience: how many people whom it sees wait in them, and who these are."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, exists, func, select

from app.db.contacts import tables
from app.db.contacts.holds import HoldKind
from app.db.contacts.seen_rows import new_client_seen
from app.db.mirror.audience import Audience
from app.db.session import Session, any_of

_table = tables.holds
_items = tables.hold_items
_rows = tables.new_clients


def item_seen(account_id: str, audience: Audience) -> list[ColumnElement[bool]]:
    """Return the conditions that an item may be shown: the audience sees the person.

    Of a hold of new clients it must also be shown the new-client row.
    """
    if audience.login is None:
        return []
    waits_as_client = exists().where(
        *(_table.c.account_id == account_id, _table.c.hold_id == _items.c.hold_id),
        _table.c.kind == HoldKind.NEW_CLIENTS,
    )
    client_seen = exists().where(
        *(_rows.c.account_id == account_id, _rows.c.clio_id == _items.c.clio_id),
        *new_client_seen(account_id, audience),
    )
    person = audience.limited_to("contacts", account_id, _items.c.clio_id)
    return [*person, ~waits_as_client | client_seen]


async def count_items(
    session: Session, account_id: str, audience: Audience, hold_ids: Collection[str]
) -> dict[str, int]:
    """Return how many people whom the audience sees wait in each of these holds."""
    rows = await session.execute(
        select(_items.c.hold_id, func.count().label("n"))
        .where(_items.c.account_id == account_id, any_of(_items.c.hold_id, hold_ids))
        .where(*item_seen(account_id, audience))
        .group_by(_items.c.hold_id)
    )
    return {**dict.fromkeys(hold_ids, 0), **{row.hold_id: row.n for row in rows}}


async def list_items(
    session: Session, account_id: str, audience: Audience, hold_id: str, *, after: int, limit: int
) -> list[int]:
    """Return the Clio ids of the hold's next contacts, in order."""
    rows = await session.execute(
        select(_items.c.clio_id)
        .where(_items.c.account_id == account_id, _items.c.hold_id == hold_id)
        .where(_items.c.clio_id > after, *item_seen(account_id, audience))
        .order_by(_items.c.clio_id)
        .limit(limit)
    )
    return list(rows.scalars())


async def list_contacts(
    session: Session, account_id: str, audience: Audience, hold_ids: Collection[str], *, limit: int
) -> dict[str, list[int]]:
    """Return the first contacts of each hold, by Clio id."""
    nth = func.row_number().over(partition_by=_items.c.hold_id, order_by=_items.c.clio_id)
    ranked = (
        select(_items.c.hold_id, _items.c.clio_id, nth.label("nth"))
        .where(_items.c.account_id == account_id, any_of(_items.c.hold_id, hold_ids))
        .where(*item_seen(account_id, audience))
        .subquery()
    )
    rows = await session.execute(
        select(ranked).where(ranked.c.nth <= limit).order_by(ranked.c.hold_id, ranked.c.nth)
    )
    found: dict[str, list[int]] = {hold_id: [] for hold_id in hold_ids}
    for row in rows:
        found[row.hold_id].append(row.clio_id)
    return found
