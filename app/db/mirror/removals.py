"""Removing records from the mirror: those deleted in Clio, and those that nobody may see again.

A contact leaves a row with the reason, because its removal must be published. Of a matter or a relationship nothing
stays; it makes contacts stale.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, select, text, update

from app.db.mirror import staleness, tables, visibility
from app.db.mirror.records import CONTACTS, MATTERS, RELATIONSHIPS
from app.db.mirror.staleness import Affected
from app.db.session import Session, any_of
from app.rules.matching import is_same_contact

_contacts = tables.mirror_contacts
_matters = tables.mirror_matters
_relationships = tables.mirror_relationships


@dataclass(frozen=True)
class Successor:
    """A contact that took the place of another one and looks like the same person [S6]."""

    contact_id: int
    successor_id: int


async def remove_records(
    session: Session,
    account_id: str,
    resource: str,
    clio_ids: Collection[int],
    *,
    why: str,
    beside: str | None = None,
) -> None:
    """Remove records of a kind from the mirror, with their sightings. For `beside` see `staleness.mark_stale`."""
    if not clio_ids:
        return
    if resource == CONTACTS.name:
        await _remove_contacts(session, account_id, clio_ids, why=why, beside=beside)
    elif resource == MATTERS.name:
        await _remove_matters(session, account_id, clio_ids, beside=beside)
    else:
        own = any_of(_relationships.c.clio_id, clio_ids)
        await _remove_relationships(session, account_id, own, beside=beside)
    await visibility.delete_all_sightings(session, account_id, resource, clio_ids)


async def _remove_contacts(
    session: Session, account_id: str, clio_ids: Collection[int], *, why: str, beside: str | None
) -> None:
    due = staleness.locked(account_id, clio_ids).cte("due")
    await session.execute(
        update(_contacts)
        .where(_contacts.c.account_id == account_id, _contacts.c.clio_id == due.c.clio_id)
        .values(
            gone=why,
            stale=func.coalesce(staleness.may_be_published(account_id), False),
            stale_by_rules=False,
            changed_only_by=staleness.changed_only_by(beside),
        )
    )
    for successor in await find_successors(session, account_id, clio_ids):
        one = (_contacts.c.account_id == account_id) & (_contacts.c.clio_id == successor.contact_id)
        await session.execute(
            update(_contacts).where(one).values(merged_into=successor.successor_id)
        )
    await staleness.mark_stale(session, account_id, Affected(employees_of=clio_ids), beside=beside)


async def _remove_matters(
    session: Session, account_id: str, clio_ids: Collection[int], *, beside: str | None
) -> None:
    these = (_matters.c.account_id == account_id) & any_of(_matters.c.clio_id, clio_ids)
    clients = await session.execute(select(_matters.c.client_id).where(these))
    client_ids = {client_id for client_id in clients.scalars() if client_id is not None}
    await staleness.mark_matter_contacts_stale(
        session, account_id, client_ids=client_ids, matter_ids=clio_ids, beside=beside
    )
    of_matters = any_of(_relationships.c.matter_id, clio_ids)
    await _remove_relationships(session, account_id, of_matters, beside=beside)
    await session.execute(delete(_matters).where(these))


async def _remove_relationships(
    session: Session, account_id: str, which: ColumnElement[bool], *, beside: str | None
) -> None:
    gone = (
        await session.execute(
            delete(_relationships)
            .where(_relationships.c.account_id == account_id, which)
            .returning(_relationships.c.clio_id, _relationships.c.contact_id)
        )
    ).all()
    ids = [row.clio_id for row in gone]
    await visibility.delete_all_sightings(session, account_id, RELATIONSHIPS.name, ids)
    contacts = {row.contact_id for row in gone}
    await staleness.mark_stale(session, account_id, Affected(contacts), beside=beside)


async def find_successors(
    session: Session, account_id: str, contact_ids: Collection[int]
) -> list[Successor]:
    """Return who took the place of these contacts: the client of their matters, or another client who looks the same.

    They have the same name or e-mail address. That alone is enough for a client without matters, and for one whose
    place somebody is known to have taken. The client of a matter comes last, and so counts.
    """
    names = {"account": account_id, "ids": list(contact_ids)}
    rows = await session.execute(_SUCCESSORS, names)
    load = CONTACTS.codec.load
    return [
        Successor(row.old_id, row.new_id)
        for row in rows
        if is_same_contact(load(row.old), load(row.new))
    ]


_SUCCESSORS = text("""
    with became as (
        select former_client_id as old_id, client_id as new_id, true as has_matter
        from mirror_matters
        where account_id = :account and former_client_id = any(cast(:ids as bigint[]))
        union
        select old.clio_id, other.clio_id, false from new_clients old cross join lateral (
            (select clio_id from new_clients where account_id = :account
                and email_digest = old.email_digest order by clio_id limit 20)
            union
            (select clio_id from new_clients where account_id = :account
                and name_digest = old.name_digest order by clio_id limit 20)
        ) as other
        where old.account_id = :account and old.clio_id = any(cast(:ids as bigint[]))
          and other.clio_id <> old.clio_id
          and (old.matter_ids = '{}' or exists (
            select from new_clients as joined where joined.account_id = :account
              and joined.clio_id = other.clio_id and joined.joined_to = old.clio_id))
    )
    select old_id, a.record as old, new_id, b.record as new from became
    join mirror_contacts a on a.account_id = :account and a.clio_id = old_id
    join mirror_contacts b on b.account_id = :account and b.clio_id = new_id
    where b.gone is null order by old_id, has_matter, new_id
""")
