"""Marks contacts as stale: they must be assessed again. Landing records does not belong here."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Select,
    Table,
    Text,
    Update,
    any_,
    bindparam,
    case,
    exists,
    func,
    select,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.contacts.tables import contacts as _published
from app.db.contacts.tables import unpublished_contacts as _unpublished
from app.db.mirror import tables
from app.db.session import Session, among, any_of, reading_in_key_order

_contacts = tables.mirror_contacts
_employees = _contacts.alias("employees")
_relationships = tables.mirror_relationships
_IS_CHANGED = _contacts.c.stale & ~_contacts.c.stale_by_rules


@dataclass(frozen=True)
class Affected:
    """Contacts that a change affects: these, the people of these companies, and who is related to these matters."""

    contacts: Collection[int] = ()
    employees_of: Collection[int] = ()
    related_to: Collection[int] = ()


async def mark_stale(
    session: Session,
    account_id: str,
    affected: Affected,
    *,
    by_rules: bool = False,
    beside: str | None = None,
) -> None:
    """Mark contacts as stale that `may_be_published`.

    `by_rules`: their records are unchanged, only the rules' other input changed; a person that is stale already stays
    as it is. `beside`: the run that reads no lists and changed their records.
    """
    names = {
        "contacts": list(affected.contacts),
        "companies": list(affected.employees_of),
        "matters": list(affected.related_to),
    }
    if any(names.values()):
        await session.execute(_MARK[by_rules], {"account": account_id, "beside": beside, **names})


async def mark_matter_contacts_stale(
    session: Session,
    account_id: str,
    *,
    client_ids: Collection[int],
    matter_ids: Collection[int],
    beside: str | None = None,
) -> None:
    """Mark the contacts of matters as stale: clients, the clients' people and related contacts."""
    affected = Affected(client_ids, employees_of=client_ids, related_to=matter_ids)
    await mark_stale(session, account_id, affected, beside=beside)


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


def locked(account_id: str, clio_ids: Collection[int]) -> Select[Any]:
    """Return a query of contacts that locks them in the order of their ids, as all writers do.

    So none waits for another in a circle.
    """
    return _locked(_contacts.c.account_id == account_id, any_of(_contacts.c.clio_id, clio_ids))


def _locked(*conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        select(_contacts.c.clio_id)
        .where(*conditions)
        .order_by(_contacts.c.clio_id)
        .with_for_update()
    )


def may_be_published(account: str | BindParameter[str]) -> ColumnElement[bool]:
    """Return the condition that a contact is a person, or was one and is a company now.

    Such a company must leave the scope [CS-7, row 47], or the first publication that waits for a person's review.
    """
    is_person: ColumnElement[bool] = _contacts.c.record["is_person"].as_boolean()
    return is_person | _is_in(_published, account) | _is_in(_unpublished, account)


def _is_in(table: Table, account: str | BindParameter[str]) -> ColumnElement[bool]:
    # Not compared with the account of the contact: PostgreSQL may hash the table, and would read all accounts for it.
    return exists().where(table.c.account_id == account, table.c.clio_id == _contacts.c.clio_id)


def _is_marked(beside: BindParameter[str]) -> ColumnElement[bool]:
    """Return the condition that a change by a run changes nothing about the marks of a person."""
    alone = _contacts.c.changed_only_by
    return _IS_CHANGED & (alone.is_(None) | alone.is_not_distinct_from(beside))


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
    await mark_stale(session, account_id, Affected(due), by_rules=True)
    return rows[-1].clio_id if len(rows) == limit else None


def _mark(*, by_rules: bool) -> Update:
    """Return the statement of `mark_stale`. It finds each group by its key, without a join with all of the firm."""
    account, beside = bindparam("account", type_=Text), bindparam("beside", type_=Text)
    wanted = union(
        select(func.unnest(bindparam("contacts", type_=ARRAY(BigInteger))).label("clio_id")),
        select(_employees.c.clio_id).where(
            _employees.c.account_id == account, among(_employees.c.company_id, "companies")
        ),
        select(_relationships.c.contact_id).where(
            _relationships.c.account_id == account,
            among(_relationships.c.matter_id, "matters"),
        ),
    ).cte("wanted")
    is_wanted = _contacts.c.clio_id == any_(func.array(select(wanted.c.clio_id).scalar_subquery()))
    unmarked = ~_contacts.c.stale if by_rules else ~_is_marked(beside)
    due = _locked(
        _contacts.c.account_id == account,
        is_wanted,
        unmarked,
        may_be_published(account),
        _contacts.c.gone.is_(None),
    )
    due_ids = select(due.cte("due").c.clio_id).scalar_subquery()
    return (
        update(_contacts)
        .where(_contacts.c.account_id == account, _contacts.c.clio_id == any_(func.array(due_ids)))
        .values(stale=True, stale_by_rules=by_rules, changed_only_by=changed_only_by(beside))
    )


_MARK = {by_rules: _mark(by_rules=by_rules) for by_rules in (False, True)}
