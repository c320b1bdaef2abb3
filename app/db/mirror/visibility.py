"""Sightings: which connection sees a record, and the digest of the version that it saw last.

A connection that sees the same version as before brings nothing new, even if its view differs from the merged record.
Only what changed within one view is merged into the mirror.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.db.bulk import BulkInsert
from app.db.connections import tables as connection_tables
from app.db.mirror import coverage, hidden_matters, shown_fields, tables, unread_values
from app.db.runs import tables as run_tables
from app.db.session import Session, any_of, look_up
from app.rules.shown import Sight

_table = tables.sightings
_lost = tables.lost_sightings
_aside = run_tables.logins_set_aside
_SHOWN = ("digest", "updated_at", "shown")
_SIGHTINGS = BulkInsert(
    _table, ("clio_id", *_SHOWN), same=("account_id", "resource", "connection_id")
)
_STORE = _SIGHTINGS.updating(*_SHOWN)
_SEEN = look_up(
    select(_table.c.clio_id, _table.c.digest, _table.c.updated_at, _table.c.shown).where(
        _table.c.account_id == bindparam("account"),
        _table.c.resource == bindparam("list"),
        _table.c.connection_id == bindparam("login"),
    ),
    _table.c.clio_id,
    "ids",
)
_FORGET_COUNT = (
    update(_aside)
    .where(_aside.c.account_id == bindparam("account"), _aside.c.ever_seen.is_not(None))
    .where(_aside.c.connection_id == bindparam("login"))
    .values(ever_seen=None)
)


@dataclass(frozen=True)
class View:
    """The connection through which a page was read; `unseen` are fields of its records that Clio did not show.

    `beside` is the run that reads it, if that reads no lists and can go beside a pull.
    """

    account_id: str
    connection_id: str
    full_view: bool
    unseen: frozenset[str] = field(default=frozenset())
    beside: str | None = None


@dataclass(frozen=True)
class Sighting:
    """The version of a record that a connection saw last; `sight` is None in rows of the previous release."""

    digest: bytes | None
    sight: Sight | None


async def load_sightings(
    session: Session, view: View, resource: str, clio_ids: Collection[int]
) -> dict[int, Sighting]:
    """Return the versions that the connection saw; records that it never saw are left out."""
    names = {"account": view.account_id, "list": resource, "login": view.connection_id}
    rows = await session.execute(_SEEN, {**names, "ids": list(clio_ids)})
    return {row.clio_id: Sighting(row.digest, _sight(row)) for row in rows}


async def load_other_sights(
    session: Session, view: View, resource: str, clio_ids: Collection[int]
) -> dict[int, list[Sight]]:
    """Return what other working connections see of these records."""
    if not clio_ids:
        return {}
    logins = connection_tables.connections
    rows = await session.execute(
        select(_table.c.clio_id, _table.c.updated_at, _table.c.shown)
        .join(
            logins,
            (logins.c.account_id == _table.c.account_id)
            & (logins.c.connection_id == _table.c.connection_id),
        )
        .where(_table.c.account_id == view.account_id, _table.c.resource == resource)
        .where(any_of(_table.c.clio_id, clio_ids), _table.c.connection_id != view.connection_id)
        .where(logins.c.status == "connected", logins.c.forget_after.is_(None))
    )
    found: dict[int, list[Sight]] = defaultdict(list)
    for row in rows:
        if (sight := _sight(row)) is not None:
            found[row.clio_id].append(sight)
    return found


def _sight(row: Any) -> Sight | None:
    return None if row.shown is None else Sight(row.updated_at, *shown_fields.decode(row.shown))


async def record_sightings(
    session: Session, view: View, resource: str, seen: Mapping[int, tuple[bytes, Sight]]
) -> None:
    """Store that the connection sees these records, with the digests of the versions and what they show."""
    if not seen:
        return
    rows = [
        {
            "clio_id": clio_id,
            "digest": digest,
            "updated_at": sight.updated_at,
            "shown": shown_fields.encode(sight.shown, full_view=sight.full_view),
        }
        for clio_id, (digest, sight) in sorted(seen.items())
    ]
    about = {"resource": resource, "connection_id": view.connection_id}
    await session.execute(_STORE, _SIGHTINGS.parameters(rows, account_id=view.account_id, **about))


async def note_first_seen(
    session: Session, view: View, resource: str, clio_ids: Collection[int], *, known: Collection[int]
) -> None:  # fmt: skip
    """Note what follows from the first sighting of records; call it before `record_sightings`.

    `known` are those that another login has shown before.
    """
    account_id = view.account_id
    if not clio_ids:
        return
    await coverage.note_unless_working(session, account_id, view.connection_id)
    if resource == "contacts":
        names = {"account": account_id, "login": view.connection_id}
        await session.execute(_FORGET_COUNT, names)  # it may be set aside
    if known and resource == "matters":
        await hidden_matters.unsettle(session, account_id, known)
    await coverage.note_unwatched(session, account_id, resource, known)


async def find_seen_by_full_view(
    session: Session, view: View, resource: str, clio_ids: Collection[int]
) -> set[int]:
    """Return those of these records that another working connection with a full view sees."""
    logins = connection_tables.connections
    rows = await session.execute(
        select(_table.c.clio_id)
        .distinct()
        .join(
            logins,
            (logins.c.account_id == _table.c.account_id)
            & (logins.c.connection_id == _table.c.connection_id),
        )
        .where(_table.c.account_id == view.account_id, _table.c.resource == resource)
        .where(any_of(_table.c.clio_id, clio_ids), _table.c.connection_id != view.connection_id)
        .where(logins.c.status == "connected", logins.c.full_view)
        .where(logins.c.forget_after.is_(None))
    )
    return set(rows.scalars())


async def delete_sightings(
    session: Session, view: View, resource: str, clio_ids: Collection[int]
) -> None:
    """Store that the connection no longer sees these records; they stay as they were last seen.

    Of contacts a mark stays that it saw them once [row 53].
    """
    gone = await session.execute(
        delete(_table)
        .where(_in_view(view, resource), any_of(_table.c.clio_id, clio_ids))
        .returning(_table.c.clio_id)
    )
    lost = sorted(gone.scalars()) if resource == "contacts" else []
    key = {"account_id": view.account_id, "connection_id": view.connection_id}
    if lost:
        marks = [{**key, "clio_id": clio_id} for clio_id in lost]
        await session.execute(insert(_lost).on_conflict_do_nothing(), marks)
    if resource == "matters":
        await hidden_matters.unsettle(session, view.account_id, clio_ids)
    await coverage.note_unwatched(session, view.account_id, resource, clio_ids)
    await unread_values.forget(session, view.account_id, resource, clio_ids, view.connection_id)


async def find_ever_seen(
    session: Session, account_id: str, connection_ids: Collection[str], clio_ids: Collection[int]
) -> set[int]:
    """Return those of these contacts that one of the connections has ever seen [row 53]."""
    if not connection_ids:
        return set()
    rows = await session.execute(
        text(
            "select clio_id from sightings where account_id = :account and resource = 'contacts'"
            " and clio_id = any(cast(:ids as bigint[])) and connection_id = any(cast(:logins as text[]))"
            " union select clio_id from lost_sightings where account_id = :account"
            " and clio_id = any(cast(:ids as bigint[])) and connection_id = any(cast(:logins as text[]))"
        ),
        {"account": account_id, "ids": list(clio_ids), "logins": list(connection_ids)},
    )
    return set(rows.scalars())


async def count_ever_seen(session: Session, account_id: str, connection_id: str) -> int:
    """Return how many contacts the connection has ever seen. Reads the index of all sightings of the firm."""
    names = {"account": account_id, "login": connection_id}
    return int((await session.execute(_EVER_SEEN, names)).scalar_one())


_EVER_SEEN = text("""
    select (
        select count(*) from sightings
        where account_id = :account and resource = 'contacts' and connection_id = :login
    ) + (
        select count(*) from lost_sightings as lost
        where lost.account_id = :account and lost.connection_id = :login and 0 = (
            select count(*) from sightings as seen where seen.account_id = lost.account_id
                and seen.resource = 'contacts' and seen.clio_id = lost.clio_id
                and seen.connection_id = lost.connection_id)
    )
""")


async def delete_lost(session: Session, account_id: str, clio_id: int) -> None:
    """Delete the marks of an erased contact."""
    own = (_lost.c.account_id == account_id) & (_lost.c.clio_id == clio_id)
    await session.execute(delete(_lost).where(own))


async def delete_all_sightings(
    session: Session, account_id: str, resource: str, clio_ids: Collection[int]
) -> None:
    """Delete all sightings of records that no longer exist."""
    await coverage.note_unwatched(session, account_id, resource, clio_ids)
    if resource == "contacts":
        own = (_aside.c.account_id == account_id) & _aside.c.ever_seen.is_not(None)
        await session.execute(update(_aside).where(own).values(ever_seen=None))
    await session.execute(
        delete(_table).where(
            _table.c.account_id == account_id,
            _table.c.resource == resource,
            any_of(_table.c.clio_id, clio_ids),
        )
    )
    await unread_values.forget(session, account_id, resource, clio_ids)


def _in_view(view: View, resource: str) -> Any:
    return (
        (_table.c.account_id == view.account_id)
        & (_table.c.resource == resource)
        & (_table.c.connection_id == view.connection_id)
    )
