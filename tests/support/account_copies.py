"""Copies of an account's rows under another account id. Every id in them is the same, only the account differs.

A query that forgets its account finds the copy as well. Deliveries are not copied: the relay would send them. Nor are
erasures: the API finds them by their id alone.
"""

import asyncpg

from app.db import tables  # noqa: F401  # so that the metadata has all tables
from app.db.metadata import metadata

NOT_COPIED = ("deliveries", "authorizations", "erasures")
TABLES = [
    table
    for table in metadata.sorted_tables
    if "account_id" in table.c and table.name not in NOT_COPIED
]
UNIQUE_IN_ALL_ACCOUNTS = {
    "token_hash": "token_hash || '-' || $2"
}  # Clio's webhooks are found by it


async def copy_account(dsn: str, source: str, copy: str) -> None:
    """Copy all rows of an account."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            for table in TABLES:
                names = [one.name for one in table.c if not (one.computed or one.identity)]
                values = [
                    "$2" if name == "account_id" else UNIQUE_IN_ALL_ACCOUNTS.get(name, name)
                    for name in names
                ]
                await connection.execute(
                    f"insert into {table.name} ({', '.join(names)})"  # names of our tables
                    f" select {', '.join(values)} from {table.name} where account_id = $1",
                    source, copy,
                )  # fmt: skip
    finally:
        await connection.close()


async def rows_of(dsn: str, account_id: str) -> dict[str, list[str]]:
    """Return all rows of an account as texts, by table."""
    connection = await asyncpg.connect(dsn)
    try:
        found = {}
        for table in TABLES:
            query = f"select t::text as line from {table.name} t where account_id = $1 order by 1"  # as above
            found[table.name] = [row["line"] for row in await connection.fetch(query, account_id)]
        return found
    finally:
        await connection.close()
