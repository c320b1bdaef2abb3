"""Which statements read a table of accounts without a condition on the account, as PostgreSQL plans them.

The statements are planned for the owner of the tables. No policy applies to it, so each condition is of the statement.

They are planned with and without indexes. Without, PostgreSQL reads the whole table once for an `exists` whose account
is that of the row around it, as it may do at any time; the account of the statement keeps it from that.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event, text

from app.db.session import Database, Session
from tests.support.sessions import as_owner
from tests.support.stripped import ACCOUNTS, user_of

Parameters = tuple[Any, ...]
Plan = Mapping[str, Any]
PLANNED = re.compile(r"\s*(?:select|insert|update|delete|with)\b", re.IGNORECASE)
SCANS = ("enable_indexscan", "enable_bitmapscan", "enable_indexonlyscan")
CONDITIONS = (
    "Index Cond",
    "Recheck Cond",
    "Filter",
    "Hash Cond",
    "Merge Cond",
    "Join Filter",
    "TID Cond",
)


@contextmanager
def recorded_statements() -> Iterator[dict[str, Parameters]]:
    """Record the statements of the role that serves accounts while the block runs, with the values of the last time."""
    found = dict[str, Parameters]()

    def record(
        connection: Any, _cursor: object, statement: str, parameters: Any, *_: object
    ) -> None:
        if PLANNED.match(statement) and user_of(connection) == ACCOUNTS:
            many = isinstance(parameters, list)
            found[statement] = tuple(parameters[0] if many else parameters)

    event.listen(Engine, "before_cursor_execute", record)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", record)


async def tables_of_accounts(session: Session) -> set[str]:
    """Return the tables with an account."""
    query = """
        select relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'account_id'
        where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
    """
    return {*(await session.execute(text(query))).scalars()}


async def reads_without_account(
    database: Database, statements: Mapping[str, Parameters]
) -> dict[str, list[str]]:
    """Return the statements that read tables of accounts without a condition on the account, with these tables."""
    async with as_owner(database) as session:
        found = await _read_freely(session, statements)
        for scan in SCANS:
            await session.execute(text(f"set local {scan} = off"))
        return found | await _read_freely(session, statements)


async def _read_freely(
    session: Session, statements: Mapping[str, Parameters]
) -> dict[str, list[str]]:
    found, tables = dict[str, list[str]](), await tables_of_accounts(session)
    raw: Any = (await session.get_raw_connection()).driver_connection
    for statement, parameters in statements.items():
        plan = await raw.fetchval(f"explain (format json) {statement}", *parameters)
        document = json.loads(plan) if isinstance(plan, str) else plan
        free = [name for name in free_scans(document[0]["Plan"]) if name in tables]
        if free:
            found[statement] = free
    return found


def free_scans(plan: Plan, above: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the tables that a plan reads without a condition on `account_id`, in the scan or in a join above it."""
    own = tuple(plan[name] for name in CONDITIONS if name in plan)
    table, alias = plan.get("Relation Name"), plan.get("Alias", "")
    if table and plan["Node Type"] != "ModifyTable":
        mine = re.compile(rf"(?<![\w.])(?:{re.escape(alias)}\.)?account_id\b")
        joined = re.compile(rf"(?<![\w.]){re.escape(alias)}\.account_id\b")
        if not any(map(mine.search, own)) and not any(map(joined.search, above)):
            yield table
    for part in plan.get("Plans", ()):
        yield from free_scans(part, (*above, *own))
