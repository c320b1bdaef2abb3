"""Queries for what can be published while the first pull of a firm goes on [IS-2]."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import exists, func, select

from app.db.mirror import tables
from app.db.mirror.tables import mirror_contacts as _contacts
from app.db.runs.leases import Lease
from app.db.runs.tables import pulls as _pulls
from app.db.session import Session, any_of

_companies = _contacts.alias("companies")
_sightings = tables.sightings


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


async def list_stale(session: Session, account_id: str, *, after: int, limit: int) -> list[int]:
    """Return the next stale persons after a Clio id, at most `limit`."""
    page = await session.execute(
        select(_contacts.c.clio_id)
        .where(_contacts.c.account_id == account_id, _contacts.c.stale)
        .where(_contacts.c.clio_id > after)
        .order_by(_contacts.c.clio_id)
        .limit(limit)
    )
    return list(page.scalars())


async def find_complete(
    session: Session, account_id: str, clio_ids: Collection[int], ready: Collection[str]
) -> list[int]:
    """Return those of these persons whom a login that is ready has seen, and whose company has landed."""
    seen = exists().where(
        _sightings.c.account_id == account_id,
        _sightings.c.resource == "contacts",
        _sightings.c.clio_id == _contacts.c.clio_id,
        any_of(_sightings.c.connection_id, ready),
    )
    company = exists().where(
        _companies.c.account_id == account_id, _companies.c.clio_id == _contacts.c.company_id
    )
    found = await session.execute(
        select(_contacts.c.clio_id)
        .where(_contacts.c.account_id == account_id, any_of(_contacts.c.clio_id, clio_ids))
        .where(seen, _contacts.c.company_id.is_(None) | company)
    )
    return sorted(found.scalars())
