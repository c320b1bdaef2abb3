"""Reading Clio as all logins of a run, one after another, the widest view first; then asking for what was missing."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from app.clio.errors import ClioReauthRequired
from app.clio.shared_limit import Lane
from app.db.connections import connections
from app.db.connections.connections import Connection, Problem
from app.db.mirror import quarantine, records
from app.db.mirror.visibility import View
from app.db.runs import checkpoints, leases, runs
from app.db.runs.leases import Lease
from app.db.runs.runs import Kind, Run, Trigger, Usage
from app.db.session import transaction
from app.sync import issues
from app.sync.connections.oauth_flow import clio_for, login_of
from app.sync.pull.deletions import confirm_contact, confirm_missing
from app.sync.pull.eta import PAGE
from app.sync.pull.pages import (
    RECORDS,
    RELATIONSHIPS,
    SMALL_LISTS,
    Puller,
    pull_all,
    read_one,
    retry_quarantine,
    usage_of,
)
from app.sync.services import Services

RELATIONSHIP_PAGES = 50  # a scheduled run reads all relationships while they take no more [row 25]
PROPOSING = (Kind.FULL, Kind.INCREMENTAL)  # runs that may find something missing
# What a firm waits for goes before what nobody waits for; a rederive run asks Clio nothing.
_LANES = {
    Kind.INCREMENTAL: Lane.INCREMENTAL,
    Kind.CONTACT: Lane.INCREMENTAL,
    Kind.INITIAL: Lane.INITIAL,
    Kind.COVERAGE: Lane.INITIAL,
    Kind.FULL: Lane.RECONCILE,
}

_NOBODY = Problem(
    "needs_reconnect", "No Clio login of this account works; a user must connect again"
)

log = structlog.get_logger(__name__)

Problems = list[dict[str, object]]


def lane_of(kind: Kind, trigger: Trigger) -> Lane:
    """The right of way of a run's calls to Clio [S10]."""
    if kind is Kind.CONTACT and trigger is Trigger.MANUAL:
        return Lane.PERSON  # somebody looks at that contact
    return _LANES[kind]


async def read_clio(services: Services, lease: Lease, found: Run, problems: Problems) -> None:
    """Pull as each connection of the run, the widest view first; one that must reconnect does not stop the others."""
    async with transaction(services.database) as session:
        await leases.hold(session, lease, phase="pulling")
        working = await connections.connected(session, lease.account_id)
    mine = [login for login in working if found.connection_id in (None, login.connection_id)]
    if not mine:
        problems.append(runs.problem_row(_NOBODY, None))
    pullers: list[Puller] = []
    for nth, connection in enumerate(mine):
        puller = await _pull_as(services, lease, found, connection, widest=nth == 0)
        pullers += [puller] if puller.complete else []
        problems += [
            runs.problem_row(problem, connection.connection_id) for problem in puller.refused
        ]
    if found.kind in PROPOSING:
        full = found.kind is Kind.FULL
        asking = [replace(one, clio=one.clio.in_lane(Lane.RECONCILE)) for one in pullers]
        await _confirm(asking, confirm_missing(asking, full=full))
    await _told(services, lease, pullers, problems)


async def read_contact(services: Services, lease: Lease, found: Run, problems: Problems) -> None:
    """One contact, its matters and relationships, as everybody sees them; asked for by a person or a nudge [S14]."""
    clio_id = found.contact_clio_id or 0
    async with transaction(services.database) as session:
        await leases.hold(session, lease, phase="pulling")
        working = await connections.connected(session, lease.account_id)
    if not working:
        problems.append(runs.problem_row(_NOBODY, None))
    pullers: list[Puller] = []
    for connection in working:
        puller = await _as_login(
            services, lease, found, connection, lambda puller: read_one(puller, clio_id)
        )
        pullers += [puller] if puller.complete else []
        problems += [
            runs.problem_row(problem, connection.connection_id) for problem in puller.refused
        ]
    await _confirm(pullers, confirm_contact(pullers, clio_id))


async def _confirm(pullers: Sequence[Puller], asking: Awaitable[None]) -> None:
    try:
        await asking
    except (
        ClioReauthRequired
    ):  # the next run finds out whose login it was; what was not asked is not gone
        log.warning("confirmation_cut_short")
    finally:
        for puller in pullers:
            await _count(puller.services, puller.lease, usage_of(puller.clio))


async def _told(
    services: Services, lease: Lease, pullers: Sequence[Puller], problems: Problems
) -> None:
    """Clio has been read: withdraw what was frozen for too long, and say what is amiss."""
    now, more = services.now(), True
    while more:
        async with transaction(services.database) as session:
            await leases.hold(session, lease)
            more = await issues.withdraw_expired(session, lease.account_id, now=now)
    pulled = [puller.view.connection_id for puller in pullers]
    async with transaction(services.database) as session:
        await leases.hold(session, lease)
        await issues.note_pulled(session, lease.account_id, pulled, problems, now=now)


async def _pull_as(
    services: Services, lease: Lease, found: Run, connection: Connection, *, widest: bool
) -> Puller:
    """All lists as one login shows them."""
    since = await _since(services, found, connection)
    listings = (*RECORDS, *SMALL_LISTS) if widest else RECORDS

    async def pull(puller: Puller) -> None:
        await pull_all(puller, listings, since)
        await retry_quarantine(puller)

    puller = await _as_login(services, lease, found, connection, pull)
    if puller.complete:
        now = services.now()
        async with transaction(services.database) as session:
            await leases.hold(session, lease)
            await connections.synced(session, connection, now=now)
            await quarantine.all_readable(
                session, lease.account_id, lease.run_id, connection.connection_id, now=now
            )
    return puller


async def _as_login(
    services: Services,
    lease: Lease,
    found: Run,
    connection: Connection,
    step: Callable[[Puller], Awaitable[None]],
) -> Puller:
    """Do a step as one login; `refused` of the puller says what was lacking, `complete` whether the login lasted."""
    clio = clio_for(services, connection, lane_of(found.kind, found.trigger))
    view = View(connection.account_id, connection.connection_id, full_view=False)
    puller = Puller(services, clio, lease, view)
    try:
        login = login_of(await clio.who_am_i())
        puller = replace(puller, view=replace(view, full_view=login.full_view))
        async with transaction(services.database) as session:
            await leases.hold(session, lease)
            await connections.update_login(session, connection, login)
        await step(puller)
    except ClioReauthRequired as error:
        problem = Problem(error.code, str(error))
        await _lost(services, lease, connection, problem)
        return replace(puller, refused=[problem])
    finally:
        await _count(services, lease, usage_of(clio))
    return replace(puller, complete=True)


async def _lost(services: Services, lease: Lease, connection: Connection, problem: Problem) -> None:
    """The login works no longer, while the run goes on with the others [S9]."""
    status = connections.Status.NEEDS_RECONNECT
    async with transaction(services.database) as session:
        await leases.hold(session, lease)
        await issues.login_left(session, connection, status, problem, now=services.now())
    log.warning("connection_needs_reconnect", connection_id=connection.connection_id)


async def _since(
    services: Services, found: Run, connection: Connection
) -> Mapping[str, datetime | None]:
    """From when on each list is asked for: its checkpoint, or its beginning (None)."""
    if found.kind is not Kind.INCREMENTAL:
        return {}
    account_id, connection_id = connection.account_id, connection.connection_id
    async with transaction(services.database) as session:
        since = {
            listing.name: await checkpoints.checkpoint(
                session, account_id, connection_id, listing.name
            )
            for listing in RECORDS
        }
        known = await records.count_records(session, account_id, records.RELATIONSHIPS)
    if found.trigger is Trigger.SCHEDULE and known <= RELATIONSHIP_PAGES * PAGE:
        since[RELATIONSHIPS.name] = None
    return since


async def _count(services: Services, lease: Lease, usage: Usage) -> None:
    async with transaction(services.database) as session:
        await leases.count_usage(session, lease, usage)
