"""Read Clio as every connection of a run, side by side; then look up what the lists lacked, and update the issues.

An attempt may end before all is read: what it has done is stored, and the next one continues without repeating a call.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial

import structlog

from app.clio.call_budget import CallBudget
from app.clio.errors import ClioReauthRequired, ClioRefused
from app.db.connections.connections import Connection
from app.db.mirror import former_users
from app.db.runs import list_failures, named_records, runs
from app.db.runs.leases import Lease, fenced_transaction
from app.db.runs.runs import Kind, Run
from app.db.session import Session
from app.errors import Problem
from app.lanes import Lane
from app.sync import issues
from app.sync.concurrency import check_pause, run_together
from app.sync.pull.attempts import Attempt, run_attempt
from app.sync.pull.deletions import confirm_contact, confirm_missing, confirm_named
from app.sync.pull.failures import failure_row, forbidden_list, noting_failure, settle_or_pause
from app.sync.pull.listings import CONTACTS, RECORDS, SMALL_LISTS, Listing
from app.sync.pull.logins import NEEDED, RECORD_NAMES, Step, read_as, read_lists
from app.sync.pull.named_records import read_named_records
from app.sync.pull.pages import pull_lists
from app.sync.pull.publishing import Publish, Publishing
from app.sync.pull.reader import ConnectionReader
from app.sync.pull.single_records import read_contact_records
from app.sync.services import Services

LOGINS_AT_ONCE = 8
FINDS_DELETIONS = (Kind.FULL, Kind.INCREMENTAL)
_NO_CONTACTS = (
    "No Clio login of this account may read contacts. Give one of the users the right in Clio"
)
_NO_CONNECTION = runs.problem_row(
    Problem("needs_reconnect", "No Clio login of this account works. A user must connect again"),
    None,
)

log = structlog.get_logger(__name__)

Problems = list[dict[str, object]]
Confirm = Callable[[Sequence[ConnectionReader]], Awaitable[None]]


async def read_clio(
    services: Services,
    lease: Lease,
    run: Run,
    problems: Problems,
    budget: CallBudget,
    *,
    publish: Publish | None = None,
) -> None:
    """Read the lists or the records that the run asks for, and add to `problems` what went wrong.

    `publish` publishes beside it what a login has read completely [IS-2]. A connection that must reconnect, whose lists
    fail or that waits for its rate limit does not stop the others. Raises RunTakenOver, Stopping, Paused, PullPostponed
    and other errors of Clio.
    """
    firm = partial(_read_firm, publish=publish)
    read = _read_contact if run.kind is Kind.CONTACT else firm
    step = _read_named if run.named_only else read

    async def work(attempt: Attempt) -> None:
        if any(connection.forgets for connection in attempt.begun.connected):
            await _forget_former_users(attempt)
        await step(attempt, problems=problems)

    await run_attempt(services, lease, run, budget, work)


async def _forget_former_users(attempt: Attempt) -> None:
    """Delete what the Clio user before saw of each connection that another one has taken over, in small steps.

    What is read as the new user comes after it.
    """
    forgetting = True
    while forgetting:
        async with fenced_transaction(attempt.services.database, attempt.lease) as session:
            forgetting = await former_users.forget_some(session, attempt.lease.account_id)
        check_pause(attempt.services.stopping, attempt.budget)


async def _read_firm(attempt: Attempt, problems: Problems, publish: Publish | None) -> None:
    """Read the lists as each connection of the run."""
    run, connected = attempt.run, attempt.begun.connected
    usable = [one for one in connected if run.connection_id in (None, one.connection_id)]
    problems += [] if usable else [_NO_CONNECTION]
    publishing = Publishing(attempt, publish)
    readers = await publishing.beside(_read_lists(attempt, usable))
    others = [connection for connection in connected if connection not in usable]
    elsewhere = await _readable_elsewhere(attempt, readers, others)
    with publishing.without_waits():
        readers = await settle_or_pause(readers, problems, elsewhere)
    complete = [reader for reader in readers if reader.login.complete]
    if run.kind in FINDS_DELETIONS:
        for reader in complete:
            await _lower_priority(attempt, reader)
        look_up = partial(confirm_missing, full=run.kind is Kind.FULL)
        complete = await _confirm_and_settle(complete, problems, look_up)
    problems += [row for reader in readers for row in _list_rows(reader)]
    problems += _rows_of_ended(attempt, readers)
    problems += await _set_aside_rows(attempt)
    await _update_issues(attempt, complete, problems)
    if complete and all(forbidden_list(CONTACTS) in one.login.problems for one in complete):
        raise ClioRefused(_NO_CONTACTS, status=403, code="clio_forbidden")


async def _read_contact(attempt: Attempt, problems: Problems) -> None:
    """Read one contact with its matters and relationships as every connection [S14]."""
    clio_id = attempt.run.contact_clio_id
    if clio_id is None:
        return  # the person was erased since
    read = partial(read_contact_records, clio_id=clio_id)
    look_up = partial(confirm_contact, clio_id=clio_id)
    await _read_records(attempt, problems, attempt.begun.connected, read, look_up)


async def _read_named(attempt: Attempt, problems: Problems) -> None:
    """Read the records that webhooks of Clio named, as the connections that named or see them."""
    find = partial(named_records.list_logins, lease=attempt.lease)
    logins = await attempt.lander.write(find)
    usable = [one for one in attempt.begun.connected if one.connection_id in logins]
    await _read_records(attempt, problems, usable, read_named_records, confirm_named)


async def _read_records(
    attempt: Attempt,
    problems: Problems,
    usable: Sequence[Connection],
    read: Step,
    look_up: Confirm,
) -> None:
    """Read single records as these logins, and look up those that Clio did not show."""
    connected = attempt.begun.connected
    problems += [] if connected else [_NO_CONNECTION]
    readers = await _side_by_side(attempt, usable, lambda _: partial(_read_records_as, read))
    others = [connection for connection in connected if connection not in usable]
    elsewhere = await _readable_elsewhere(attempt, readers, others)
    readers = await settle_or_pause(readers, problems, elsewhere)
    complete = [reader for reader in readers if reader.login.complete]
    await _confirm_and_settle(complete, problems, look_up)
    problems += [row for reader in readers for row in _problem_rows(reader)]
    problems += _rows_of_ended(attempt, readers)
    problems += await _set_aside_rows(attempt)


async def _read_records_as(read: Step, reader: ConnectionReader) -> None:
    await read(reader)
    if not reader.pauses and not reader.failed:
        reader.note(complete=True)


async def _read_lists(attempt: Attempt, usable: Sequence[Connection]) -> list[ConnectionReader]:
    """Read the lists as each login; of the small lists the first login reads those that no login has read."""
    small = attempt.unread_small_lists()

    def step_of(place: int) -> Step:
        return partial(read_lists, attempt.run, [*RECORDS, *([] if place else small)])

    readers = await _side_by_side(attempt, usable, step_of)
    return [await _fill_small_lists(attempt, reader, readers) for reader in readers]


async def _side_by_side(
    attempt: Attempt, usable: Sequence[Connection], step_of: Callable[[int], Step]
) -> list[ConnectionReader]:
    """Do the step of each place as the login there, unless it is complete; some logins at the same time.

    Return the readers of the logins that this run has not set aside, in their order.
    """
    aside, few = attempt.begun.aside, asyncio.Semaphore(LOGINS_AT_ONCE)
    kept = [connection for connection in usable if connection.connection_id not in aside]
    readers = [attempt.reader_of(connection) for connection in kept]

    todo = [place for place, reader in enumerate(readers) if not reader.login.complete]

    async def read(place: int) -> None:
        async with few:
            readers[place] = await read_as(attempt, readers[place], step_of(place))

    await run_together(*(read(place) for place in todo))
    return readers


async def _fill_small_lists(
    attempt: Attempt, reader: ConnectionReader, readers: Sequence[ConnectionReader]
) -> ConnectionReader:
    """Read the small lists that no login before this one could read; one whose budget is spent reads them later."""
    unread = attempt.unread_small_lists()
    later = any(timedelta(0) in other.pauses for other in readers)
    works = reader.login.full_view is not None and not (reader.ended or reader.pauses)
    if not unread or later or not works:
        return reader
    new = [listing for listing in unread if listing.name not in reader.failed]
    return await read_as(attempt, reader, lambda reader: pull_lists(reader, new, {}))


async def _readable_elsewhere(
    attempt: Attempt, readers: Sequence[ConnectionReader], others: Sequence[Connection]
) -> frozenset[str]:
    """Return which of the lists that failed the account's other logins can read: they ask for the first page.

    Without this one broken login would hold up a run that leaves out the others, and the runs behind it.
    """
    failed = {name for reader in readers for name in reader.failed}
    readable: set[str] = set()
    budget = attempt.services.open_budget()  # the failures may have spent the attempt's
    for connection in others:
        wanted = [one for one in (*RECORDS, *SMALL_LISTS) if one.name in failed - readable]
        if failed - readable:
            probe = partial(_probe, wanted)
            reader = attempt.reader_of(connection)
            reader.clio.within(budget)
            reader = await read_as(attempt, reader, probe)
            readable |= reader.read
    return frozenset(readable)


async def _probe(listings: Sequence[Listing], reader: ConnectionReader) -> None:
    for listing in listings:
        await noting_failure(reader, listing.name, _read_first_page(reader, listing))


async def _read_first_page(reader: ConnectionReader, listing: Listing) -> None:
    await anext(reader.clio.pages(listing.resource))
    reader.read.add(listing.name)


async def _lower_priority(attempt: Attempt, reader: ConnectionReader) -> None:
    """Let the login's look-ups wait for reads of changes."""
    await reader.count_usage()
    reader.clio = reader.clio.in_lane(Lane.RECONCILE)
    attempt.eta.clients[reader.connection_id] = reader.clio


async def _confirm_and_settle(
    asking: list[ConnectionReader], problems: Problems, look_up: Confirm
) -> list[ConnectionReader]:
    """Look up missing records, again without the logins whose failures set them aside; return the others.

    A login that stops working ends this, and the next run finds out which one it was.
    """
    while True:
        try:
            await look_up(asking)
        except ClioReauthRequired:
            log.warning("lookups_cut_short")
        kept = await settle_or_pause(asking, problems)
        if len(kept) == len(asking):
            return kept
        asking = kept


def _list_rows(reader: ConnectionReader) -> Problems:
    """Return the problems of a login's lists, and of the small lists that another login read instead."""
    dropped = [
        Problem(
            "clio_field_unknown", f"Clio no longer has the field {name}. It was left out; report it"
        )
        for name in sorted(reader.clio.dropped)
    ]
    return [
        *_problem_rows(reader),
        *(runs.problem_row(problem, reader.connection_id) for problem in dropped),
    ]


def _problem_rows(reader: ConnectionReader) -> Problems:
    return [
        *(runs.problem_row(problem, reader.connection_id) for problem in reader.login.problems),
        *(failure_row(reader, name) for name in sorted(reader.failed.keys() - NEEDED)),
    ]


def _rows_of_ended(attempt: Attempt, readers: Sequence[ConnectionReader]) -> Problems:
    """Return the problems of the run's logins that ended in an earlier attempt."""
    known, only = {reader.connection_id for reader in readers}, attempt.run.connection_id
    return [
        runs.problem_row(problem, login.connection_id)
        for login in attempt.begun.logins.values()
        for problem in login.problems
        if login.connection_id not in known and problem.code == "needs_reconnect"
        if only in (None, login.connection_id)
    ]


async def _set_aside_rows(attempt: Attempt) -> Problems:
    """Return a problem for each login that this run has set aside."""
    account_id = attempt.lease.account_id
    found = await attempt.lander.write(partial(list_failures.list_set_aside, account_id=account_id))
    return [
        runs.problem_row(
            Problem("login_set_aside", f"This login was set aside. {one.detail}"), one.connection_id
        )
        for one in found
        if one.run_id == attempt.lease.run_id
    ]


async def _update_issues(
    attempt: Attempt, readers: Sequence[ConnectionReader], problems: Problems
) -> None:
    """Remove what only ended connections could see and was kept long enough, then update the issues."""
    account_id, now, write = attempt.lease.account_id, attempt.services.now(), attempt.lander.write
    after = await write(partial(issues.find_expiry, account_id=account_id, now=now))
    while after is not None:
        expire = partial(issues.remove_expired, account_id=account_id, place=after, now=now)
        after = await write(expire)
    pulled = [reader.connection_id for reader in readers]

    async def update(session: Session) -> None:
        for reader in readers:
            if reader.read >= RECORD_NAMES:
                await list_failures.take_back(session, account_id, reader.connection_id)
        await issues.update_after_pull(session, account_id, pulled, problems, now=now)

    await write(update)
