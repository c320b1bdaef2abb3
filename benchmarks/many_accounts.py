"""Measures what the regular tasks cost where there are many accounts and nothing is to be done.

    python -m benchmarks.many_accounts --accounts 10000

The script makes the rows of the accounts in SQL on an embedded PostgreSQL: logins, runs, slots, issues, activities and
holds. It then moves the clock on by one tick at a time. It prints the time, the CPU time of this process and the
number of transactions and statements of each task, as the median of several ticks, and of all tasks together.
`--explain` also prints the plans of the statements that took longer than a millisecond. At last a slot is due in all
accounts, and it prints how many runs `propose_slots` starts in a second.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from app.db import migrate
from app.db.connection import Address
from app.db.session import Database, open_database
from app.simulator.http.server import Simulator
from app.sync import background, health, scheduler
from app.sync.services import Services
from tests.chaos.processes import embedded_postgres
from tests.support.postgres import address_of
from tests.support.sessions import as_owner, listen, looking
from tests.support.world import opened_world

SLOW = 0.001  # seconds from which a statement's plan is printed
NOON = datetime(2026, 12, 1, 17, 0, tzinfo=UTC)  # in New York, where no slot is near
MORNING = datetime(2026, 12, 2, 13, 30, tzinfo=UTC)  # the whole first slot of the next day is due
NO_LOGIN = json.dumps([asdict(health._NO_LOGIN)]).replace(":", r"\:")
# One account in ten has no login that works. Each has 2 logins, 14 slots, 12 issues, 80 activities and 2 holds.
ROWS = (
    "insert into accounts (account_id, name, time_zone, country, enabled, created_at, updated_at,"  # noqa: S608
    " enabled_at, health, health_reasons, health_checked_at, health_due_at)"
    " select 'a' || n, 'Firm ' || n, 'America/New_York', 'US', true, s, s, s,"
    " case when n % 10 = 0 then 'needs_attention' else 'ok' end,"
    f" case when n % 10 = 0 then cast('{NO_LOGIN}' as jsonb) else '[]' end, :now,"
    " cast(:now as timestamptz) + n * interval '1 hour' / :accounts"
    " from generate_series(1, :accounts) n, (select cast(:now as timestamptz) - interval '1 year' s) s",
    "insert into connections (account_id, connection_id, user_id, region, status, connected_at, created_at)"
    " select account_id, 'c' || n, 'u' || n, 'us',"
    " case when account_id like '%0' then 'needs_reconnect' else 'connected' end, created_at, created_at"
    " from accounts, generate_series(1, 2) n",
    "insert into subscriptions (account_id, connection_id, model, hook_id, pending, due_at)"
    " select account_id, connection_id, model, 1, false,"
    " cast(:now as timestamptz) + interval '1 day' + random() * interval '10 days'"
    " from connections, unnest(array['contacts', 'matters']) model where status = 'connected'",
    "insert into runs (account_id, run_id, kind, trigger, status, settings_version, queued_at, started_at,"
    " finished_at) select account_id, 'run_' || lpad(n::text, 6, '0'),"
    " case when n = 1 then 'initial' when n % 14 = 0 then 'full' else 'incremental' end, 'schedule', 'succeeded', 1,"
    " e, e, e from accounts, generate_series(1, :runs) n,"
    " lateral (select cast(:now as timestamptz) - (:runs - n) * interval '12 hours' - interval '3 hours' e) e",
    "insert into slots (account_id, local_date, slot, run_id, due_at, closed_at, start_at)"
    " select account_id, cast(:now as date) - n, slot, '', d, closed, closed"
    " from accounts, generate_series(0, 6) n, unnest(array['06:00', '18:00']) slot,"
    " lateral (select cast(:now as timestamptz) - n * interval '1 day'"
    "  - case slot when '06:00' then interval '12 hours' else interval '0' end as d) d,"
    " lateral (select case when account_id like '%0' and n = 0 and slot = '18:00' then null else d end closed) c",
    "update slots set start_at = due_at where closed_at is null",
    "insert into issues (account_id, issue_id, code, severity, detail, subject_kind, subject_id, opened_at,"
    " resolved_at) select account_id, 'iss_' || n, 'record_quarantined', 'info', 'x', 'contact', n::text, created_at,"
    " case when n > 1 then cast(:now as timestamptz) end from accounts, generate_series(1, 12) n",
    "insert into activities (account_id, activity_id, kind, status, user_id, contact_id, clio_contact_id, place,"
    " occurred_at, time_zone, local_date, subject, body, connection_id, created_at, written_at, proven_at, blocked_at)"
    " select account_id, 'act_' || n, 'note', case when blocked then 'blocked' else 'written' end,"
    " case when blocked then 'u9' else 'u1' end, 'con_' || n, n, 1, w, 'America/New_York', w::date, 's', '',"
    " case when blocked then null else 'c1' end, w,"
    " case when not blocked then w end, case when n > 10 then w + interval '1 day' end,"
    " case when blocked then w end"
    " from accounts, generate_series(1, 80) n,"
    " lateral (select account_id like '%7' and n <= 5 as blocked) b,"
    " lateral (select cast(:now as timestamptz) - case when n <= 10 then n * interval '1 hour'"
    "  else interval '2 days' + n * interval '4 days' end w) w",
    "insert into holds (account_id, hold_id, kind, status, run_id, opened_at, decided_at, carried_out_at)"
    " select account_id, 'hld_' || n, 'new_clients', 'released', 'run_000001', created_at, created_at, created_at"
    " from accounts, generate_series(1, 2) n",
)


@dataclass
class Costs:
    """What a task has cost: one number for each of its turns."""

    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    transactions: list[int] = field(default_factory=list)
    statements: list[int] = field(default_factory=list)


@dataclass
class Counted:
    """The transactions and statements so far; `slowest` has the longest time and values of each statement."""

    transactions: int = 0
    statements: int = 0
    slowest: dict[str, tuple[float, Any]] = field(default_factory=dict)


def main() -> None:
    """Make the rows and measure some ticks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=100, help="runs of each account")
    parser.add_argument("--ticks", type=int, default=9)
    parser.add_argument("--explain", action="store_true")
    arguments = parser.parse_args()
    with embedded_postgres("many-accounts") as (_, dsn):
        asyncio.run(measure(dsn, arguments))


async def measure(dsn: str, arguments: argparse.Namespace) -> None:
    """Make the rows, let the tasks do what is due at first, and print the costs of the ticks after that."""
    async with accounts_service(dsn, arguments.accounts, arguments.runs) as services:
        clock, counted = Clock(), count(services.database)
        services = replace(services, now=clock)
        costs: dict[str, Costs] = defaultdict(Costs)
        first: dict[str, Costs] = defaultdict(Costs)
        for _ in range(15):
            await tick(services, counted, first)
            clock.move_on()
        counted.slowest.clear()
        for _ in range(arguments.ticks):
            await tick(services, counted, costs)
            clock.move_on()
        show("the dearest of the first ticks", first, max)
        show("an idle tick", costs, statistics.median)
        if arguments.explain:
            await explain(services.database, counted)
        await start_slot(replace(services, now=lambda: MORNING))


@asynccontextmanager
async def accounts_service(dsn: str, accounts: int, runs: int) -> AsyncIterator[Services]:
    """Run the service without its tasks on a database with many accounts."""
    database = open_database(address_of(dsn))
    await migrate.migrate(Address(dsn))
    for statement in ROWS:
        named = {"now": NOON, "accounts": accounts, "runs": runs}
        used = {name: value for name, value in named.items() if f":{name}" in statement}
        async with as_owner(database) as session:
            await session.execute(text(statement), used)
    async with looking(database) as plain:
        await plain.execute(text("vacuum analyze"))
    await database.dispose()
    simulator = Simulator([], now=lambda: NOON, redirect_uris=[])
    async with opened_world(dsn, simulator, clock=False, workers=False) as world, world:
        yield world.app.state.services


class Clock:
    """A clock that stands still until it is moved on by one tick."""

    def __init__(self) -> None:
        self._now = NOON

    def __call__(self) -> datetime:
        """Return the time."""
        return self._now

    def move_on(self) -> None:
        """Move on to the next tick."""
        self._now += scheduler.TICK


async def tick(services: Services, counted: Counted, costs: dict[str, Costs]) -> None:
    """Do each task once, and add what it cost."""
    for step, _ in scheduler._TASKS:
        with measured(counted, costs[step.__name__]):
            await step(services)
    shown = Shown()
    with measured(counted, costs["measure"]):
        await background.measure(services, shown)  # type: ignore[arg-type]


class Shown:
    """What `measure` writes to."""

    measured: Any = None


@contextmanager
def measured(counted: Counted, costs: Costs) -> Iterator[None]:
    """Add the costs of the block."""
    before = (time.monotonic(), time.process_time(), counted.transactions, counted.statements)
    yield
    costs.seconds.append(time.monotonic() - before[0])
    costs.cpu.append(time.process_time() - before[1])
    costs.transactions.append(counted.transactions - before[2])
    costs.statements.append(counted.statements - before[3])


def count(database: Database) -> Counted:
    """Count what is executed on a database from now on."""
    counted, began = Counted(), [0.0]

    def begun(_: Any) -> None:
        counted.transactions += 1

    def executing(*_: Any) -> None:
        counted.statements += 1
        began[0] = time.monotonic()

    def executed(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        seconds = time.monotonic() - began[0]
        if seconds > counted.slowest.get(statement, (0.0,))[0]:
            counted.slowest[statement] = (seconds, parameters)

    listen(database, "begin", begun)
    listen(database, "before_cursor_execute", executing)
    listen(database, "after_cursor_execute", executed)
    return counted


def show(title: str, costs: dict[str, Costs], of: Any) -> None:
    """Print one line for each task, and the sums."""
    print(f"\n{title:34} {'ms':>9} {'CPU ms':>9} {'transactions':>13} {'statements':>11}")
    sums = [0.0] * 4
    for name, cost in costs.items():
        found = [of(cost.seconds) * 1000, of(cost.cpu) * 1000]
        found += [of(cost.transactions), of(cost.statements)]
        sums = [total + one for total, one in zip(sums, found, strict=True)]
        print(f"{name:34} {found[0]:9.1f} {found[1]:9.1f} {found[2]:13.0f} {found[3]:11.0f}")
    print(f"{'together':34} {sums[0]:9.1f} {sums[1]:9.1f} {sums[2]:13.0f} {sums[3]:11.0f}")


async def start_slot(services: Services) -> None:
    """Start the runs of a slot of all accounts with a login, and print how fast that is."""
    began, cpu, total = time.monotonic(), time.process_time(), 0
    while started := await scheduler.propose_slots(services):
        total += started
    seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    print(
        f"\na slot: {total} runs started in {seconds:.1f} s, {total / seconds:.0f} a second,"
        f" {1000 * cpu / total:.1f} ms of CPU each"
    )


async def explain(database: Database, counted: Counted) -> None:
    """Print the plans of the slow statements."""
    for statement, (seconds, parameters) in counted.slowest.items():
        if seconds < SLOW or not isinstance(parameters, tuple):
            continue
        print(f"\n{seconds * 1000:.1f} ms: {statement}")
        async with as_owner(database) as session:
            raw = (await session.get_raw_connection()).driver_connection
            assert raw is not None
            for row in await raw.fetch(f"explain (analyze, buffers) {statement}", *parameters):
                print("   ", row[0])


if __name__ == "__main__":
    main()
