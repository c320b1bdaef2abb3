"""Queries for what can be published while the first pull of a firm goes on [IS-2]."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Integer, bindparam, func, select, text

from app.db.mirror.tables import mirror_contacts as _contacts
from app.db.runs.leases import Lease
from app.db.runs.tables import pulls as _pulls
from app.db.session import Session, reading_in_key_order


@dataclass(frozen=True)
class HowFar:
    """The progress of a pull: pages of contacts that have landed, and lists that were read to their end."""

    pages: int
    complete: int


async def how_far(session: Session, lease: Lease) -> HowFar:
    """Return how far the pull of a run has come, over all logins."""
    of_contacts = _pulls.c.resource == "contacts"
    row = await session.execute(
        select(
            func.coalesce(func.sum(_pulls.c.pages).filter(of_contacts), 0),
            func.count().filter(_pulls.c.complete),
        ).where(_pulls.c.account_id == lease.account_id, _pulls.c.run_id == lease.run_id)
    )
    return HowFar(*row.one())


_STALE = (
    select(_contacts.c.clio_id)
    .where(_contacts.c.account_id == bindparam("account"), _contacts.c.stale)
    .where(_contacts.c.clio_id > bindparam("after"))
    .order_by(_contacts.c.clio_id)
    .limit(bindparam("most", type_=Integer))
)


async def list_stale(session: Session, account_id: str, *, after: int, limit: int) -> list[int]:
    """Return the next stale persons after a Clio id, at most `limit`."""
    names = {"account": account_id, "after": after, "most": limit}
    async with reading_in_key_order(session):
        return list((await session.execute(_STALE, names)).scalars())


async def find_complete(
    session: Session, account_id: str, clio_ids: Collection[int], ready: Collection[str]
) -> list[int]:
    """Return those of these persons whom a login that is ready has seen, and whose company has landed."""
    names = {"account": account_id, "clio_ids": list(clio_ids), "ready": list(ready)}
    return sorted((await session.execute(_COMPLETE, names)).scalars())


# `limit 1` makes PostgreSQL look up each row by its key. Without statistics, as in a first pull, it would join the page
# with all of the firm. The array is a subquery, so that PostgreSQL does not know its length (see `among`).
_COMPLETE = text("""
    select clio_id from mirror_contacts person
    where account_id = :account and clio_id = any(cast((select cast(:clio_ids as bigint[])) as bigint[]))
        and (
            select true from sightings where account_id = :account and resource = 'contacts'
                and clio_id = person.clio_id and connection_id = any(cast(:ready as text[])) limit 1)
        and (company_id is null or (
            select true from mirror_contacts where account_id = :account and clio_id = person.company_id limit 1))
""")
