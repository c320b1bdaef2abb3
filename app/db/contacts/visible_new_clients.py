"""New-client rows as they may be shown to an audience.

Where everybody is shown, they are read as `new_clients` reads them.
"""

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import Row, Select, select

from app.db.contacts import new_clients, tables
from app.db.contacts.new_clients import (
    NewClient,
    NewClientFilter,
    NewClientNotFound,
    new_client_of,
)
from app.db.contacts.seen_rows import duplicate_seen, new_client_seen, reasons_seen
from app.db.list_pages import Listed, ListPage, matching, read_page
from app.db.mirror.audience import Audience
from app.db.session import Session, any_of

_table = tables.new_clients


async def list_new_clients(
    session: Session,
    account_id: str,
    audience: Audience,
    wanted: NewClientFilter,
    page: ListPage,
) -> Listed[NewClient]:
    """Return a page of the rows."""
    if audience.login is None:
        return await new_clients.list_new_clients(session, account_id, wanted, page)
    query = _seen(account_id, audience).where(*matching(_table, wanted))
    return (await read_page(session, query, new_clients.SORTED_BY, page)).of(_limited)


async def find_new_client(
    session: Session, account_id: str, audience: Audience, clio_id: int
) -> NewClient | None:
    """Return the row of a Clio contact, or None."""
    if audience.login is None:
        return await new_clients.find_new_client(session, account_id, clio_id)
    query = _seen(account_id, audience).where(_table.c.clio_id == clio_id)
    row = (await session.execute(query)).one_or_none()
    return _limited(row) if row else None


async def find_by_clio_ids(
    session: Session, account_id: str, audience: Audience, clio_ids: Collection[int]
) -> dict[int, NewClient]:
    """Return the rows of these Clio contacts, by Clio id."""
    if audience.login is None:
        return await new_clients.find_by_clio_ids(session, account_id, clio_ids)
    query = _seen(account_id, audience).where(any_of(_table.c.clio_id, clio_ids))
    return {row.clio_id: _limited(row) for row in await session.execute(query)}


async def check_seen(
    session: Session, account_id: str, audience: Audience, new_client_id: str
) -> None:
    """Raise NewClientNotFound if there is no such row for the audience."""
    if audience.login is not None:
        await get_new_client(session, account_id, audience, new_client_id)


async def get_new_client(
    session: Session, account_id: str, audience: Audience, new_client_id: str
) -> NewClient:
    """Return the row, locked until the transaction ends; raises NewClientNotFound."""
    if audience.login is None:
        return await new_clients.lock_new_client(session, account_id, new_client_id)
    query = _seen(account_id, audience).where(_table.c.new_client_id == new_client_id)
    row = (await session.execute(query.with_for_update(of=_table))).one_or_none()
    if row is None:
        raise NewClientNotFound
    return _limited(row)


def _seen(account_id: str, audience: Audience) -> Select[tuple[object, ...]]:
    """Return the query of the rows, with whether their reasons and the possible duplicate may be shown."""
    return (
        select(
            _table,
            duplicate_seen(account_id, audience).label("sees_duplicate"),
            *[each.label("sees_matter") for each in reasons_seen(account_id, audience)],
        )
        .where(_table.c.account_id == account_id)
        .where(*new_client_seen(account_id, audience))
    )


def _limited(row: Row[tuple[object, ...]]) -> NewClient:
    """Return the row without what comes from matters and people whom the audience does not see."""
    found = replace(new_client_of(row), merged_into=None)
    if not row.sees_duplicate:
        found = replace(found, possible_duplicate_of=None)
    return found if row.sees_matter else replace(found, client_since=None, has_open_matter=False)
