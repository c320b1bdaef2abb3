"""The steps of a run as one login: ask who the user is, read all lists, notice that the login has ended."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

import structlog

from app.clio.errors import ClioReauthRequired
from app.db.connections import connections
from app.db.connections.connections import Connection
from app.db.mirror import quarantine, records, unread_values
from app.db.runs import checkpoints, list_failures, run_logins
from app.db.runs.runs import Kind, Run
from app.db.session import Session
from app.errors import Problem
from app.sync import issues
from app.sync.connections import login_of
from app.sync.pull.attempts import Attempt
from app.sync.pull.eta import PAGE
from app.sync.pull.failures import WHO_AM_I, noting_failure
from app.sync.pull.listings import RECORDS, RELATIONSHIPS, Listing
from app.sync.pull.pages import pull_lists
from app.sync.pull.reader import ConnectionReader
from app.sync.pull.single_records import retry_quarantine

# A scheduled run reads all relationships as long as they fill no more pages than this [row 25].
RELATIONSHIP_PAGES = 50
RECORD_NAMES = frozenset(listing.name for listing in RECORDS)
NEEDED = RECORD_NAMES | {WHO_AM_I}

log = structlog.get_logger(__name__)

Step = Callable[[ConnectionReader], Awaitable[None]]


async def read_as(attempt: Attempt, reader: ConnectionReader, step: Step) -> ConnectionReader:
    """Do a step as one login, and store how far it came; return its reader.

    A login that Clio refuses ends, and the run continues with the others [S9]; if its user has connected the same login
    again meanwhile, the reader of the new authorisation is returned.
    """
    try:
        if reader.login.full_view is None:
            await noting_failure(reader, WHO_AM_I, _ask_who_it_is(reader))
        if reader.login.full_view is not None:
            await step(reader)
    except ClioReauthRequired as error:
        newer = await _end_connection(reader, Problem(error.code, str(error)))
        if newer is not None:
            return await read_as(attempt, attempt.renewed(reader, newer), step)
    await reader.save()
    return reader


async def _ask_who_it_is(reader: ConnectionReader) -> None:
    login = login_of(await reader.clio.who_am_i())
    reader.note(full_view=login.full_view)
    noted, lease = reader.login, reader.lease

    async def store(session: Session) -> None:
        await run_logins.save(session, lease, noted)  # it locks the account, which comes first
        await list_failures.forget_failure(session, lease, reader.connection_id, WHO_AM_I)
        await connections.update_login(session, reader.connection, login)

    await reader.lander.put(store)
    reader.read.add(WHO_AM_I)


async def read_lists(run: Run, listings: Sequence[Listing], reader: ConnectionReader) -> None:
    """Read these lists and what is in quarantine; note that the login is complete when all of it was read."""
    first = run.kind is Kind.INITIAL
    await pull_lists(reader, listings, await _since(reader, run), contacts_last=first)
    if not reader.pauses:
        await retry_quarantine(reader)
    if not reader.pauses and reader.failed.keys().isdisjoint(NEEDED):
        await _complete(reader)


async def _complete(reader: ConnectionReader) -> None:
    reader.note(complete=True)
    lease, now, connection_id = reader.lease, reader.services.now(), reader.connection_id

    async def store(session: Session) -> None:
        await connections.mark_synced(session, reader.connection, now=now)
        await quarantine.resolve_unknown_ids(
            session, lease.account_id, lease.run_id, connection_id, now=now
        )
        await unread_values.forget_gone(session, lease.account_id, lease.run_id, connection_id)

    await reader.lander.put(store)


async def _since(reader: ConnectionReader, run: Run) -> Mapping[str, datetime | None]:
    """Return from when on each list is read: its checkpoint, or None for its beginning."""
    if run.kind is not Kind.INCREMENTAL or reader.pulls.keys() >= RECORD_NAMES:
        return {}
    return await reader.lander.write(partial(_find_since, reader, run))


async def _find_since(
    reader: ConnectionReader, run: Run, session: Session
) -> Mapping[str, datetime | None]:
    account_id, connection_id = reader.view.account_id, reader.connection_id
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


async def _end_connection(reader: ConnectionReader, problem: Problem) -> Connection | None:
    """Record that the login no longer works; the run continues with the others [S9].

    If the user has connected the same login again meanwhile, nothing is recorded, and the connection is returned as it
    is now.
    """
    connection, now = reader.connection, reader.services.now()
    status = connections.Status.NEEDS_RECONNECT

    async def end(session: Session) -> Connection | None:
        if await issues.connection_ended(session, connection, status, problem, now=now):
            return None
        working = await connections.list_connected(session, connection.account_id)
        return next((one for one in working if _is_same_login(one, connection)), None)

    newer = await reader.lander.write(end)
    if newer is None:
        log.warning("connection_needs_reconnect", connection_id=connection.connection_id)
        reader.ended = True
        reader.failed.clear()
        reader.pauses.clear()
        reader.note(problems=(problem,), complete=False)
    return newer


def _is_same_login(one: Connection, other: Connection) -> bool:
    clio_users = [it.login and it.login.clio_user_id for it in (one, other)]
    same_user = one.region == other.region and clio_users[0] == clio_users[1]
    return one.connection_id == other.connection_id and same_user
