"""The records that complete lists lacked, and what Clio says of each to each login that used to see it.

They are stored once and looked up over as many attempts of the run as that takes. What an answer proves is decided in
`app/sync/pull/deletions.py`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.db.runs import tables
from app.db.runs.leases import Lease
from app.db.session import Session, any_of

_table = tables.lookups


class Answer(StrEnum):
    """Clio's answer about one record to one login.

    The first two are steps on the way: the answer to a request for many records lacked it; a request for it alone was
    answered by 404, and it is still open whether that proves its deletion.
    """

    LACKED = "lacked"
    NOT_FOUND = "not_found"
    SHOWN = "shown"
    FORBIDDEN = "forbidden"
    GONE = "gone"  # not found, by a login that proves the deletion
    LOST = "lost"  # not found, and that proves nothing


@dataclass(frozen=True)
class Lookup:
    """One record that is looked up as one login; `answer` is None until Clio was asked.

    A record that is `listed` was on another login's list of this run, so it exists.
    """

    clio_id: int
    connection_id: str
    answer: Answer | None = None
    listed: bool = False


@dataclass(frozen=True)
class MissingRecords:
    """The number of records that a complete list lacked, and of those that its login saw before."""

    seen: int
    missing: int


_MISSING = """
    with whole as (
        select from pulls where account_id = :account and run_id = :run
          and connection_id = :connection and resource = :resource and complete and since is null
    ), listed_ids as (
        select unnest(clio_ids) as clio_id from listed
        where account_id = :account and run_id = :run
          and connection_id = :connection and resource = :resource
    ), seen as (
        select clio_id from sightings where account_id = :account and resource = :resource
          and connection_id = :connection and exists (select from whole)
    ), missing as (
        select clio_id from seen except select clio_id from listed_ids
    )
"""
_COUNT = " select (select count(*) from seen) as seen, (select count(*) from missing) as missing"
_ADD = """
    insert into lookups (account_id, run_id, resource, clio_id, connection_id, listed)
    select :account, :run, :resource, asked.clio_id, asked.connection_id, asked.clio_id in (
        select unnest(clio_ids) from listed
        where account_id = :account and run_id = :run and resource = :resource
    ) from (
        select sightings.clio_id, sightings.connection_id from missing
        join sightings on sightings.account_id = :account and sightings.resource = :resource
          and sightings.clio_id = missing.clio_id
        where sightings.connection_id = any(cast(:logins as text[]))
        except
        select unnest(clio_ids), connection_id from listed
        where account_id = :account and run_id = :run and resource = :resource
          and connection_id = any(cast(:logins as text[]))
    ) as asked
    on conflict do nothing
"""


async def count_missing(
    session: Session, lease: Lease, connection_id: str, resource: str
) -> MissingRecords:
    """Return how many records the connection saw before that its list of this run did not show.

    Both counts are 0 unless this run has read the complete list.
    """
    names = {**_names(lease, resource), "connection": connection_id}
    return MissingRecords(*(await session.execute(text(_MISSING + _COUNT), names)).one())


async def add_missing(
    session: Session, lease: Lease, connection_id: str, resource: str, logins: Collection[str]
) -> None:
    """Store what the list lacked, to be looked up as each of the logins that saw it and did not list it themselves."""
    names = {**_names(lease, resource), "connection": connection_id, "logins": list(logins)}
    await session.execute(text(_MISSING + _ADD), names)


async def add_lacked(
    session: Session, lease: Lease, connection_id: str, resource: str, clio_ids: Collection[int]
) -> None:
    """Store records that Clio did not show to a login when it was asked for them."""
    key = {"account_id": lease.account_id, "run_id": lease.run_id, "resource": resource}
    lacked = {**key, "connection_id": connection_id, "answer": Answer.LACKED}
    if rows := [{**lacked, "clio_id": clio_id} for clio_id in clio_ids]:
        await session.execute(insert(_table).on_conflict_do_nothing(), rows)


async def list_next(
    session: Session, lease: Lease, resource: str, logins: Collection[str], *, limit: int
) -> list[Lookup]:
    """Return the look-ups of the first records, at most `limit`, that these logins must look up."""
    own = _of(lease, resource) & any_of(_table.c.connection_id, logins)
    first = select(_table.c.clio_id).where(own).distinct().order_by(_table.c.clio_id).limit(limit)
    rows = await session.execute(
        select(_table.c.clio_id, _table.c.connection_id, _table.c.answer, _table.c.listed)
        .where(own, _table.c.clio_id.in_(first))
        .order_by(_table.c.clio_id, _table.c.connection_id)
    )
    return [
        Lookup(row.clio_id, row.connection_id, row.answer and Answer(row.answer), row.listed)
        for row in rows
    ]


async def store_answers(
    session: Session,
    lease: Lease,
    resource: str,
    connection_id: str,
    answers: Mapping[int, Answer],
) -> None:
    """Store what Clio said of these records to one login."""
    own = _of(lease, resource) & (_table.c.connection_id == connection_id)
    for answer in sorted(set(answers.values())):
        clio_ids = [clio_id for clio_id, given in answers.items() if given is answer]
        which = any_of(_table.c.clio_id, clio_ids)
        await session.execute(update(_table).where(own, which).values(answer=answer))


async def delete_decided(
    session: Session, lease: Lease, resource: str, clio_ids: Collection[int]
) -> None:
    """Delete the look-ups of records about which everything is known."""
    await session.execute(
        delete(_table).where(_of(lease, resource), any_of(_table.c.clio_id, clio_ids))
    )


async def delete_lookups(session: Session, account_id: str, run_id: str) -> None:
    """Delete the rows of a run that has ended."""
    own = (_table.c.account_id == account_id) & (_table.c.run_id == run_id)
    await session.execute(delete(_table).where(own))


def _of(lease: Lease, resource: str) -> ColumnElement[bool]:
    return (
        (_table.c.account_id == lease.account_id)
        & (_table.c.run_id == lease.run_id)
        & (_table.c.resource == resource)
    )


def _names(lease: Lease, resource: str) -> dict[str, object]:
    return {"account": lease.account_id, "run": lease.run_id, "resource": resource}
