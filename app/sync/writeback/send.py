"""Sending activities to Clio: each once, as the user who did it (docs/writeback.md).

A slice sends what waits at some contacts of an account, side by side; at one contact it sends one activity after
another, under the contact's lease. An attempt is stored before its first byte is sent, so that a worker that finds it
unfinished searches in Clio before it sends again. No attempt begins before Clio accepts a request of its login.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog

from app.clio import notes
from app.clio.call_budget import BudgetSpent, CallBudget
from app.clio.client import ClioClient
from app.clio.errors import ClioError, ClioReauthRequired, ClioRetryLater
from app.db.connections import connections
from app.db.outbox import contact_leases, outbox, waiting
from app.db.outbox.activities import Activity, Kind, Outcome, Reason, Status
from app.db.outbox.contact_leases import ContactLease
from app.db.session import transaction
from app.errors import DatabaseUnavailable, Problem, RunTakenOver
from app.lanes import Lane
from app.sync import issues
from app.sync.concurrency import Stopping, run_together, run_while_renewing
from app.sync.connections import clio_for
from app.sync.services import Services
from app.sync.writeback import formatting, outcomes
from app.sync.writeback.authors import Author, find_author_of

CONTACTS_AT_ONCE = 8  # in one slice
SEARCH_OVERLAP = timedelta(days=1)  # clocks differ, and a contact has few notes of one day

log = structlog.get_logger(__name__)


@dataclass
class Sending:
    """The state that the contacts of one slice share.

    `closed` says until when no request of a user's author is accepted. `visited` are the contacts that the slice has
    taken: those at which it stopped are left to the next one.
    """

    services: Services
    account_id: str
    budget: CallBudget
    closed: dict[str, datetime] = field(default_factory=dict)
    visited: set[int] = field(default_factory=set)
    choosing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def is_over(self) -> bool:
        """Return whether no further attempt may begin."""
        return self.services.stopping.is_set() or self.budget.is_spent()


@dataclass(frozen=True)
class Step:
    """The next step at a contact: to send or to search an activity, as its author; without an author it is blocked."""

    activity: Activity
    author: Author | None = None

    @property
    def searches(self) -> bool:
        """Return whether Clio may have it already; a record whose id is known is simply updated."""
        return self.activity.unsure and self.activity.clio_id is None


async def send_waiting(sending: Sending) -> None:
    """Send what waits at the account's contacts until nothing can be sent or the slice is over."""
    await run_together(*(_send_contacts(sending) for _ in range(CONTACTS_AT_ONCE)))


async def _send_contacts(sending: Sending) -> None:
    """Take one contact after another, and send what waits there."""
    services = sending.services
    while not sending.is_over and (lease := await _take_contact(sending)):
        try:
            await run_while_renewing(
                _send_all(sending, lease),
                partial(_renew_lease, services, lease),
                lease=services.timing.lease,
            )
        except RunTakenOver:
            log.warning("contact_taken_over", clio_id=lease.clio_contact_id, fence=lease.fence)
        except DatabaseUnavailable:
            raise
        except Exception:  # the other contacts go on; this one is tried again when its lease ends
            log.exception("contact_crashed", clio_id=lease.clio_contact_id)


async def _take_contact(sending: Sending) -> ContactLease | None:
    """Acquire the lease of the contact that waits longest; None if nothing can be sent now."""
    services, account_id = sending.services, sending.account_id
    async with sending.choosing, transaction(services.database, account_id) as session:
        while found := await waiting.find_contact(
            session,
            account_id,
            except_users=sending.closed,
            except_contacts=sending.visited,
            now=services.now(),
        ):
            contact_id, length = found.clio_contact_id, services.timing.lease
            sending.visited.add(contact_id)
            lease = await contact_leases.acquire(session, account_id, contact_id, length=length)
            if lease is not None:
                return lease
    return None


async def _renew_lease(services: Services, lease: ContactLease) -> None:
    """Renew the lease; losing it ends the work."""
    async with transaction(services.database, lease.account_id) as session:
        await contact_leases.renew(session, lease)


async def _send_all(sending: Sending, lease: ContactLease) -> None:
    """Do one step after another until nothing is left here or the next step must wait; then release the lease."""
    while step := await _next_step(sending, lease):
        if step.author is not None and not await _attempted(sending, lease, step, step.author):
            break
        if sending.is_over:
            break
    async with transaction(sending.services.database, lease.account_id) as session:
        await contact_leases.release(session, lease)


async def _next_step(sending: Sending, lease: ContactLease) -> Step | None:
    """Return the next step at the contact, None if nothing can be done there now."""
    services, now = sending.services, sending.services.now()
    async with transaction(services.database, lease.account_id) as session:
        await contact_leases.renew(session, lease)
        activity = await contact_leases.next_activity(session, lease)
        if activity is None:
            return None
        if activity.due_at is not None and activity.due_at > now:
            return None
        activity = await contact_leases.inherit_conversation(session, activity)
        author = await find_author_of(session, activity)
        if author is None:
            blocked = outcomes.blocked(unsure=activity.unsure)
            await outbox.record_outcome(session, activity, blocked, now=now)
        return Step(activity, author)


async def _attempted(sending: Sending, lease: ContactLease, step: Step, author: Author) -> bool:
    """Send or search the activity; return False if Clio accepts no request of the author now.

    A request is reserved first: an attempt that could not be sent would only be stored.
    """
    services, activity = sending.services, step.activity
    clio = clio_for(services, author.connection, Lane.WRITE_BACK, sending.budget)
    try:
        await clio.reserve()
    except (BudgetSpent, Stopping):
        return False
    except ClioRetryLater as error:
        sending.closed[activity.user_id] = services.now() + error.after
        return False
    clio.within(sending.budget.without_end())  # what is begun is ended in this slice
    try:
        begun = activity if step.searches else await _begin(services, lease, activity, author)
        if begun is not None:
            outcome = await _attempt(services, clio, begun, author, search=step.searches)
            await _store(services, lease, begun, author, outcome)
    finally:
        clio.give_back()
    return True


async def _begin(
    services: Services, lease: ContactLease, activity: Activity, author: Author
) -> Activity | None:
    """Store an attempt before its first byte is sent; return None if the activity was cancelled meanwhile."""
    now = services.now()
    async with transaction(services.database, lease.account_id) as session:
        await contact_leases.renew(session, lease)
        return await contact_leases.begin_attempt(
            session,
            lease,
            activity,
            author.connection.connection_id,
            due_at=now + services.timing.settle,
            now=now,
        )


async def _attempt(
    services: Services, clio: ClioClient, activity: Activity, author: Author, *, search: bool
) -> Outcome:
    """Search the activity in Clio, or send it. An unexpected error ends it as failed."""
    log.info("activity_attempted", activity_id=activity.activity_id, count=activity.attempts)
    try:
        if search:
            return await _search(services, clio, activity)
        return await _send(services, clio, activity, author)
    except (RunTakenOver, DatabaseUnavailable):
        raise
    except (BudgetSpent, Stopping):  # raised only before the first byte: nothing was sent
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
    async with transaction(services.database, lease.account_id) as session:
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
        pause = outcomes.pause_before_search(activity.rounds, services.timing.settle)
        outcome = outcomes.after_failed_write(error, pause=pause, updating=updating)
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
    async with transaction(services.database, activity.account_id) as session:
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
            return outcomes.after_failed_write(error, pause=services.timing.settle, updating=False)
        if seen:
            text = "The author does not see this contact in Clio, but a colleague does"
            return Outcome(Status.FAILED, Reason.NO_ACCESS, text)
    return gone


async def _search(services: Services, clio: ClioClient, activity: Activity) -> Outcome:
    """Search the activity in Clio. Finding nothing counts only while the author still sees the contact."""
    try:
        found = await find_in_clio(clio, activity)
        if not found and not await clio.sees_contact(activity.clio_contact_id or 0):
            return outcomes.unverified()
    except ClioError as error:
        settle = services.timing.settle
        return outcomes.after_failed_search(error, rounds=activity.rounds, settle=settle)
    return outcomes.after_search(found, activity, now=services.now())


async def find_in_clio(clio: ClioClient, activity: Activity) -> list[int]:
    """Return the ids of the records in Clio that have the activity's marker, oldest first. Raises ClioError."""
    marker = activity.marker or ""
    if activity.kind is Kind.TEXT_MESSAGE:
        return await notes.find_communications(clio, formatting.MARKER_PROPERTY, marker)
    since = activity.created_at - SEARCH_OVERLAP
    contact_id = activity.clio_contact_id or 0
    reference = formatting.reference_line(marker)
    return await notes.find_notes(clio, contact_id, reference, since=since)
