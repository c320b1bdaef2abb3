"""Those for whom a request shows people: everybody's data, or what one Clio login sees [API-30, T10].

This is the only place that says in SQL what a login sees: the records of which it has a sighting. A sighting is kept by
the runs, so what a login has lost in Clio is hidden when a run has found that out.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, literal, select, text

from app.db.connections import tables as connection_tables
from app.db.mirror import shown_fields, tables
from app.db.session import Session, look_up

_sightings = tables.sightings
_logins = connection_tables.connections
NO_LOGIN = ""  # the id of no connection: it sees nobody


@dataclass(frozen=True)
class Audience:
    """Those for whom a request shows people: all people if `login` is None, else those whom this connection sees."""

    login: str | None = None
    user_id: str | None = None

    def limited_to(
        self, resource: str | ColumnElement[str], account_id: str, clio_id: ColumnElement[Any]
    ) -> list[ColumnElement[bool]]:
        """Return the conditions that the record with this Clio id may be shown: none if all people are shown.

        `offset` keeps PostgreSQL from making a join of it: each record is one look-up by the key of sightings.
        """
        if self.login is None:
            return []
        seen = (
            select(literal(1))
            .where(_sightings.c.account_id == account_id, _sightings.c.resource == resource)
            .where(_sightings.c.clio_id == clio_id, _sightings.c.connection_id == self.login)
            .offset(0)
            .correlate_except(_sightings)
        )
        return [seen.exists()]


EVERYBODY = Audience()


async def load_audience(session: Session, account_id: str, user_id: str) -> Audience:
    """Return the audience of a Levitate user: what the user's connected login sees.

    A login that Clio no longer accepts, or that was disconnected, sees nobody: what it may see now is not known. Nor
    does one that another Clio user has taken over, until a run has deleted what the user before saw.
    """
    query = select(_logins.c.connection_id).where(
        _logins.c.account_id == account_id,
        _logins.c.user_id == user_id,
        _logins.c.status == "connected",
        _logins.c.forget_after.is_(None),
    )
    found: str | None = (await session.execute(query)).scalar_one_or_none()
    return Audience(found or NO_LOGIN, user_id)


_SEEN = look_up(
    select(_sightings.c.clio_id, _sightings.c.shown).where(
        _sightings.c.account_id == bindparam("account"),
        _sightings.c.resource == bindparam("list"),
        _sightings.c.connection_id == bindparam("login"),
    ),
    _sightings.c.clio_id,
    "ids",
)


async def find_seen(
    session: Session, account_id: str, audience: Audience, resource: str, clio_ids: Collection[int]
) -> frozenset[int]:
    """Return those of these records that may be shown."""
    if audience.login is None or not clio_ids:
        return frozenset(clio_ids)
    return frozenset(await _load(session, account_id, audience, resource, clio_ids))


async def load_shown_fields(
    session: Session, account_id: str, audience: Audience, clio_ids: Collection[int]
) -> dict[int, frozenset[str] | None]:
    """Return the fields of these contacts that Clio has shown the login, by Clio id; None if that was not stored.

    Contacts that it does not see are left out.
    """
    found = await _load(session, account_id, audience, "contacts", clio_ids)
    return {
        clio_id: None if shown is None else shown_fields.decode(shown)[0]
        for clio_id, shown in found.items()
    }


async def _load(
    session: Session, account_id: str, audience: Audience, resource: str, clio_ids: Collection[int]
) -> dict[int, str | None]:
    names = {"account": account_id, "list": resource, "login": audience.login}
    rows = await session.execute(_SEEN, {**names, "ids": sorted(set(clio_ids))})
    return {row.clio_id: row.shown for row in rows}


# Each subquery ends at the first matter that the login does not see. A contact that is stale has an assessment that may
# name matters that are no longer its own.
_UNSEEN = """
    select 1 where 0 = (
        select count(*) from sightings as seen where seen.account_id = :account
            and seen.resource = 'matters' and seen.clio_id = {matter} and seen.connection_id = :login)
"""
_MATTERS = f"""
    select true from mirror_matters as own
    where own.account_id = :account and own.client_id = {{client}}
      and exists ({_UNSEEN.format(matter="own.clio_id")}) limit 1
"""  # noqa: S608  # our own text
_PARTLY_SEEN = text(f"""
    select person.clio_id from unnest(cast(:ids as bigint[])) as wanted (clio_id)
    join mirror_contacts as person
        on person.account_id = :account and person.clio_id = wanted.clio_id
    where person.stale
      or coalesce(({_MATTERS.format(client="person.clio_id")}), false)
      or coalesce(({_MATTERS.format(client="person.company_id")}), false)
      or coalesce((select true from mirror_relationships as link
        where link.account_id = :account and link.contact_id = person.clio_id
          and exists ({_UNSEEN.format(matter="link.matter_id")}) limit 1), false)
""")  # noqa: S608  # our own text


async def find_partly_seen(
    session: Session, account_id: str, audience: Audience, clio_ids: Collection[int]
) -> frozenset[int]:
    """Return those of these contacts who have a matter that the login does not see, or may have one.

    The matters of the contact count, those of its company, and those that name the contact in a relationship.
    """
    if not clio_ids:
        return frozenset()
    names = {"account": account_id, "login": audience.login, "ids": sorted(set(clio_ids))}
    return frozenset((await session.execute(_PARTLY_SEEN, names)).scalars())
