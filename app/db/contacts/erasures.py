"""Erasing one person: deletes every row about the person, except a keyed hash of the Clio id.

The hash is the suppression list: it keeps the person from coming back. Transactions that land pages, assess contacts
or accept activities take a shared advisory lock; an erasure takes it exclusively. So data that was read before the
erasure cannot bring the person back after it [row 30].
"""

from collections.abc import Collection
from datetime import datetime

from msgspec.structs import replace
from sqlalchemy import bindparam, delete, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.db.accounts import idempotency
from app.db.accounts import tables as account_tables
from app.db.contacts import new_clients, tables, traces
from app.db.mirror import removals, search_words, staleness, visibility
from app.db.mirror import tables as mirror_tables
from app.db.mirror.records import CONTACTS, MATTERS, RELATIONSHIPS
from app.db.mirror.staleness import Affected
from app.db.outbox import tables as outbox_tables
from app.db.session import Session, any_of

_accounts = account_tables.accounts
_erased = tables.erased_contacts


_LOCK_SHARED = text(
    "select pg_advisory_xact_lock_shared(hashtextextended('erasures/' || :account, 0))"
)
_KEY = select(_accounts.c.sealed_erasure_key).where(_accounts.c.account_id == bindparam("account"))


async def lock_shared(session: Session, account_id: str) -> None:
    """Prevent erasures in this account until the transaction ends."""
    await session.execute(_LOCK_SHARED, {"account": account_id})


async def lock_exclusive(session: Session, account_id: str) -> None:
    """Prevent landing pages and assessing until the transaction ends; take this before any other lock."""
    await session.execute(
        text("select pg_advisory_xact_lock(hashtextextended('erasures/' || :account, 0))"),
        {"account": account_id},
    )


async def find_key(session: Session, account_id: str) -> str | None:
    """Return the sealed key of the account's hashes, None while nobody was erased."""
    found: str | None = (await session.execute(_KEY, {"account": account_id})).scalar_one_or_none()
    return found


async def store_key(session: Session, account_id: str, sealed: str) -> None:
    """Store the key of the account's hashes; call `lock_exclusive` first."""
    own = _accounts.c.account_id == account_id
    await session.execute(update(_accounts).where(own).values(sealed_erasure_key=sealed))


async def add_hash(session: Session, account_id: str, clio_hash: bytes, *, now: datetime) -> None:
    """Add a hash to the suppression list."""
    row = insert(_erased).values(account_id=account_id, clio_hash=clio_hash, erased_at=now)
    await session.execute(row.on_conflict_do_nothing())


async def find_erased(session: Session, account_id: str, hashes: Collection[bytes]) -> set[bytes]:
    """Return those of these hashes that are on the suppression list."""
    rows = await session.execute(
        select(_erased.c.clio_hash).where(
            _erased.c.account_id == account_id,
            any_of(_erased.c.clio_hash, hashes),
        )
    )
    return set(rows.scalars())


async def delete_person(session: Session, account_id: str, contact_id: str, clio_id: int) -> None:
    """Delete every row about a person, except new-client rows and holds that others wait in.

    What remains with others is cleared (`traces.py`).
    """
    numbers = await _clear_matter_numbers(session, account_id, clio_id)
    await traces.unname_matters(session, account_id, clio_id, numbers)
    await _delete_record(session, account_id, clio_id)
    for table in (tables.contacts, tables.changes, tables.preexisting_tags):
        own = (table.c.account_id == account_id) & (table.c.contact_id == contact_id)
        await session.execute(delete(table).where(own))
    activity_ids = await _delete_activities(session, account_id, contact_id, clio_id)
    about = (contact_id, new_clients.new_client_id_of(account_id, clio_id))
    await idempotency.mark_erased(session, account_id, activity_ids, about)
    await traces.forget_events(session, account_id, contact_id, activity_ids)
    await traces.forget_in_runs(session, account_id, clio_id)
    await traces.forget_as_successor(session, account_id, clio_id)


async def _delete_record(session: Session, account_id: str, clio_id: int) -> None:
    """Delete what Clio showed of the person: record, words, relationships, sightings, look-ups and quarantine rows."""
    links = mirror_tables.mirror_relationships
    own = (links.c.account_id == account_id) & (links.c.contact_id == clio_id)
    people = mirror_tables.mirror_contacts
    one = (people.c.account_id == account_id) & (people.c.clio_id == clio_id)
    await session.execute(delete(people).where(one))
    await search_words.forget(session, account_id, clio_id)
    # the people of a person who was a company
    await staleness.mark_stale(session, account_id, Affected(employees_of=[clio_id]))
    ids = list((await session.execute(select(links.c.clio_id).where(own))).scalars())
    await removals.remove_records(session, account_id, RELATIONSHIPS.name, ids, why="")
    await visibility.delete_all_sightings(session, account_id, CONTACTS.name, [clio_id])
    await visibility.delete_lost(session, account_id, clio_id)
    aside = mirror_tables.quarantine
    unread = (aside.c.resource == CONTACTS.name) & (aside.c.clio_id == clio_id)
    await session.execute(delete(aside).where(aside.c.account_id == account_id, unread))


async def _clear_matter_numbers(session: Session, account_id: str, clio_id: int) -> dict[int, str]:
    """Remove the numbers of the person's matters, which may contain the name; others may need the matters.

    Returns the numbers by the Clio ids of the matters.
    """
    table = mirror_tables.mirror_matters
    own = (table.c.account_id == account_id) & (table.c.client_id == clio_id)
    rows = (await session.execute(select(table.c.clio_id, table.c.record).where(own))).all()
    numbers: dict[int, str] = {}
    for row in rows:
        record = MATTERS.codec.load(row.record)
        if record.number is not None:
            numbers[row.clio_id] = record.number
        values = {"record": MATTERS.codec.dump(replace(record, number=None))}
        one = (table.c.account_id == account_id) & (table.c.clio_id == row.clio_id)
        await session.execute(update(table).where(one).values(values))
    ids = [row.clio_id for row in rows]
    await staleness.mark_matter_contacts_stale(session, account_id, client_ids=(), matter_ids=ids)
    return numbers


async def _delete_activities(
    session: Session, account_id: str, contact_id: str, clio_id: int
) -> list[str]:
    """Delete activities and the contact's lease; a worker that has the lease writes nothing more. Return their ids."""
    leases, table, attempts = (
        outbox_tables.activity_turns,
        outbox_tables.activities,
        outbox_tables.activity_attempts,
    )
    lease = (leases.c.account_id == account_id) & (leases.c.clio_contact_id == clio_id)
    await session.execute(delete(leases).where(lease))
    about = or_(table.c.contact_id == contact_id, table.c.clio_contact_id == clio_id)
    gone = await session.execute(
        delete(table).where(table.c.account_id == account_id, about).returning(table.c.activity_id)
    )
    ids = list(gone.scalars())
    own = (attempts.c.account_id == account_id) & any_of(attempts.c.activity_id, ids)
    await session.execute(delete(attempts).where(own))
    return ids
