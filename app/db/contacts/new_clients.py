"""New-client rows: one row per account and Clio contact, for ever [NC-1].

Nothing writes a second row. Only the erasure of the person deletes a row; the suppression list then prevents a new
one. The ids of a row and of its event follow from account and contact.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Row, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT

from app.db.bulk import BulkInsert, array_text
from app.db.contacts import tables
from app.db.ids import derived_id
from app.db.list_pages import Listed, ListPage, SortedBy, matching, read_page
from app.db.session import Session, any_of, look_up
from app.errors import AppError
from app.rules.new_clients import HeldFor, Status
from app.rules.settings import InitialSync

_table = tables.new_clients
SORTED_BY = SortedBy(_table.c.new_client_id, _table.c.created_at, chronological=False)


class NewClientNotFound(AppError):
    """The account has no such new client."""

    status = 404
    code = "new_client_not_found"
    title = "There is no such new client in this account"
    next_step = "GET …/new-clients lists them"


class NewClientNotHeld(AppError):
    """Only a held new client can be released or suppressed."""

    status = 409
    code = "new_client_not_held"
    title = "This new client is not held"
    next_step = "to announce it again on purpose, use replay"


class NewClientHeld(AppError):
    """A held new client was never announced, so it cannot be replayed."""

    status = 409
    code = "new_client_held"
    title = "This new client is held"
    next_step = "release it instead"


@dataclass(frozen=True)
class NewClientFilter:
    """The rows that a list shows; None does not filter."""

    status: str | None = None
    origin: str | None = None
    run_id: str | None = None


@dataclass(frozen=True)
class NewClient:
    """A row: the person was recognised as a client, once and for all [NC-1, NC-2].

    `joined_to` is the Clio id of the client whom this one replaced, or may have replaced while it is held for that;
    `merged_into`, on that other row, is the id of the contact that it became [S6]. `first_sync` is what the release of
    the first publication chose for it, None if nothing.
    """

    clio_id: int
    new_client_id: str
    contact_id: str
    status: Status
    held_for: HeldFor | None
    origin: str
    basis: str
    client_since: date | None
    has_open_matter: bool
    run_id: str
    email_digest: bytes | None
    name_digest: bytes | None
    possible_duplicate_of: str | None
    matter_ids: tuple[int, ...]
    joined_to: int | None
    merged_into: str | None
    first_sync: InitialSync | None
    event_ids: tuple[str, ...]
    created_at: datetime
    emitted_at: datetime | None


_COLUMNS = tuple(NewClient.__dataclass_fields__)
_THESE = look_up(
    select(_table).where(_table.c.account_id == bindparam("account")), _table.c.clio_id, "ids"
)
_ROWS = BulkInsert(_table, _COLUMNS)
_INSERT = _ROWS.insert.on_conflict_do_nothing().returning(_table.c.clio_id)


def new_client_id_of(account_id: str, clio_id: int) -> str:
    """Return the id of a contact's row; it never changes."""
    return derived_id("ncl", account_id, clio_id)


async def find_by_clio_ids(
    session: Session, account_id: str, clio_ids: Collection[int]
) -> dict[int, NewClient]:
    """Return the rows of these Clio contacts, by Clio id."""
    rows = await session.execute(_THESE, {"account": account_id, "ids": list(clio_ids)})
    return {row.clio_id: new_client_of(row) for row in rows}


async def insert_rows(
    session: Session, account_id: str, rows: Sequence[NewClient]
) -> list[NewClient]:
    """Insert rows for contacts that have none; return the rows that were inserted."""
    if not rows:
        return []
    stored = [_stored(row) for row in rows]
    written = await session.execute(_INSERT, _ROWS.parameters(stored, account_id=account_id))
    new = set(written.scalars())
    return [row for row in rows if row.clio_id in new]


async def store_matters(
    session: Session, account_id: str, matters: Mapping[int, Collection[int]]
) -> None:
    """Store the matters that these contacts were ever the client of."""
    if not matters:
        return
    statement = (
        update(_table)
        .where(_table.c.account_id == account_id, _table.c.clio_id == bindparam("contact"))
        .values(matter_ids=bindparam("ids", type_=ARRAY(BIGINT)))
    )
    found = [{"contact": key, "ids": sorted(ids)} for key, ids in sorted(matters.items())]
    await session.execute(statement, found)


async def store_names(session: Session, account_id: str, names: Mapping[int, bytes | None]) -> None:
    """Store the digests of the names that these clients have now."""
    if not names:
        return
    statement = (
        update(_table)
        .where(_table.c.account_id == account_id, _table.c.clio_id == bindparam("contact"))
        .values(name_digest=bindparam("digest"))
    )
    found = [{"contact": key, "digest": digest} for key, digest in sorted(names.items())]
    await session.execute(statement, found)


async def set_held_for(
    session: Session, account_id: str, clio_ids: Collection[int], held_for: HeldFor
) -> None:
    """Change the reason for which these rows are held."""
    await _set(session, account_id, clio_ids, held_for=held_for)


async def suppress(session: Session, account_id: str, clio_ids: Collection[int]) -> None:
    """Mark rows as suppressed: they will not be announced."""
    await _set(session, account_id, clio_ids, status=Status.SUPPRESSED, held_for=None)


async def store_decision(
    session: Session, account_id: str, clio_id: int, values: Mapping[str, Any]
) -> None:
    """Store what was decided about a row that waited, or about the one that it may have replaced."""
    await _set(session, account_id, [clio_id], **values)


async def delete_row(session: Session, account_id: str, row: NewClient) -> None:
    """Delete the row of an erased person and the links to it in other rows."""
    own = _table.c.account_id == account_id
    pointing: tuple[tuple[Column[Any], object], ...] = (
        (_table.c.possible_duplicate_of, row.new_client_id),
        (_table.c.joined_to, row.clio_id),
        (_table.c.merged_into, row.contact_id),
    )
    for column, value in pointing:
        await session.execute(update(_table).where(own, column == value).values({column: None}))
    await session.execute(delete(_table).where(own, _table.c.clio_id == row.clio_id))


async def lock_held(
    session: Session,
    account_id: str,
    held_for: HeldFor,
    *,
    after: int = 0,
    limit: int | None = None,
) -> list[NewClient]:
    """Return and lock the rows held for this reason, by Clio id; only those after an id, or `limit` of them."""
    query = (
        select(_table)
        .where(_table.c.account_id == account_id, _table.c.status == Status.HELD)
        .where(_table.c.held_for == held_for)
        .where(_table.c.clio_id > after)
        .order_by(_table.c.clio_id)
        .limit(limit)
        .with_for_update()
    )
    return [new_client_of(row) for row in await session.execute(query)]


async def lock_waiting(
    session: Session, account_id: str, clio_ids: Collection[int]
) -> list[NewClient]:
    """Lock the rows of these Clio contacts, and return those that are held, by Clio id."""
    query = (
        select(_table)
        .where(_table.c.account_id == account_id, any_of(_table.c.clio_id, clio_ids))
        .order_by(_table.c.clio_id)
        .with_for_update()
    )
    rows = [new_client_of(row) for row in await session.execute(query)]
    return [row for row in rows if row.status is Status.HELD]


async def list_new_clients(
    session: Session, account_id: str, wanted: NewClientFilter, page: ListPage
) -> Listed[NewClient]:
    """Return a page of the rows."""
    query = select(_table).where(_table.c.account_id == account_id, *matching(_table, wanted))
    return (await read_page(session, query, SORTED_BY, page)).of(new_client_of)


async def find_new_client(
    session: Session, account_id: str, clio_id: int, *, lock: bool = False
) -> NewClient | None:
    """Return the row of a Clio contact, or None; with `lock` nobody else changes it until the transaction ends."""
    query = select(_table).where(_table.c.account_id == account_id, _table.c.clio_id == clio_id)
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    return new_client_of(row) if row else None


async def lock_new_client(session: Session, account_id: str, new_client_id: str) -> NewClient:
    """Return the row and lock it until the transaction ends; raises NewClientNotFound."""
    query = select(_table).where(
        _table.c.account_id == account_id, _table.c.new_client_id == new_client_id
    )
    row = (await session.execute(query.with_for_update())).one_or_none()
    if row is None:
        raise NewClientNotFound
    return new_client_of(row)


async def _set(session: Session, account_id: str, clio_ids: Collection[int], **values: Any) -> None:
    await session.execute(
        update(_table)
        .where(_table.c.account_id == account_id, any_of(_table.c.clio_id, clio_ids))
        .values(values)
    )


def _stored(row: NewClient) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in _COLUMNS}
    arrays = {
        "matter_ids": array_text(row.matter_ids),
        "event_ids": array_text(row.event_ids),
    }
    return values | arrays


def new_client_of(row: Row[Any]) -> NewClient:
    """Return the new client of a row."""
    values = {name: row._mapping[name] for name in NewClient.__dataclass_fields__}
    found = NewClient(**values)
    return replace(
        found,
        status=Status(found.status),
        held_for=HeldFor(found.held_for) if found.held_for else None,
        first_sync=InitialSync(found.first_sync) if found.first_sync else None,
        matter_ids=tuple(found.matter_ids),
        event_ids=tuple(found.event_ids),
    )
