"""Accepting an activity: judged by the settings, worded, put at its place, and queued in the caller's transaction."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.db.accounts.accounts import Account
from app.db.contacts import contacts, erasures
from app.db.outbox import outbox
from app.db.outbox.activities import Activity, Kind, NewActivity, Status
from app.db.session import Session
from app.sync.writeback import formatting, outcomes
from app.sync.writeback.send import find_author, settings_of


@dataclass(frozen=True)
class Told:
    """An activity as Levitate tells it."""

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


async def accept(session: Session, account: Account, told: Told, *, now: datetime) -> Activity:
    """Keep an activity and queue it, block it or skip it [WB-4..6]."""
    settings = await settings_of(session, account.account_id)
    await erasures.lock_shared(
        session, account.account_id
    )  # whom we find now is not erased meanwhile
    person = await contacts.find_linked(
        session, account.account_id, contact_id=told.contact_id, clio_id=told.clio_contact_id
    )
    author = await find_author(session, account.account_id, told.user_id, settings)
    fate = outcomes.fate(
        told.kind, settings, linked=person is not None, has_author=author is not None
    )
    skipped = fate.status is Status.SKIPPED
    # A mail of megabytes takes a while to read: not on the loop that answers everybody else.
    text = (
        "" if skipped else await asyncio.to_thread(formatting.text_of, told.body, told.body_format)
    )
    zone = account.fields.time_zone
    new = NewActivity(
        account_id=account.account_id,
        kind=told.kind,
        status=fate.status,
        reason=fate.reason,
        user_id=told.user_id,
        contact_id=person.contact_id if person else told.contact_id,
        clio_contact_id=person.clio_id if person else told.clio_contact_id,
        occurred_at=told.occurred_at,
        time_zone=zone,
        local_date=told.occurred_at.astimezone(ZoneInfo(zone)).date(),
        direction=told.direction,
        conversation_id=told.conversation_id if told.kind is Kind.TEXT_MESSAGE else None,
        subject="" if skipped else formatting.subject_of(
            told.kind, told.subject, text, person.name if person else None
        ),
        body=text,
    )  # fmt: skip
    return await outbox.accept(session, new, now=now)
