"""Accepting an activity: check the settings, format the text, store and queue it in the caller's transaction."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from app.db.accounts import accounts
from app.db.accounts.accounts import Account
from app.db.contacts import contacts, erasures
from app.db.contacts.contacts import LinkedContact, contact_id_of
from app.db.mirror.audience import EVERYBODY, Audience
from app.db.outbox import outbox
from app.db.outbox.activities import Activity, Kind, NewActivity, Reason, Status
from app.db.session import Session
from app.errors import AppError
from app.lanes import Lane
from app.sync.connections import time_until_request
from app.sync.slot_times import zone_of
from app.sync.writeback import formatting, outcomes, unknown_users
from app.sync.writeback.authors import Author, find_author, load_settings
from app.sync.writeback.plain_text import count_unstorable

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ActivityRequest:
    """An activity as Levitate posts it; nothing in its texts is cleaned yet.

    A contact whom the audience does not see counts as not linked to Clio, like one that is not known.
    """

    kind: Kind
    user_id: str
    contact_id: str | None
    clio_contact_id: int | None
    occurred_at: datetime
    subject: str
    body: str
    body_format: str
    direction: str | None
    conversation_id: str | None
    audience: Audience = EVERYBODY


class ContactMismatch(AppError):
    """The two ids of the contact name different contacts."""

    status = 422
    code = "contact_mismatch"
    title = "contact_id and clio_contact_id name different contacts"
    next_step = "send one of them, or both of one contact"


async def accept_activity(
    session: Session, account: Account, request: ActivityRequest, text: str, *, now: datetime
) -> Activity:
    """Store an activity with its `format_text` as queued, blocked or skipped, and return it [WB-4..6].

    Raises ContactMismatch.
    """
    settings = await load_settings(session, account.account_id)
    # The person found below cannot be erased before the transaction ends.
    await erasures.lock_shared(session, account.account_id)
    await _check_ids(session, account.account_id, request)
    person = await _find_contact(session, account.account_id, request)
    user = await accounts.find_user(session, account.account_id, request.user_id)
    author = await find_author(session, account.account_id, request.user_id, settings)
    initial = outcomes.initial_status(
        request.kind,
        settings,
        linked=person is not None,
        is_known=user is not None,
        has_author=author is not None,
    )
    new = _new_activity(account, request, text, initial, person)
    if initial.reason is Reason.USER_UNKNOWN:
        await unknown_users.report(session, account.account_id, request.user_id, now=now)
    accepted = await outbox.accept(session, new, after=await _wait_of(session, author), now=now)
    if count := sum(map(count_unstorable, (request.subject, request.body))):
        log.info("activity_text_cleaned", activity_id=accepted.activity_id, count=count)
    return accepted


def _new_activity(
    account: Account,
    request: ActivityRequest,
    text: str,
    initial: outcomes.InitialStatus,
    person: LinkedContact | None,
) -> NewActivity:
    """Return the activity as it is stored. One that is skipped keeps no text."""
    skipped = initial.status is Status.SKIPPED
    zone = account.fields.time_zone
    return NewActivity(
        account_id=account.account_id,
        kind=request.kind,
        status=initial.status,
        reason=initial.reason,
        problem=initial.problem,
        user_id=request.user_id,
        contact_id=person.contact_id if person else request.contact_id,
        clio_contact_id=person.clio_id if person else request.clio_contact_id,
        occurred_at=request.occurred_at,
        time_zone=zone,
        local_date=request.occurred_at.astimezone(zone_of(zone)).date(),
        direction=request.direction,
        conversation_id=request.conversation_id if request.kind is Kind.TEXT_MESSAGE else None,
        subject="" if skipped else formatting.format_subject(
            request.kind, request.subject, text, person.name if person else None
        ),
        body="" if skipped else text,
    )  # fmt: skip


async def _check_ids(session: Session, account_id: str, request: ActivityRequest) -> None:
    """Raise ContactMismatch if both ids are given and differ. Whoever is not seen counts as not known."""
    contact_id, clio_id = request.contact_id, request.clio_contact_id
    if contact_id is None or clio_id is None:
        return
    known = await contacts.find_clio_id(session, account_id, contact_id, request.audience)
    agree = contact_id == contact_id_of(account_id, clio_id) if known is None else known == clio_id
    if not agree:
        raise ContactMismatch


async def _find_contact(
    session: Session, account_id: str, request: ActivityRequest
) -> LinkedContact | None:
    return await contacts.find_linked(
        session,
        account_id,
        request.audience,
        contact_id=request.contact_id,
        clio_id=request.clio_contact_id,
    )


async def _wait_of(session: Session, author: Author | None) -> timedelta:
    """Return after what time the author's login has a request left: until then nobody needs to try."""
    if author is None:
        return timedelta(0)
    return await time_until_request(session, author.connection, Lane.WRITE_BACK)


async def format_text(request: ActivityRequest) -> str:
    """Return the body as plain text. Call it before a transaction is opened, because megabytes of HTML take seconds.

    They are converted in a thread, so that other requests go on.
    """
    return await asyncio.to_thread(formatting.format_body, request.body, request.body_format)
