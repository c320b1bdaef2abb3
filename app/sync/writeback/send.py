"""What Levitate's users did, brought to Clio, once, as the user who did it (docs/writeback.md).

A job names a contact; whoever has the turn there brings what waits, one activity after another. That an attempt is
made is stored before its first byte leaves, so that whoever finds it unfinished looks in Clio before sending again.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from app.clio import notes
from app.clio.client import ClioClient
from app.clio.errors import ClioError, ClioReauthRequired
from app.clio.shared_limit import Lane
from app.db.accounts import accounts
from app.db.accounts import settings as stored_settings
from app.db.connections import connections
from app.db.connections.connections import Connection
from app.db.outbox import contact_leases, outbox
from app.db.outbox.activities import Activity, Kind, Outcome, Reason, Status
from app.db.outbox.contact_leases import ContactLease
from app.db.session import Session, transaction
from app.errors import DatabaseUnavailable, Problem, RunTakenOver
from app.rules.settings import FallbackAuthor, WritebackSettings
from app.sync import issues
from app.sync.concurrency import run_with_companion
from app.sync.connections.oauth_flow import clio_for
from app.sync.services import Services
from app.sync.writeback import formatting, outcomes

SIT_OUT = timedelta(seconds=1)  # a wait that a job sits out; for a longer one it comes again
SEARCH_OVERLAP = timedelta(days=1)  # clocks differ, and a day's notes on one contact are few

log = structlog.get_logger(__name__)


async def settings_of(session: Session, account_id: str) -> WritebackSettings:
    """What the firm chose."""
    return (await stored_settings.get_current(session, account_id)).settings.writeback


@dataclass(frozen=True)
class Author:
    """The login that writes; `by` names the user when it is another's [WB-5]."""

    connection: Connection
    by: str | None = None


@dataclass(frozen=True)
class Step:
    """What is to be done next at a contact: send or look up, or wait, or nothing (then it is released)."""

    activity: Activity | None = None
    author: Author | None = None
    look: bool = False
    wait: timedelta | None = None


async def find_author(
    session: Session, account_id: str, user_id: str, settings: WritebackSettings
) -> Author | None:
    """The login to write with: the user's own, or the fallback that the firm chose [WB-5]."""
    working = await connections.list_connected(session, account_id)
    own = next((login for login in working if login.user_id == user_id), None)
    if own is not None:
        return Author(own)
    if settings.fallback_author is not FallbackAuthor.PRIMARY_CONNECTION or not working:
        return None
    account = await accounts.get_account(session, account_id)
    primary = account.fields.primary_user_id
    login = next((login for login in working if login.user_id == primary), working[0])
    users = {user.user_id: user.name for user in await accounts.list_users(session, account_id)}
    return Author(login, by=users.get(user_id, user_id))


async def write_back(services: Services, account_id: str, clio_contact_id: int) -> timedelta | None:
    """Bring what waits at a contact; answers after how long to come again, None when nothing is left."""
    try:
        async with transaction(services.database) as session:
            length = services.timing.lease
            taken = await contact_leases.acquire(
                session, account_id, clio_contact_id, length=length
            )
        if not isinstance(taken, ContactLease):
            return taken
        structlog.contextvars.bind_contextvars(account_id=account_id)
        waits: list[timedelta] = []
        await run_with_companion(_bring_all(services, taken, waits), _keep(services, taken))
    except RunTakenOver:
        return None
    return waits[0] if waits else None


async def _keep(services: Services, turn: ContactLease) -> None:
    """Prolong the turn while the work goes on; losing it ends the work."""
    while True:
        await asyncio.sleep(services.timing.lease.total_seconds() / 3)
        async with transaction(services.database) as session:
            await contact_leases.renew(session, turn)


async def _bring_all(services: Services, turn: ContactLease, waits: list[timedelta]) -> None:
    """One activity after another, until there is none or the next must wait."""
    while True:
        step = await _next(services, turn)
        if step.wait is not None and step.wait <= SIT_OUT and not services.stopping.is_set():
            await asyncio.sleep(step.wait.total_seconds())
        elif step.wait is not None:
            waits.append(step.wait)
            return
        elif step.activity is None:
            return
        elif step.author is not None:
            outcome = await _brought(services, step.activity, step.author, look=step.look)
            await _store(services, turn, step.activity, step.author, outcome)


async def _next(services: Services, turn: ContactLease) -> Step:
    """What to do next; an attempt that will be made is noted here, before its first byte leaves."""
    now = services.now()
    async with transaction(services.database) as session:
        await contact_leases.renew(session, turn)
        activity = await contact_leases.next_activity(session, turn)
        account = await accounts.get_account(session, turn.account_id)
        if activity is None or not account.fields.enabled:
            await contact_leases.release(session, turn)
            return Step()
        if services.stopping.is_set():
            await contact_leases.release(session, turn)
            return Step(wait=timedelta(0))
        if activity.due_at is not None and activity.due_at > now:
            wait = activity.due_at - now
            if wait > SIT_OUT:
                await contact_leases.release(session, turn)
            return Step(wait=wait)
        activity = await contact_leases.inherit_conversation(session, activity)
        author = await _author_now(session, activity)
        if author is None:
            blocked = outcomes.blocked(unsure=activity.unsure)
            await outbox.record_outcome(session, activity, blocked, now=now)
            return Step(activity)
        if not _must_look(activity):
            begun = await contact_leases.begin_attempt(
                session,
                turn,
                activity,
                author.connection.connection_id,
                due_at=now + services.timing.settle,
                now=now,
            )
            return Step(begun or activity, author if begun else None)
        return Step(activity, author, look=True)


async def _author_now(session: Session, activity: Activity) -> Author | None:
    """The author of a new attempt; of one whose outcome is unknown, only the login that made it can tell."""
    settings = await settings_of(session, activity.account_id)
    author = await find_author(session, activity.account_id, activity.user_id, settings)
    if not activity.unsure or activity.connection_id is None:
        return author
    working = await connections.list_connected(session, activity.account_id)
    made = next((c for c in working if c.connection_id == activity.connection_id), None)
    if made is None:
        return None
    own = author is not None and author.connection.connection_id == made.connection_id
    return author if own else Author(made)


def _must_look(activity: Activity) -> bool:
    """Whether Clio may have it already; a record whose id is known is simply written again."""
    return activity.unsure and activity.clio_id is None


async def _brought(
    services: Services, activity: Activity, author: Author, *, look: bool
) -> Outcome:
    """Look for the activity in Clio, or send it. A fault of ours ends it, plainly."""
    log.info("activity_attempted", activity_id=activity.activity_id, count=activity.attempts)
    clio = clio_for(services, author.connection, Lane.WRITE_BACK)
    try:
        if look:
            return await _looked_up(clio, activity, services.timing.settle)
        return await _sent(services, clio, activity, author)
    except (RunTakenOver, DatabaseUnavailable):
        raise
    except Exception:  # else it would be tried for ever, and hold up the contact
        log.exception("activity_broke", activity_id=activity.activity_id)
        text = "This service met a fault, which was logged; retry looks in Clio before sending"
        return Outcome(Status.FAILED, Reason.INTERNAL, text, unsure=activity.unsure)


async def _store(
    services: Services, turn: ContactLease, activity: Activity, author: Author, outcome: Outcome
) -> None:
    """Store what came of it; a login that Clio refused is told, so that its user connects again."""
    async with transaction(services.database) as session:
        await contact_leases.renew(session, turn)
        await contact_leases.end_attempt(session, activity, outcome, now=services.now())
        if outcome.reason is Reason.NEEDS_CONNECTION:
            problem = Problem("needs_reconnect", "Clio no longer accepts this login; connect again")
            lost = connections.Status.NEEDS_RECONNECT
            await issues.connection_ended(
                session, author.connection, lost, problem, now=services.now()
            )
    log.info(
        "activity_settled",
        activity_id=activity.activity_id,
        status=outcome.status,
        reason=outcome.reason,
    )


async def _sent(
    services: Services, clio: ClioClient, activity: Activity, author: Author
) -> Outcome:
    """Send it: a note, or the conversation's communication, made or updated."""
    try:
        clio_id = await _write(clio, activity, author)
    except ClioError as error:
        updating = activity.clio_id is not None
        outcome = outcomes.of_write(error, settle=services.timing.settle, updating=updating)
        if outcome.reason is Reason.CONTACT_GONE:
            return await _gone_or_hidden(services, activity, author, outcome)
        return outcome
    return Outcome(Status.WRITTEN, clio_id=clio_id)


def _write(clio: ClioClient, activity: Activity, author: Author) -> Awaitable[int]:
    if activity.kind is not Kind.TEXT_MESSAGE:
        return notes.create_note(clio, formatting.note(activity, by=author.by))
    if activity.clio_id is not None:
        body = formatting.communication_body(activity, by=author.by)
        return notes.update_communication(clio, activity.clio_id, body=body)
    login = author.connection.login
    user_id = login.clio_user_id if login and author.by is None else None
    made = formatting.communication(activity, clio_user_id=user_id, by=author.by)
    return notes.create_communication(clio, made)


async def _gone_or_hidden(
    services: Services, activity: Activity, author: Author, gone: Outcome
) -> Outcome:
    """Clio knows no such contact for the author: another login that sees it proves it is only hidden [row 29]."""
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
                continue  # it can tell nothing; its own next run says so
            return outcomes.of_write(error, settle=services.timing.settle, updating=False)
        if seen:
            text = "The author does not see this contact in Clio; a colleague does"
            return Outcome(Status.FAILED, Reason.NO_ACCESS, text)
    return gone


async def _looked_up(clio: ClioClient, activity: Activity, settle: timedelta) -> Outcome:
    """Whether Clio has it. That it is not found counts only while the author still sees the contact."""
    try:
        found = await find(clio, activity)
        if not found and not await clio.sees_contact(activity.clio_contact_id or 0):
            return outcomes.unverified()
    except ClioError as error:
        return outcomes.of_search(error, settle=settle)
    return outcomes.of_finding(
        found, rounds=activity.rounds, grows=activity.conversation_id is not None
    )


async def find(clio: ClioClient, activity: Activity) -> list[int]:
    """The records in Clio that bear the activity's marker, oldest first."""
    marker = activity.marker or ""
    if activity.kind is Kind.TEXT_MESSAGE:
        return await notes.find_communications(clio, formatting.PROPERTY, marker)
    since = (activity.first_attempt_at or activity.created_at) - SEARCH_OVERLAP
    contact_id = activity.clio_contact_id or 0
    return await notes.find_notes(clio, contact_id, formatting.reference(marker), since=since)
