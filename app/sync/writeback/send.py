"""Sending activities to Clio: each once, as the user who did it (docs/writeback.md).

A job names a contact. The worker that holds the contact's lease sends what waits there, one activity after another.
An attempt is stored before its first byte is sent, so that a worker that finds it unfinished searches in Clio before
it sends again.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from app.clio import notes
from app.clio.client import ClioClient
from app.clio.errors import ClioError, ClioReauthRequired
from app.clio.shared_rate_limit import Lane
from app.db.accounts import accounts
from app.db.connections import connections
from app.db.outbox import contact_leases, outbox
from app.db.outbox.activities import Activity, Kind, Outcome, Reason, Status
from app.db.outbox.contact_leases import ContactLease
from app.db.session import transaction
from app.errors import DatabaseUnavailable, Problem, RunTakenOver
from app.sync import issues
from app.sync.concurrency import Stopping, run_while_renewing
from app.sync.connections import clio_for
from app.sync.services import Services
from app.sync.writeback import formatting, outcomes
from app.sync.writeback.authors import Author, find_author_of

MAX_SLEEP = timedelta(seconds=1)  # for a longer wait the job ends and is queued again
SEARCH_OVERLAP = timedelta(days=1)  # clocks differ, and a contact has few notes of one day

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Step:
    """The next step at a contact: send or search an activity, or wait. Without either the lease is released."""

    activity: Activity | None = None
    author: Author | None = None
    search: bool = False
    wait: timedelta | None = None


async def write_back(services: Services, account_id: str, clio_contact_id: int) -> timedelta | None:
    """Send what waits at a contact; return after how long to continue, or None when nothing is left."""
    try:
        async with transaction(services.database) as session:
            length = services.timing.lease
            acquired = await contact_leases.acquire(
                session, account_id, clio_contact_id, length=length
            )
        if not isinstance(acquired, ContactLease):
            return acquired
        structlog.contextvars.bind_contextvars(account_id=account_id)
        waits: list[timedelta] = []
        await run_while_renewing(
            _send_all(services, acquired, waits),
            partial(_renew_lease, services, acquired),
            lease=services.timing.lease,
        )
    except RunTakenOver:
        return None
    return waits[0] if waits else None


async def _renew_lease(services: Services, lease: ContactLease) -> None:
    """Renew the lease; losing it ends the work."""
    async with transaction(services.database) as session:
        await contact_leases.renew(session, lease)


async def _send_all(services: Services, lease: ContactLease, waits: list[timedelta]) -> None:
    """Do one step after another until nothing is left or the next step must wait."""
    while True:
        step = await _next_step(services, lease)
        if step.wait is not None and step.wait <= MAX_SLEEP and not services.stopping.is_set():
            await asyncio.sleep(step.wait.total_seconds())
        elif step.wait is not None:
            waits.append(step.wait)
            return
        elif step.activity is None:
            return
        elif step.author is not None:
            outcome = await _attempt(services, step.activity, step.author, search=step.search)
            await _store(services, lease, step.activity, step.author, outcome)


async def _next_step(services: Services, lease: ContactLease) -> Step:
    """Return the next step; an attempt is stored here, before its first byte is sent."""
    now = services.now()
    async with transaction(services.database) as session:
        await contact_leases.renew(session, lease)
        activity = await contact_leases.next_activity(session, lease)
        account = await accounts.find_account(session, lease.account_id)
        if activity is None or account is None or not account.fields.enabled:
            await contact_leases.release(session, lease)
            return Step()
        if services.stopping.is_set():
            await contact_leases.release(session, lease)
            return Step(wait=timedelta(0))
        if activity.due_at is not None and activity.due_at > now:
            wait = activity.due_at - now
            if wait > MAX_SLEEP:
                await contact_leases.release(session, lease)
            return Step(wait=wait)
        activity = await contact_leases.inherit_conversation(session, activity)
        author = await find_author_of(session, activity)
        if author is None:
            blocked = outcomes.blocked(unsure=activity.unsure)
            await outbox.record_outcome(session, activity, blocked, now=now)
            return Step(activity)
        if not _must_search(activity):
            begun = await contact_leases.begin_attempt(
                session,
                lease,
                activity,
                author.connection.connection_id,
                due_at=now + services.timing.settle,
                now=now,
            )
            return Step(begun or activity, author if begun else None)
        return Step(activity, author, search=True)


def _must_search(activity: Activity) -> bool:
    """Return whether Clio may have it already; a record whose id is known is simply updated."""
    return activity.unsure and activity.clio_id is None


async def _attempt(
    services: Services, activity: Activity, author: Author, *, search: bool
) -> Outcome:
    """Search the activity in Clio, or send it. An unexpected error ends it as failed."""
    log.info("activity_attempted", activity_id=activity.activity_id, count=activity.attempts)
    clio = clio_for(services, author.connection, Lane.WRITE_BACK)
    try:
        if search:
            return await _search(clio, activity, services.timing.settle)
        return await _send(services, clio, activity, author)
    except (RunTakenOver, DatabaseUnavailable):
        raise
    except Stopping:  # it is raised only by waits before the first byte: nothing was sent
        return outcomes.stopped(searching=search)
    except Exception:  # otherwise it would be retried for ever and block the contact
        log.exception("activity_crashed", activity_id=activity.activity_id)
        text = "This service had an internal error, which was logged. A retry searches in Clio before it sends"
        return Outcome(Status.FAILED, Reason.INTERNAL, text, unsure=activity.unsure)


async def _store(
    services: Services,
    lease: ContactLease,
    activity: Activity,
    author: Author,
    outcome: Outcome,
) -> None:
    """Store the outcome; if Clio refused the login, mark the connection so that its user connects again."""
    async with transaction(services.database) as session:
        await contact_leases.renew(session, lease)
        await contact_leases.end_attempt(session, activity, outcome, now=services.now())
        if outcome.reason is Reason.NEEDS_CONNECTION:
            problem = Problem(
                "needs_reconnect", "Clio no longer accepts this login. The user must connect again"
            )
            await issues.connection_ended(
                session,
                author.connection,
                connections.Status.NEEDS_RECONNECT,
                problem,
                now=services.now(),
            )
    log.info(
        "activity_outcome_stored",
        activity_id=activity.activity_id,
        status=outcome.status,
        reason=outcome.reason,
    )


async def _send(
    services: Services, clio: ClioClient, activity: Activity, author: Author
) -> Outcome:
    """Create the note, or create or update the conversation's communication."""
    try:
        clio_id = await _write(clio, activity, author)
    except ClioError as error:
        updating = activity.clio_id is not None
        outcome = outcomes.after_failed_write(
            error, settle=services.timing.settle, updating=updating
        )
        if outcome.reason is Reason.CONTACT_GONE:
            return await _gone_or_hidden(services, activity, author, outcome)
        return outcome
    return Outcome(Status.WRITTEN, clio_id=clio_id)


def _write(clio: ClioClient, activity: Activity, author: Author) -> Awaitable[int]:
    if activity.kind is not Kind.TEXT_MESSAGE:
        return notes.create_note(clio, formatting.build_note(activity, by=author.by))
    if activity.clio_id is not None:
        body = formatting.communication_body(activity, by=author.by)
        return notes.update_communication(clio, activity.clio_id, body=body)
    login = author.connection.login
    user_id = login.clio_user_id if login and author.by is None else None
    new = formatting.build_communication(activity, clio_user_id=user_id, by=author.by)
    return notes.create_communication(clio, new)


async def _gone_or_hidden(
    services: Services, activity: Activity, author: Author, gone: Outcome
) -> Outcome:
    """Return `gone`, or "no access" if another login sees the contact: it is hidden from the author [row 29]."""
    async with transaction(services.database) as session:
        working = await connections.list_connected(session, activity.account_id)
    for login in working:
        if login.connection_id == author.connection.connection_id:
            continue
        clio = clio_for(services, login, Lane.WRITE_BACK)
        try:
            seen = await clio.sees_contact(activity.clio_contact_id or 0)
        except ClioError as error:
            if isinstance(error, ClioReauthRequired):
                continue  # this login proves nothing; its own next run reports it
            return outcomes.after_failed_write(error, settle=services.timing.settle, updating=False)
        if seen:
            text = "The author does not see this contact in Clio, but a colleague does"
            return Outcome(Status.FAILED, Reason.NO_ACCESS, text)
    return gone


async def _search(clio: ClioClient, activity: Activity, settle: timedelta) -> Outcome:
    """Search the activity in Clio. Finding nothing counts only while the author still sees the contact."""
    try:
        found = await find_in_clio(clio, activity)
        if not found and not await clio.sees_contact(activity.clio_contact_id or 0):
            return outcomes.unverified()
    except ClioError as error:
        return outcomes.after_failed_search(error, settle=settle)
    return outcomes.after_search(
        found, rounds=activity.rounds, updatable=activity.conversation_id is not None
    )


async def find_in_clio(clio: ClioClient, activity: Activity) -> list[int]:
    """Return the ids of the records in Clio that have the activity's marker, oldest first. Raises ClioError."""
    marker = activity.marker or ""
    if activity.kind is Kind.TEXT_MESSAGE:
        return await notes.find_communications(clio, formatting.MARKER_PROPERTY, marker)
    since = (activity.first_attempt_at or activity.created_at) - SEARCH_OVERLAP
    contact_id = activity.clio_contact_id or 0
    reference = formatting.reference_line(marker)
    return await notes.find_notes(clio, contact_id, reference, since=since)
