"""Measures what the second wall costs: the same reads by the owner of the tables and by the role that serves accounts.

    python -m benchmarks.row_level_security --accounts 100 --contacts 2000

The script makes accounts with contacts and a feed in SQL on an embedded PostgreSQL. Each read is a transaction of the
service through its own functions. The rounds of both users are interleaved; it prints the medians in milliseconds.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

from sqlalchemy import text

from app.db import migrate
from app.db.accounts import accounts
from app.db.connection import Address
from app.db.contacts import change_feed, contacts
from app.db.session import Database, Session, open_database, transaction
from tests.chaos.processes import embedded_postgres
from tests.support.postgres import address_of
from tests.support.sessions import looking

ACCOUNT = "a50"
READS = 50  # of each user in one round
ROWS = (
    "insert into accounts (account_id, name, time_zone, country, enabled, created_at, updated_at)"
    " select 'a' || n, 'Firm', 'UTC', 'US', true, now(), now() from generate_series(1, {accounts}) n",
    "insert into contacts (account_id, contact_id, clio_id, version, state, labels, search, view, explanation, run_id,"
    " first_synced_at, updated_at) select account_id, 'con_' || lpad(n::text, 6, '0'), n, 1, 'in_scope', '{{client}}',"
    " 'person ' || n, '{{}}', '{{}}', 'run_1', now(), now() from accounts, generate_series(1, {contacts}) n",
    "insert into changes (account_id, seq, contact_id, body) select account_id, clio_id, contact_id,"
    " jsonb_build_object('run_id', 'run_1', 'kind', 'contact.updated', 'text', repeat('x', 400)) from contacts",
    "vacuum analyze",
)
Read = Callable[[Session], Awaitable[object]]


async def contact_ids(session: Session) -> object:
    """Read a page of 50 contacts as the API does, without decoding them."""
    query = text(
        "select * from contacts where account_id = :account and contact_id > '' order by contact_id limit 50"
    )
    return (await session.execute(query, {"account": ACCOUNT})).all()


KINDS: dict[str, Read] = {
    "one row": lambda s: accounts.get_account(s, ACCOUNT),
    "list of 50 contacts": contact_ids,
    "count by state": lambda s: contacts.count_by_state(s, ACCOUNT),
    "feed page of 200": lambda s: change_feed.read_json(s, ACCOUNT, after=0, limit=200),
}


def main() -> None:
    """Make the rows and measure each kind of read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=100)
    parser.add_argument("--contacts", type=int, default=2000, help="contacts of each account")
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    with embedded_postgres("row-level-security") as (_, dsn):
        asyncio.run(measure(dsn, arguments))


async def measure(dsn: str, arguments: argparse.Namespace) -> None:
    """Print the median time of each kind of read for both users."""
    await migrate.migrate(Address(dsn))
    users = {"owner": open_database(Address(dsn)), "levitate_run": open_database(address_of(dsn))}
    async with looking(users["levitate_run"]) as session:
        for statement in ROWS:
            given = {"accounts": arguments.accounts, "contacts": arguments.contacts}
            await session.execute(text(statement.format(**given)))
    print(f"{'':24} {'owner':>10} {'run':>10}   ms")
    for name, read in KINDS.items():
        times: dict[str, list[float]] = {user: [] for user in users}
        for _ in range(arguments.rounds):
            for user, database in users.items():
                times[user] += await timed(database, read)
        owner, run = (statistics.median(found) * 1000 for found in times.values())
        print(f"{name:24} {owner:10.3f} {run:10.3f}", flush=True)
    for database in users.values():
        await database.dispose()


async def timed(database: Database, read: Read) -> list[float]:
    """Return the seconds of some transactions."""
    found = []
    for _ in range(READS):
        began = time.perf_counter()
        async with transaction(database, ACCOUNT) as session:
            await read(session)
        found.append(time.perf_counter() - began)
    return found


if __name__ == "__main__":
    main()
