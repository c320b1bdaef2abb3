"""Measures the lists over many accounts by the API: accounts in each order, the counts of the fleet, and events.

    python -m benchmarks.fleet --accounts 10000 --events 600000

It writes the rows with statements on an embedded PostgreSQL, and sends each request many times, with a token for all
accounts and with tokens for some. It prints the median and the 95th percentile in milliseconds. It takes two minutes.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Mapping

import asyncpg

from app import logs
from app.db import migrate
from app.db.connection import Address
from tests.chaos.processes import embedded_postgres
from tests.support.world import World, generous_simulator, harlow_and_pike, opened_world

ACCOUNTS = """
insert into accounts (account_id, name, time_zone, country, enabled, health, last_success_at, created_at, updated_at)
select 'a' || n, (array['Harlow', 'Pike', 'Moreno', 'Chen'])[1 + n % 4] || ' & Partners ' || n, 'UTC', 'US', true,
  (array['ok', 'ok', 'ok', 'ok', 'degraded', 'needs_attention'])[1 + n % 6], now() - n * interval '1 second',
  now() - n * interval '1 minute', now()
from generate_series(1, $1::integer) n
"""
RUNS = """
insert into runs (account_id, run_id, kind, trigger, settings_version, status, queued_at, started_at, finished_at)
select 'a' || n, 'run_' || lpad(n::text, 12, '0'), 'incremental', 'schedule', 1, 'succeeded', now(), now(), now()
from generate_series(1, $1::integer) n
"""
EVENTS = """
insert into events (event_id, account_id, kind, subject, data, at)
select 'evt_' || n, 'a' || 1 + n % $1::integer, (array['run.finished', 'contacts.changed', 'client.new'])[1 + n % 3],
  '', '{}', now() - (($2 - n) || ' milliseconds')::interval
from generate_series(1, $2::integer) n
"""
REQUESTS = {
    "accounts by id": "/v1/accounts",
    "accounts by health": "/v1/accounts?order=health",
    "accounts by name": "/v1/accounts?order=name",
    "accounts by last success": "/v1/accounts?order=last_success",
    "accounts that need attention": "/v1/accounts?health=needs_attention",
    "accounts with two words": "/v1/accounts?q=moreno+77",
    "accounts with a word of nobody": "/v1/accounts?q=zzz",
    "accounts, counted": "/v1/accounts?count=true",
    "the fleet": "/v1/fleet",
    "events": "/v1/events",
    "events of a type": "/v1/events?type=client.new",
    "events of an account": "/v1/events?account_id=a1",
}
TOKENS = {"all accounts": 0, "20 accounts": 20, "1,000 accounts": 1000}


def main() -> None:
    """Make the rows, and measure each request with each token."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=600_000)
    parser.add_argument("--rounds", type=int, default=40)
    given = parser.parse_args()
    with embedded_postgres("fleet") as (_, dsn):
        asyncio.run(measure(dsn, given.accounts, given.events, given.rounds))


async def measure(dsn: str, accounts: int, events: int, rounds: int) -> None:
    """Print the times of each request, by token."""
    logs.configure("WARNING", "console")
    await migrate.migrate(Address(dsn))
    await fill(dsn, accounts, events)
    print(f"{accounts:,} accounts, {events:,} events, {rounds} requests each")
    simulator = generous_simulator(harlow_and_pike())
    async with opened_world(dsn, simulator, clock=False, workers=False) as world, world:
        for name, count in TOKENS.items():
            own = [f"a{1 + n * accounts // count}" for n in range(count)]
            headers, _ = await world.create_token(*own)
            print(f"{f'a token for {name}':42} {'median':>8} {'95 %':>8}   ms")
            for what, url in REQUESTS.items():
                times = [await request(world, url, headers) for _ in range(rounds)]
                worst = statistics.quantiles(times, n=20)[-1]
                print(f"{what:42} {statistics.median(times):8.1f} {worst:8.1f}", flush=True)


async def request(world: World, url: str, headers: Mapping[str, str]) -> float:
    """Send one request, and return its milliseconds."""
    began = time.perf_counter()
    answer = await world.api.get(url, headers=dict(headers))
    assert answer.status_code == 200, answer.text
    return (time.perf_counter() - began) * 1000


async def fill(dsn: str, accounts: int, events: int) -> None:
    """Write the accounts, a run of each, and the events."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(ACCOUNTS, accounts)
    await connection.execute(RUNS, accounts)
    await connection.execute(EVENTS, accounts, events, timeout=600)
    await connection.execute("vacuum analyze")
    await connection.close()


if __name__ == "__main__":
    main()
