"""New-client rows of people who may be the same: by a matter, a primary address or a name [NC-6, S6].

Rows have digests of address and name, so that both are compared without being stored.
"""

from collections.abc import Collection
from hashlib import blake2b

from sqlalchemy import LargeBinary, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.contacts import tables
from app.db.contacts.new_clients import NewClient, find_by_clio_ids
from app.db.session import Session, look_up
from app.rules.texts import compared

MOST_ALIKE = 20  # an address or a name that more people have tells nothing

_table = tables.new_clients
_matters = tables.new_client_matters
_EMAILS = look_up(
    select(
        _table.c.email_digest, _table.c.new_client_id, _table.c.created_at, _table.c.clio_id
    ).where(_table.c.account_id == bindparam("account")),
    _table.c.email_digest,
    "digests",
)
_BY_EMAIL = _EMAILS.order_by(
    _EMAILS.selected_columns.created_at.desc(), _EMAILS.selected_columns.clio_id.desc()
)
_BY_MATTER = look_up(
    select(_matters.c.clio_id).where(_matters.c.account_id == bindparam("account")),
    _matters.c.matter_id,
    "ids",
)
_ALIKE = text("""
    select distinct found.clio_id from unnest(:digests) as wanted (digest)
    cross join lateral (
        (select clio_id, run_id from new_clients
            where account_id = :account and email_digest = wanted.digest order by clio_id limit :most)
        union all
        (select clio_id, run_id from new_clients
            where account_id = :account and name_digest = wanted.digest order by clio_id limit :most)
    ) as found where found.run_id <> :run
""").bindparams(bindparam("digests", type_=ARRAY(LargeBinary)))


def digest_of(folded: str | None) -> bytes | None:
    """Return the digest by which primary addresses and names are compared; None for an empty one [NC-6]."""
    return blake2b(folded.encode(), digest_size=16).digest() if folded else None


def email_digest(address: str | None) -> bytes | None:
    """Return the digest of a primary address, in the compared form [NC-6, row 51]."""
    return digest_of(compared(address or ""))


async def find_by_email(
    session: Session, account_id: str, digests: Collection[bytes]
) -> dict[bytes, str]:
    """Return the id of the oldest row of each primary address, by digest."""
    rows = await session.execute(_BY_EMAIL, {"account": account_id, "digests": list(digests)})
    return {row.email_digest: row.new_client_id for row in rows}


async def find_by_matters(
    session: Session, account_id: str, matter_ids: Collection[int]
) -> list[NewClient]:
    """Return the rows of all contacts that were ever the client of one of these matters, by Clio id."""
    if not matter_ids:
        return []
    named = await session.execute(_BY_MATTER, {"account": account_id, "ids": list(matter_ids)})
    if not (clio_ids := named.scalars().all()):
        return []
    return await _rows(session, account_id, clio_ids)


async def find_alike(
    session: Session, account_id: str, digests: Collection[bytes], *, except_run_id: str
) -> list[NewClient]:
    """Return rows of other runs with one of these digests as address or name, by Clio id.

    Of each digest the first `MOST_ALIKE` rows are looked at.
    """
    if not digests:
        return []
    names = {"account": account_id, "digests": sorted(digests), "most": MOST_ALIKE}
    found = await session.execute(_ALIKE, {**names, "run": except_run_id})
    if not (clio_ids := found.scalars().all()):
        return []
    return await _rows(session, account_id, clio_ids)


async def _rows(session: Session, account_id: str, clio_ids: Collection[int]) -> list[NewClient]:
    found = await find_by_clio_ids(session, account_id, clio_ids)
    return [found[clio_id] for clio_id in sorted(found)]
