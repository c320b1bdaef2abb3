"""Deleting an account: its rows in small parts, table by table, then its audit log, and last its own row.

What the tables of other tasks contain does not matter here. Receipts and revocations do not belong to an account. Only
work over all accounts may delete an audit log, and PostgreSQL refuses to delete the account's row before.
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    any_,
    delete,
    func,
    literal_column,
    select,
    update,
)

from app.db import tables
from app.db.accounts import tables as account_tables
from app.db.metadata import OWNED
from app.db.session import Session

_accounts, _audit = account_tables.accounts, account_tables.audit


async def exists(session: Session, account_id: str) -> bool:
    """Return whether the account's row exists, also while the account is being erased."""
    query = select(_accounts.c.account_id).where(_accounts.c.account_id == account_id)
    return (await session.execute(query)).one_or_none() is not None


async def disable_account(session: Session, account_id: str) -> bool:
    """Disable the account: no new work begins. Locks its row until the transaction ends. Return whether it exists."""
    own = _accounts.c.account_id == account_id
    disabled = update(_accounts).where(own).values(enabled=False).returning(_accounts.c.account_id)
    return (await session.execute(disabled)).one_or_none() is not None


async def delete_account(session: Session, account_id: str) -> None:
    """Delete the account's row, and with it what is left in any table that belongs to accounts."""
    await session.execute(delete(_accounts).where(_accounts.c.account_id == account_id))


async def delete_some_rows(session: Session, account_id: str, *, limit: int) -> int:
    """Delete up to `limit` rows that belong to the account, but not its own row; return how many were deleted.

    The account's row is locked, so that no run can begin until the transaction ends. If nothing is left of its runs,
    then nobody writes to the tables without a foreign key (docs/decisions/0019).
    """
    own = select(_accounts.c.account_id).where(_accounts.c.account_id == account_id)
    await session.execute(own.with_for_update())
    left = limit
    for table in owned_tables():
        if left:
            left -= await _delete_some(session, table, account_id, limit=left)
    return limit - left


async def has_audit_log(session: Session, account_id: str) -> bool:
    """Return whether the account's audit log has entries."""
    own = select(_audit.c.entry_id).where(_audit.c.account_id == account_id).limit(1)
    return (await session.execute(own)).first() is not None


async def delete_some_of_audit_log(session: Session, account_id: str, *, limit: int) -> None:
    """Delete up to `limit` entries of the account's audit log, in a transaction over all accounts."""
    await _delete_some(session, _audit, account_id, limit=limit)


async def _delete_some(session: Session, table: Table, account_id: str, *, limit: int) -> int:
    """Delete up to `limit` rows of the account in one table, found by their place in it: that needs one index scan."""
    found = table.alias("found")
    place: ColumnElement[Any] = literal_column(f"{table.name}.ctid")
    own: Select[Any] = select(literal_column("found.ctid")).select_from(found)
    some = own.where(found.c.account_id == account_id).limit(limit).scalar_subquery()
    gone = await session.execute(delete(table).where(place == any_(func.array(some))))
    return gone.rowcount


def owned_tables() -> list[Table]:
    """Return the tables whose rows are deleted with their account; a table comes before those it refers to."""
    tables_ = reversed(tables.metadata.sorted_tables)
    return [table for table in tables_ if OWNED in table.info]
