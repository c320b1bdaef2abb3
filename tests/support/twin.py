"""A twin of an account: at each moment it has the same rows, with the same ids, under another account id.

Triggers with the rights of the owner write them, in the transaction that changes the account. So whatever a statement
finds, it would find twice without its account condition.
"""

from collections.abc import Iterator

import asyncpg
from sqlalchemy import Table

from tests.support.account_copies import TABLES, UNIQUE_IN_ALL_ACCOUNTS, copy_account


async def make_twin(dsn: str, account_id: str, twin: str) -> None:
    """Copy an account, and let the copy follow it. Their ids are names that need no quotes."""
    await copy_account(dsn, account_id, twin)
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            for table in TABLES:
                for statement in _following(table, account_id, twin):
                    await connection.execute(statement)
    finally:
        await connection.close()


def _following(table: Table, account_id: str, twin: str) -> Iterator[str]:
    """Yield the statements that let the twin's rows of a table follow those of the account."""
    names = [one.name for one in table.c if not (one.computed or one.identity)]
    key = " and ".join(
        f"{name} = {_value(name, 'old', twin)}"
        for name in [column.name for column in table.primary_key]
    )
    values = ", ".join(_value(name, "new", twin) for name in names)
    # Neither foreign keys nor other triggers look at what is written: the account's own row has passed them.
    yield f"""
        create function twin_of_{table.name}() returns trigger language plpgsql
        security definer set session_replication_role = replica as $$ begin
        if tg_op <> 'INSERT' then delete from {table.name} where {key}; end if;
        if tg_op <> 'DELETE' then
        insert into {table.name} ({", ".join(names)}) values ({values}); end if;
        return null; end $$
    """
    for operation, row in (("insert", "new"), ("update", "new"), ("delete", "old")):
        yield (
            f"create trigger twin_{operation} after {operation} on {table.name} for each row"
            f" when ({row}.account_id = '{account_id}') execute function twin_of_{table.name}()"
        )


def _value(name: str, row: str, twin: str) -> str:
    if name == "account_id":
        return f"'{twin}'"
    unique = UNIQUE_IN_ALL_ACCOUNTS.get(name)
    return f"{row}.{unique.replace('$2', repr(twin))}" if unique else f"{row}.{name}"
