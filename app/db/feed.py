"""The change feed and the ledger of new clients: what was told to Levitate, in order, for ever.

A line's `seq` is taken from the account's row, which stays locked until the transaction commits: within an
account the order of `seq` is the order of commit, and a reader never misses a line that commits late [S13].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import DateTime, cast, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.db import tables
from app.db.ids import derived_id
from app.db.session import Session, among
from app.rules.verdicts import Client

_changes = tables.changes
_ledger = tables.new_clients


@dataclass(frozen=True)
class Line:
    """A change to be told; `body` is what the reader gets, but for its `seq`."""

    contact_id: str
    body: dict[str, Any]


@dataclass(frozen=True)
class NewClient:
    """A ledger row: a person was recognised as a client, once and for all [NC-1, NC-2]."""

    new_client_id: str
    clio_id: int
    contact_id: str
    status: str
    origin: str
    basis: str
    client_since: date | None
    has_open_matter: bool
    run_id: str
    created_at: datetime


async def append(session: Session, account_id: str, lines: Sequence[Line]) -> None:
    """Append lines, numbered in the order given."""
    if not lines:
        return
    accounts = tables.accounts
    last = (
        await session.execute(
            update(accounts)
            .where(accounts.c.account_id == account_id)
            .values(feed_seq=accounts.c.feed_seq + len(lines))
            .returning(accounts.c.feed_seq)
        )
    ).scalar_one()
    first = last - len(lines) + 1
    rows = [
        {"account_id": account_id, "seq": seq, "contact_id": line.contact_id, "body": line.body}
        for seq, line in enumerate(lines, start=first)
    ]
    await session.execute(insert(_changes), rows)


async def read(
    session: Session, account_id: str, *, after: int, limit: int
) -> tuple[str, int, int]:
    """The lines after a position: as one JSON array made by the database, its length, the last seq."""
    row = (
        await session.execute(
            text(
                "select coalesce(json_agg(json_build_object('seq', seq)::jsonb || body order by seq), '[]')"
                "::text as lines, count(*) as n, coalesce(max(seq), :after) as last from ("
                "  select seq, body from changes where account_id = :account and seq > :after"
                "  order by seq limit :limit) as page"
            ),
            {"account": account_id, "after": after, "limit": limit},
        )
    ).one()
    return row.lines, row.n, row.last


async def read_contact(
    session: Session, account_id: str, contact_id: str, *, after: int, limit: int
) -> list[tuple[int, dict[str, Any]]]:
    """The lines of one contact after a position, oldest first, each with its seq [S12]."""
    rows = await session.execute(
        select(_changes.c.seq, _changes.c.body)
        .where(_changes.c.account_id == account_id, _changes.c.contact_id == contact_id)
        .where(_changes.c.seq > after)
        .order_by(_changes.c.seq)
        .limit(limit)
    )
    return [(row.seq, row.body) for row in rows]


async def find_as_of(
    session: Session, account_id: str, contact_id: str, moment: datetime
) -> dict[str, Any] | None:
    """The newest line of one contact at a moment, None when there was none yet [S12]."""
    told_at = cast(_changes.c.body["at"].as_string(), DateTime(timezone=True))
    line = (
        select(_changes.c.body)
        .where(_changes.c.account_id == account_id, _changes.c.contact_id == contact_id)
        .where(told_at <= moment)
        .order_by(_changes.c.seq.desc())
        .limit(1)
    )
    body: dict[str, Any] | None = (await session.execute(line)).scalar_one_or_none()
    return body


async def last_seq(session: Session, account_id: str) -> int:
    """The number of the newest line, 0 when there is none."""
    accounts = tables.accounts
    query = select(accounts.c.feed_seq).where(accounts.c.account_id == account_id)
    return int((await session.execute(query)).scalar_one())


async def enter_ledger(
    session: Session,
    account_id: str,
    clients: Sequence[tuple[int, str, Client]],
    *,
    origin: str,
    run_id: str,
    now: datetime,
) -> int:
    """Write a row for each client (Clio id, contact id, what makes it one) that has none; count them."""
    old = await in_ledger(session, account_id, [clio_id for clio_id, _, _ in clients])
    rows = [
        {
            "account_id": account_id,
            "clio_id": clio_id,
            "new_client_id": derived_id("ncl", account_id, clio_id),
            "contact_id": contact_id,
            "status": "emitted",
            "origin": origin,
            "basis": client.basis,
            "client_since": client.client_since,
            "has_open_matter": client.has_open_matter,
            "run_id": run_id,
            "created_at": now,
        }
        for clio_id, contact_id, client in clients
        if clio_id not in old
    ]
    if rows:
        await session.execute(insert(_ledger).on_conflict_do_nothing(), rows)
    return len(rows)


async def in_ledger(session: Session, account_id: str, clio_ids: Sequence[int]) -> set[int]:
    """Those of these Clio contacts that have a row already."""
    known = await session.execute(
        select(_ledger.c.clio_id).where(
            _ledger.c.account_id == account_id, among(_ledger.c.clio_id, clio_ids)
        )
    )
    return set(known.scalars())


async def list_new_clients(
    session: Session, account_id: str, *, status: str | None, after: str, limit: int
) -> list[NewClient]:
    """Ledger rows by id, those after `after`."""
    query = select(_ledger).where(
        _ledger.c.account_id == account_id, _ledger.c.new_client_id > after
    )
    if status is not None:
        query = query.where(_ledger.c.status == status)
    rows = await session.execute(query.order_by(_ledger.c.new_client_id).limit(limit))
    return [_new_client(row) for row in rows]


async def find_new_client(session: Session, account_id: str, clio_id: int) -> NewClient | None:
    """The ledger row of a Clio contact, or None."""
    query = select(_ledger).where(_ledger.c.account_id == account_id, _ledger.c.clio_id == clio_id)
    row = (await session.execute(query)).one_or_none()
    return _new_client(row) if row else None


def _new_client(row: Any) -> NewClient:
    return NewClient(**{name: row._mapping[name] for name in NewClient.__dataclass_fields__})
