"""Read Clio as every connection of a run, one after another, the one with the widest view first.

Afterwards look up what the lists lacked, and update the issues.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

import structlog

from app.clio.errors import ClioReauthRequired
from app.clio.shared_rate_limit import Lane
from app.db.connections import connections
from app.db.connections.connections import Connection
from app.db.mirror import quarantine, records
from app.db.mirror.visibility import View
from app.db.runs import checkpoints, leases, list_failures, runs
from app.db.runs.leases import Lease, fenced_transaction
from app.db.runs.list_failures import SetAside
from app.db.runs.runs import Kind, Run, Trigger
from app.errors import Problem
from app.sync import issues
from app.sync.connections import clio_for, login_of
from app.sync.pull.deletions import confirm_contact, confirm_missing
from app.sync.pull.eta import PAGE
from app.sync.pull.failures import WHO_AM_I, failure_row, noting_failure, settle
from app.sync.pull.listings import RECORDS, RELATIONSHIPS, SMALL_LISTS, Listing
from app.sync.pull.pages import pull_lists
from app.sync.pull.reader import ConnectionReader, usage_of
from app.sync.pull.single_records import read_contact_records, retry_quarantine
from app.sync.services import Services

# A scheduled run reads all relationships as long as they fill no more pages than this [row 25].
RELATIONSHIP_PAGES = 50
_RECORD_NAMES = frozenset(listing.name for listing in RECORDS)
_NEEDED = _RECORD_NAMES | {WHO_AM_I}
FINDS_DELETIONS = (Kind.FULL, Kind.INCREMENTAL)
# Runs that a firm waits for go before the others. A rederive run asks Clio nothing.
_LANES = {
    Kind.INCREMENTAL: Lane.INCREMENTAL,
    Kind.CONTACT: Lane.INCREMENTAL,
    Kind.INITIAL: Lane.INITIAL,
    Kind.COVERAGE: Lane.INITIAL,
    Kind.FULL: Lane.RECONCILE,
}
_NO_CONNECTION = runs.problem_row(
    Problem("needs_reconnect", "No Clio login of this account works. A user must connect again"),
    None,
)

log = structlog.get_logger(__name__)

Problems = list[dict[str, object]]
Step = Callable[[ConnectionReader], Awaitable[None]]


def lane_of(kind: Kind, trigger: Trigger) -> Lane:
    """Return the priority lane of a run's requests to Clio [S10]."""
    if kind is Kind.CONTACT and trigger is Trigger.MANUAL:
        return Lane.PERSON  # a person is looking at that contact
    return _LANES[kind]


async def read_clio(services: Services, lease: Lease, run: Run, problems: Problems) -> None:
    """Read the lists as each connection of the run, and add to `problems` what went wrong.

    A connection that must reconnect or whose lists fail does not stop the others. Raises RunTakenOver, Stopping,
    PullPostponed and other errors of Clio.
    """
    connected = await _connected(services, lease)
    usable = [one for one in connected if run.connection_id in (None, one.connection_id)]
    problems += [] if usable else [_NO_CONNECTION]
    readers: list[ConnectionReader] = []
    for connection in await _without_set_aside(services, lease, usable):
        known = frozenset[str]().union(*(reader.read for reader in readers))
        readers.append(await _read_lists_as(services, lease, run, connection, known))
    others = [connection for connection in connected if connection not in usable]
    elsewhere = await _readable_elsewhere(services, lease, run, readers, others)
    readers = await settle(readers, elsewhere)
    complete = [reader for reader in readers if reader.complete]
    if run.kind in FINDS_DELETIONS:
        asking = [replace(one, clio=one.clio.in_lane(Lane.RECONCILE)) for one in complete]
        look_up = partial(confirm_missing, full=run.kind is Kind.FULL)
        complete = await _confirm_and_settle(asking, look_up)
    problems += [row for reader in readers for row in _problem_rows(reader)]
    problems += await _set_aside_rows(services, lease)
    await _update_issues(services, lease, complete, problems)


async def _confirm_and_settle(
    asking: list[ConnectionReader], look_up: Callable[[Sequence[ConnectionReader]], Awaitable[None]]
) -> list[ConnectionReader]:
    """Look up missing records, again without the logins whose failures set them aside; return the others."""
    while True:
        await _confirm(asking, look_up(asking))
        kept = await settle(asking)
        if len(kept) == len(asking):
            return kept
        asking = kept


async def _list_set_aside(services: Services, lease: Lease) -> Sequence[SetAside]:
    """Return the logins that this run has set aside."""
    async with fenced_transaction(services.database, lease) as session:
        found = await list_failures.list_set_aside(session, lease.account_id)
    return [one for one in found if one.run_id == lease.run_id]


async def _without_set_aside(
    services: Services, lease: Lease, usable: Sequence[Connection]
) -> Sequence[Connection]:
    """Return the connections that this run has not set aside."""
    aside = {one.connection_id for one in await _list_set_aside(services, lease)}
    return [connection for connection in usable if connection.connection_id not in aside]


async def _set_aside_rows(services: Services, lease: Lease) -> Problems:
    """Return a problem for each login that this run has set aside."""
    return [
        runs.problem_row(
            Problem("login_set_aside", f"This login was set aside. {one.detail}"), one.connection_id
        )
        for one in await _list_set_aside(services, lease)
    ]


async def _readable_elsewhere(
    services: Services,
    lease: Lease,
    run: Run,
    readers: Sequence[ConnectionReader],
    others: Sequence[Connection],
) -> frozenset[str]:
    """Return which of the lists that failed the account's other logins can read: they ask for the first page.

    Only a coverage run leaves out other logins. Without this one broken login would hold up the firm's other runs.
    """
    failed = {name for reader in readers for name in reader.failed}
    readable: set[str] = set()
    for connection in others:
        wanted = [one for one in (*RECORDS, *SMALL_LISTS) if one.name in failed - readable]
        if failed - readable:
            reader = await _read_as(services, lease, run, connection, partial(_probe, wanted))
            readable |= reader.read
    return frozenset(readable)


async def _probe(listings: Sequence[Listing], reader: ConnectionReader) -> None:
    for listing in listings:
        await noting_failure(reader, listing.name, _read_first_page(reader, listing))


async def _read_first_page(reader: ConnectionReader, listing: Listing) -> None:
    await anext(reader.clio.pages(listing.resource))
    reader.read.add(listing.name)


async def read_contact(services: Services, lease: Lease, run: Run, problems: Problems) -> None:
    """Read one contact with its matters and relationships as every connection [S14]; see `read_clio`."""
    clio_id = run.contact_clio_id or 0
    working = await _connected(services, lease)
    problems += [] if working else [_NO_CONNECTION]
    readers = [
        await _read_as(
            services, lease, run, connection, lambda reader: read_contact_records(reader, clio_id)
        )
        for connection in await _without_set_aside(services, lease, working)
    ]
    readers = await settle(readers)
    complete = [reader for reader in readers if reader.complete]
    await _confirm_and_settle(complete, partial(confirm_contact, clio_id=clio_id))
    problems += [row for reader in readers for row in _problem_rows(reader)]
    problems += await _set_aside_rows(services, lease)


async def _connected(services: Services, lease: Lease) -> Sequence[Connection]:
    """Begin the pulling phase; return the account's connections that work, the widest view first."""
    async with fenced_transaction(services.database, lease, phase=runs.PULLING) as session:
        return await connections.list_connected(session, lease.account_id)


def _problem_rows(reader: ConnectionReader) -> Problems:
    """Return the problems of a login, and of the small lists that another login read instead."""
    return [
        *(runs.problem_row(problem, reader.view.connection_id) for problem in reader.problems),
        *(failure_row(reader, name) for name in sorted(reader.failed.keys() - _NEEDED)),
    ]


async def _confirm(readers: Sequence[ConnectionReader], lookups: Awaitable[None]) -> None:
    """Look up missing records; a login that stops working ends this, and the next run finds out which one it was."""
    try:
        await lookups
    except ClioReauthRequired:
        log.warning("lookups_cut_short")
    finally:
        for reader in readers:
            await _count_usage(reader)


async def _update_issues(
    services: Services, lease: Lease, readers: Sequence[ConnectionReader], problems: Problems
) -> None:
    """Remove what only ended connections could see and was kept long enough, then update the issues."""
    now, after = services.now(), await _where_expiry_begins(services, lease)
    while after is not None:
        async with fenced_transaction(services.database, lease) as session:
            after = await issues.remove_expired(session, lease.account_id, after, now=now)
    pulled = [reader.view.connection_id for reader in readers]
    async with fenced_transaction(services.database, lease) as session:
        for reader in readers:
            if reader.read >= _RECORD_NAMES:
                await list_failures.take_back(session, lease.account_id, reader.view.connection_id)
        await issues.update_after_pull(session, lease.account_id, pulled, problems, now=now)


async def _where_expiry_begins(services: Services, lease: Lease) -> issues.Place | None:
    async with fenced_transaction(services.database, lease) as session:
        return await issues.find_expiry(session, lease.account_id, now=services.now())


async def _read_lists_as(
    services: Services, lease: Lease, run: Run, connection: Connection, known: frozenset[str]
) -> ConnectionReader:
    """Read all lists as one connection; of the small lists those that no earlier one could read (`known`)."""
    since = await _since(services, lease, run, connection)
    listings = [*RECORDS, *(one for one in SMALL_LISTS if one.name not in known)]

    async def pull(reader: ConnectionReader) -> None:
        await pull_lists(reader, listings, since)
        await retry_quarantine(reader)

    reader = await _read_as(services, lease, run, connection, pull)
    if reader.complete:
        now = services.now()
        async with fenced_transaction(services.database, lease) as session:
            await connections.mark_synced(session, connection, now=now)
            await quarantine.resolve_unknown_ids(
                session, lease.account_id, lease.run_id, connection.connection_id, now=now
            )
    return reader


async def _read_as(
    services: Services, lease: Lease, run: Run, connection: Connection, step: Step
) -> ConnectionReader:
    """Do a step as one connection; return the reader with its problems and failures."""
    clio = clio_for(services, connection, lane_of(run.kind, run.trigger))
    view = View(connection.account_id, connection.connection_id, full_view=False)
    reader = ConnectionReader(services, clio, lease, view)

    async def read() -> None:
        nonlocal reader
        login = login_of(await clio.who_am_i())
        reader = replace(reader, view=replace(view, full_view=login.full_view))
        async with fenced_transaction(services.database, lease) as session:
            await connections.update_login(session, connection, login)
        reader.read.add(WHO_AM_I)
        await step(reader)

    try:
        await noting_failure(reader, WHO_AM_I, read())
    except ClioReauthRequired as error:
        problem = Problem(error.code, str(error))
        newer = await _end_connection(services, lease, connection, problem)
        if newer is not None:
            return await _read_as(services, lease, run, newer, step)
        return replace(reader, problems=[problem], failed={})
    finally:
        await _count_usage(reader)
    return replace(reader, complete=reader.failed.keys().isdisjoint(_NEEDED))


async def _end_connection(
    services: Services, lease: Lease, connection: Connection, problem: Problem
) -> Connection | None:
    """Record that the login no longer works; the run continues with the others [S9].

    If the user has connected the same login again meanwhile, nothing is recorded, and the connection is returned as it
    is now.
    """
    status, now = connections.Status.NEEDS_RECONNECT, services.now()
    async with fenced_transaction(services.database, lease) as session:
        if not await issues.connection_ended(session, connection, status, problem, now=now):
            working = await connections.list_connected(session, connection.account_id)
            return next((one for one in working if _is_same_login(one, connection)), None)
    log.warning("connection_needs_reconnect", connection_id=connection.connection_id)
    return None


def _is_same_login(one: Connection, other: Connection) -> bool:
    clio_users = [it.login and it.login.clio_user_id for it in (one, other)]
    same_user = one.region == other.region and clio_users[0] == clio_users[1]
    return one.connection_id == other.connection_id and same_user


async def _since(
    services: Services, lease: Lease, run: Run, connection: Connection
) -> Mapping[str, datetime | None]:
    """Return from when on each list is read: its checkpoint, or None for its beginning."""
    if run.kind is not Kind.INCREMENTAL:
        return {}
    account_id, connection_id = connection.account_id, connection.connection_id
    async with fenced_transaction(services.database, lease) as session:
        since = {
            listing.name: await checkpoints.find_checkpoint(
                session, account_id, connection_id, listing.name
            )
            for listing in RECORDS
        }
        many = await records.has_more_than(
            session, account_id, records.RELATIONSHIPS, RELATIONSHIP_PAGES * PAGE
        )
    if run.slot is not None and not many:
        since[RELATIONSHIPS.name] = None
    return since


async def _count_usage(reader: ConnectionReader) -> None:
    async with fenced_transaction(reader.services.database, reader.lease) as session:
        await leases.count_usage(session, reader.lease, usage_of(reader.clio))
