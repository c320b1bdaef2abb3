"""What the database does at the end of a run for a firm of a million contacts, before and after ANALYZE.

The rows are made in SQL, as eight logins would have pulled them: seven work, and the eighth, which alone sees every
hundredth contact, ended 40 days ago. What each step does is rolled back, so that all steps see the same firm.
Autovacuum of its own server is off: the first round shows the time right after a first pull, the second one that of
any other day. The
database of a million contacts takes 3 GB and three minutes, and is removed at the end.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from app.db import migrate
from app.db.connection import Address
from app.db.contacts import contacts
from app.db.mirror import coverage, hidden_matters, records, staleness, visibility
from app.db.runs import lookups
from app.db.runs.leases import Lease
from app.db.session import Database, Session, open_database, transaction
from app.sync import issues
from app.sync.assess.assess import HIDDEN_AT_ONCE
from app.sync.rederiving import MARKED_AT_ONCE
from benchmarks.report import Report, Table
from tests.chaos.processes import embedded_postgres
from tests.support.postgres import address_of

ACCOUNT = "bench"
LOGINS = 8
LOGIN_IDS = [f"cnx_{n}" for n in range(1, LOGINS + 1)]
NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)
LEASE = Lease(ACCOUNT, "run_bench", 1, timedelta(minutes=1))
RECORD = (
    '{"is_person": true, "first_name": "Alice", "last_name": "Moreno", "padding": "' + "x" * 300
)
FIRM = (
    "insert into accounts (account_id, name, time_zone, country, enabled, created_at, updated_at)"
    " values (':account', 'Bench', 'UTC', 'US', true, ':now', ':now')",
    "insert into connections (account_id, connection_id, user_id, region, status, full_view, left_at, created_at)"
    " select ':account', 'cnx_' || n, 'u_' || n, 'us',"
    " case when n < :logins then 'connected' else 'disconnected' end, true,"
    " case when n = :logins then timestamptz ':now' - interval '40 days' end, ':now'"
    " from generate_series(1, :logins) n",
    "insert into checkpoints (account_id, connection_id, resource, since)"
    " select account_id, connection_id, 'matters', ':now' from connections",
    "insert into runs (account_id, run_id, kind, trigger, status, settings_version, queued_at)"
    " values (':account', 'run_bench', 'full', 'schedule', 'running', 1, ':now')",
    "insert into pulls (account_id, run_id, connection_id, resource, complete)"
    " values (':account', 'run_bench', 'cnx_1', 'contacts', true)",
    "insert into listed (account_id, run_id, connection_id, resource, page, clio_ids)"
    " select ':account', 'run_bench', 'cnx_1', 'contacts', p, array(select generate_series(p * 200 + 1, p * 200 + 200))"
    " from generate_series(0, :contacts / 200 - 1) p",
    "insert into mirror_contacts (account_id, clio_id, record, stale)"
    " select ':account', n, (':record' || n || '\"}')::jsonb, false from generate_series(1, :contacts) n",
    "insert into contacts (account_id, contact_id, clio_id, version, state, labels, search, view, explanation,"
    " run_id, first_synced_at, updated_at)"
    " select ':account', 'con_' || n, n, 1, case n % 3 when 0 then 'in_scope' else 'out_of_scope' end, '{}', 'x',"
    " (':record' || n || '\"}')::jsonb, '{}', 'run', ':now', ':now' from generate_series(1, :contacts) n",
    "insert into mirror_matters (account_id, clio_id, client_id, unsettled, record)"
    " select ':account', n, n, false,"
    " jsonb_build_object('updated_at', '2026-02-01T00:00:00Z', 'description', repeat('x', 300))"
    " from generate_series(1, :contacts / 3) n",
    "insert into mirror_relationships (account_id, clio_id, matter_id, contact_id, record)"
    " select ':account', n, n, n, '{}' from generate_series(1, :contacts / 3) n",
    "insert into sightings (account_id, resource, clio_id, connection_id, digest)"
    " select ':account', 'contacts', n, 'cnx_' || c, decode(md5('x'), 'hex')"
    " from generate_series(1, :contacts) n, generate_series(1, :logins) c where c = :logins or n % 100 > 0",
    "insert into sightings (account_id, resource, clio_id, connection_id, digest)"
    " select ':account', resource, n, 'cnx_' || c, decode(md5('x'), 'hex')"
    " from generate_series(1, :contacts / 3) n, generate_series(1, :logins) c,"
    " unnest(array['matters', 'relationships']) resource",
)

Step = Callable[
    [Session, Any], Awaitable[Any]
]  # takes the place at which to go on, and returns the next one


def once(count: Callable[[Session], Awaitable[object]]) -> Step:
    """Return a step of one transaction."""

    async def step(session: Session, _place: object) -> None:
        await count(session)

    return step


async def _end_of_run(session: Session) -> None:
    await issues.update_after_pull(session, ACCOUNT, LOGIN_IDS, (), now=NOW)


async def _expired(session: Session, place: issues.Place | None) -> issues.Place | None:
    start = place or issues.Place("relationships")
    return await issues.remove_expired(session, ACCOUNT, start, now=NOW)


async def _hidden(session: Session, after: int | None) -> int | None:
    return await hidden_matters.update_hidden_matters(
        session, ACCOUNT, everything=True, after=after or 0, limit=HIDDEN_AT_ONCE
    )


async def _stale(session: Session, after: int | None) -> int | None:
    return await staleness.mark_all_stale(session, ACCOUNT, after=after or 0, limit=MARKED_AT_ONCE)


EVERY_RUN: dict[str, Step] = {
    "whether records can expire": once(lambda s: issues.find_expiry(s, ACCOUNT, now=NOW)),
    "the issues after a pull": once(_end_of_run),
    "which logins decide about hidden matters": once(
        lambda s: hidden_matters.load_viewers(s, ACCOUNT)
    ),
    "hidden matters that are unsettled": once(
        lambda s: hidden_matters.update_hidden_matters(
            s, ACCOUNT, everything=False, after=0, limit=HIDDEN_AT_ONCE
        )
    ),
    "stale contacts": once(lambda s: records.count_stale(s, ACCOUNT, LEASE.run_id)),
    "more relationships than 10,000": once(
        lambda s: records.has_more_than(s, ACCOUNT, records.RELATIONSHIPS, 10_000)
    ),
}
WHEN_CHANGED: dict[str, Step] = {
    "records that no working login sees": once(
        lambda s: coverage.count_coverage(s, ACCOUNT, LOGIN_IDS[-1:])
    ),
    "contacts that a login has ever seen": once(
        lambda s: visibility.count_ever_seen(s, ACCOUNT, LOGIN_IDS[-1])
    ),
    "contacts in scope, for the shrink guard": once(lambda s: contacts.count_by_state(s, ACCOUNT)),
    "removal of what expired, in pages": _expired,
    "all hidden matters, in pages": _hidden,
    "a rederive marks all contacts, in pages": _stale,
}
FULL_RUN: dict[str, Step] = {
    "what the list of one login lacked": once(
        lambda s: lookups.count_missing(s, LEASE, LOGIN_IDS[0], "contacts")
    ),
}


KINDS = {
    "every run": EVERY_RUN,
    "only when it has changed": WHEN_CHANGED,
    "a full run": FULL_RUN,
}


async def measure(database: Database, steps: Mapping[str, Step]) -> list[list[str]]:
    """Return the name of each step, its seconds, and those of the longest transaction if it has several."""
    rows = list[list[str]]()
    for name, step in steps.items():
        times: list[float] = []
        place: Any = None
        async with transaction(database, ACCOUNT) as session:
            while not times or place is not None:
                began = time.monotonic()
                place = await step(session, place)
                times.append(time.monotonic() - began)
            await session.rollback()
        longest = f"{max(times):.3f} of {len(times)}" if len(times) > 1 else ""
        rows.append([name, f"{sum(times):.3f}", longest])
    return rows


def _filled(statement: str, count: int) -> str:
    values = {"contacts": count, "account": ACCOUNT, "now": NOW, "logins": LOGINS, "record": RECORD}
    for name, value in values.items():
        statement = statement.replace(f":{name}", str(value))
    return statement


async def _run(report: Report, dsn: str, count: int) -> None:
    database = open_database(address_of(dsn))
    await migrate.migrate(Address(dsn))
    admin = await asyncpg.connect(dsn)
    for setting in ("autovacuum = off", "fsync = off", "max_wal_size = '4GB'"):
        await admin.execute(f"alter system set {setting}")
    await admin.execute("select pg_reload_conf()")
    for statement in FIRM:
        await admin.execute(_filled(statement, count))
    size = await admin.fetchval("select pg_size_pretty(pg_database_size(current_database()))")
    for label, prepare in (("right after a first pull", "select"), ("later", "vacuum analyze")):
        await admin.execute(prepare)
        rows = [
            [kind, *row] for kind, steps in KINDS.items() for row in await measure(database, steps)
        ]
        title = f"The end of a run, {count:,} contacts ({size}), {label}"
        report.add(Table(title, ["when", "step", "s", "longest transaction s"], rows))
    await admin.close()
    await database.dispose()


def measure_large_firm(report: Report, count: int) -> None:
    """Fill a database of a server of its own, and measure the steps; add the tables."""
    with embedded_postgres("large-firm") as (_, dsn):
        asyncio.run(_run(report, dsn, count))
