"""Deletes what a former Clio user of a connection saw, because the one who has taken it over may see less.

The records stay as they were last seen. The next run finds out again which matters are hidden.
"""

from collections.abc import Sequence

from sqlalchemy import delete, select, text, update

from app.db.connections import tables as connection_tables
from app.db.connections.connections import is_connection
from app.db.mirror import coverage, tables
from app.db.runs import tables as run_tables
from app.db.session import Session, any_of, reading_in_key_order

RESOURCES = ("contacts", "matters", "relationships")
RECORDS_AT_ONCE = 2000  # records that one transaction looks at

_logins = connection_tables.connections
_sightings = tables.sightings
_lost = tables.lost_sightings
_aside = run_tables.logins_set_aside

_NEXT = text("""
    select clio_id from (
        (select clio_id from mirror_contacts where account_id = :account and clio_id > :after
            order by clio_id limit :most)
        union
        (select clio_id from mirror_matters where account_id = :account and clio_id > :after
            order by clio_id limit :most)
        union
        (select clio_id from mirror_relationships where account_id = :account and clio_id > :after
            order by clio_id limit :most)
    ) as stored order by clio_id limit :most
""")


async def begin_to_forget(session: Session, account_id: str, connection_id: str) -> None:
    """Let the connection see nothing until the following run has deleted what its Clio user before saw."""
    own = is_connection(account_id, connection_id)
    await session.execute(update(_logins).where(own).values(forget_after=0, decides_hidden=False))
    await coverage.note_change(session, account_id)


async def forget_some(session: Session, account_id: str) -> bool:
    """Delete what the former user of a connection saw of the next records; return whether there was such a user."""
    chosen = await session.execute(
        select(_logins.c.connection_id, _logins.c.forget_after)
        .where(_logins.c.account_id == account_id, _logins.c.forget_after.is_not(None))
        .order_by(_logins.c.connection_id)
        .limit(1)
        .with_for_update()
    )
    login = chosen.one_or_none()
    if login is None:
        return False
    names = {"account": account_id, "after": login.forget_after, "most": RECORDS_AT_ONCE}
    async with reading_in_key_order(session):
        clio_ids = list((await session.execute(_NEXT, names)).scalars())
    if clio_ids:
        await _delete(session, account_id, login.connection_id, clio_ids)
        await _go_on(session, account_id, login.connection_id, clio_ids[-1])
    else:
        await _end(session, account_id, login.connection_id)
    return True


async def _delete(
    session: Session, account_id: str, connection_id: str, clio_ids: Sequence[int]
) -> None:
    for resource in RESOURCES:
        await session.execute(
            delete(_sightings)
            .where(_sightings.c.account_id == account_id, _sightings.c.resource == resource)
            .where(any_of(_sightings.c.clio_id, clio_ids))
            .where(_sightings.c.connection_id == connection_id)
        )
    await session.execute(
        delete(_lost)
        .where(_lost.c.account_id == account_id, any_of(_lost.c.clio_id, clio_ids))
        .where(_lost.c.connection_id == connection_id)
    )


async def _go_on(session: Session, account_id: str, connection_id: str, after: int | None) -> None:
    own = is_connection(account_id, connection_id)
    await session.execute(update(_logins).where(own).values(forget_after=after))


async def _end(session: Session, account_id: str, connection_id: str) -> None:
    """Let the connection count again; how many contacts it has ever seen must be counted again."""
    await _go_on(session, account_id, connection_id, None)
    own = (_aside.c.account_id == account_id) & (_aside.c.connection_id == connection_id)
    await session.execute(update(_aside).where(own).values(ever_seen=None))
    await coverage.note_change(session, account_id)
