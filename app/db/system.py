"""Transactions of no single account, for work that looks over all of them and for tables without an account.

They connect as a role of their own, which may do only what this work needs (`migrations/versions/0034_*.py`). Only the
modules that an import contract in `pyproject.toml` names may import this one. A statement about one account carries its
account condition here as well; where a look-up finds the account, `transaction` does the rest.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.db.addresses import SYSTEM_URL, name_variable
from app.db.session import Database, Session, begun
from app.errors import DatabaseUnavailable


@asynccontextmanager
async def system_transaction(database: Database) -> AsyncIterator[Session]:
    """Open a transaction over all accounts: committed when the block ends, rolled back when it raises.

    Raises DatabaseUnavailable, with the name of the address if it is not that of the accounts.
    """
    try:
        async with begun(database.system, None) as session:
            yield session
    except DatabaseUnavailable as failure:
        if database.system is not database.accounts:
            name_variable(failure, SYSTEM_URL)
        raise
