"""Marks contacts as stale: they must be assessed again. Landing records does not belong here."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, any_, case, exists, func, select, update

from app.db.contacts.tables import contacts as _published
from app.db.contacts.tables import unpublished_contacts as _unpublished
from app.db.mirror import tables
from app.db.session import Session, any_of, reading_in_key_order

_contacts = tables.mirror_contacts
_relationships = tables.mirror_relationships
_IS_CHANGED = _contacts.c.stale & ~_contacts.c.stale_by_rules


async def mark_stale(
    session: Session,
    account_id: str,
    contact_ids: Collection[int] | Select[Any],
    *,
    by_rules: bool = False,
    beside: str | None = None,
) -> None:
    """Mark contacts as stale that `may_be_published`, given as a collection or a query of Clio ids.

    `by_rules`: their records are unchanged, only the rules' other input changed; a person that is stale already stays
    as it is. `beside`: the run that reads no lists and changed their records.
    """
    if not isinstance(contact_ids, Select) and not contact_ids:
        return
    due = (
        locked(account_id, contact_ids)
        .where(~_contacts.c.stale if by_rules else ~_is_marked(beside))
        .where(may_be_published(), _contacts.c.gone.is_(None))
        .cte("due")
    )
    await session.execute(
        update(_contacts)
        .where(_contacts.c.account_id == account_id, _contacts.c.clio_id == due.c.clio_id)
        .values(stale=True, stale_by_rules=by_rules, changed_only_by=changed_only_by(beside))
    )


async def mark_unchanged_stale(
    session: Session, account_id: str, clio_ids: Collection[int]
) -> None:
    """Mark contacts as stale whose records are unchanged, also those deleted in Clio, whatever they are."""
    due = locked(account_id, clio_ids).cte("due")
    await session.execute(
        update(_contacts)
        .where(_contacts.c.account_id == account_id, _contacts.c.clio_id == due.c.clio_id)
        .values(stale=True, stale_by_rules=~_IS_CHANGED)
    )


def locked(account_id: str, contact_ids: Collection[int] | Select[Any]) -> Select[Any]:
    """Return a query of contacts that locks them in the order of their ids, as all writers do.

    So none waits for another in a circle.
    """
    return (
        select(_contacts.c.clio_id)
        .where(_contacts.c.account_id == account_id, _is_among(contact_ids))
        .order_by(_contacts.c.clio_id)
        .with_for_update()
    )


def may_be_published() -> ColumnElement[bool]:
    """Return the condition that a contact is a person, or was one and is a company now.

    Such a company must leave the scope [CS-7, row 47], or the first publication that waits for a person's review.
    """
    is_person: ColumnElement[bool] = _contacts.c.record["is_person"].as_boolean()
    return is_person | _is_in(_published) | _is_in(_unpublished)


def _is_in(table: Table) -> ColumnElement[bool]:
    return exists().where(
        table.c.account_id == _contacts.c.account_id, table.c.clio_id == _contacts.c.clio_id
    )


def _is_marked(beside: str | None) -> ColumnElement[bool]:
    """Return the condition that a change by a run changes nothing about the marks of a person."""
    alone = _contacts.c.changed_only_by
    return _IS_CHANGED & (
        alone.is_(None) if beside is None else alone.is_(None) | (alone == beside)
    )


def changed_only_by(beside: str | ColumnElement[Any] | None) -> ColumnElement[Any]:
    """Return the new value of `changed_only_by` when a run changes a person's records: null if another one did, too."""
    others = _IS_CHANGED & _contacts.c.changed_only_by.is_distinct_from(beside)
    return case((others, None), else_=beside)


def can_be_assessed(run_id: str) -> ColumnElement[bool]:
    """Return the condition that a stale person can be assessed by this run while a pull is not complete.

    The pull has not changed the person's records, and only this run has.
    """
    alone = _contacts.c.changed_only_by
    in_index = _contacts.c.stale_by_rules | alone.is_not(None)  # lets PostgreSQL use the index
    return in_index & (_contacts.c.stale_by_rules | (alone == run_id))


def _is_among(contact_ids: Collection[int] | Select[Any]) -> ColumnElement[bool]:
    if isinstance(contact_ids, Select):
        # As an array, because PostgreSQL could otherwise join the result with all contacts of the firm.
        return _contacts.c.clio_id == any_(func.array(contact_ids.scalar_subquery()))
    return any_of(_contacts.c.clio_id, contact_ids)


async def mark_matter_contacts_stale(
    session: Session,
    account_id: str,
    *,
    client_ids: Collection[int],
    matter_ids: Collection[int],
    beside: str | None = None,
) -> None:
    """Mark the contacts of matters as stale: clients, the clients' people and related contacts."""
    if not matter_ids:
        return
    related = select(_relationships.c.contact_id).where(
        _relationships.c.account_id == account_id, any_of(_relationships.c.matter_id, matter_ids)
    )
    for contacts in (client_ids, employees_query(account_id, client_ids), related):
        await mark_stale(session, account_id, contacts, beside=beside)


def employees_query(account_id: str, company_ids: Collection[int]) -> Any:
    """Return a query of the people of these companies."""
    if not company_ids:
        return ()
    return select(_contacts.c.clio_id).where(
        _contacts.c.account_id == account_id, any_of(_contacts.c.company_id, company_ids)
    )


async def mark_all_stale(
    session: Session, account_id: str, *, after: int, limit: int, below: int | None = None
) -> int | None:
    """Mark the next `limit` persons after a Clio id as stale, because the rules or their other input changed.

    With `below`, only those of them who were last assessed with a lower version of the rules [row 56]. Returns after
    which Clio id to go on; None when there are no more.
    """
    page = (
        select(_contacts.c.clio_id, _contacts.c.rules_version)
        .where(_contacts.c.account_id == account_id, _contacts.c.clio_id > after)
        .order_by(_contacts.c.clio_id)
        .limit(limit)
    )
    async with reading_in_key_order(session):
        rows = (await session.execute(page)).all()
    due = [row.clio_id for row in rows if below is None or row.rules_version < below]
    await mark_stale(session, account_id, due, by_rules=True)
    return rows[-1].clio_id if len(rows) == limit else None
