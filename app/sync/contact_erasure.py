"""Erasing one person: delete what is stored about the person, and ignore the person in Clio from now on [S15]."""

from datetime import datetime
from typing import Any

import structlog

from app.db import issues
from app.db.accounts import audit, receipts
from app.db.accounts.audit import Actor, AuditAction
from app.db.contacts import change_feed, contacts, documents, erasures, traces
from app.db.contacts.change_feed import FeedLine
from app.db.contacts.contacts import ContactNotFound
from app.db.contacts.holds import HoldKind
from app.db.issues import Subject
from app.db.json_codec import json_text
from app.db.mirror.audience import Audience
from app.db.session import transaction
from app.errors import Problem
from app.sync import reading_issues
from app.sync.assess import forget_new_client, stop_waiting
from app.sync.pull import add_to_suppression_list
from app.sync.services import Services

log = structlog.get_logger(__name__)


async def erase_contact(
    services: Services, account_id: str, contact_id: str, audience: Audience, *, actor: Actor
) -> str:
    """Delete all rows about a person, report it in the change feed, and return the id of the erasure's receipt.

    Raises ContactNotFound, also for a person whom the audience does not see.
    """
    now = services.now()
    async with transaction(services.database, account_id) as session:
        await erasures.lock_exclusive(session, account_id)
        clio_id = await contacts.find_clio_id(session, account_id, contact_id, audience)
        if clio_id is None:
            raise ContactNotFound
        await add_to_suppression_list(session, services, account_id, clio_id, now=now)
        await erasures.delete_person(session, account_id, contact_id, clio_id)
        await stop_waiting(session, account_id, HoldKind.REMOVALS, [clio_id], now=now)
        await forget_new_client(session, account_id, clio_id, now=now)
        await traces.forget_in_holds(session, account_id, clio_id)
        subject = Subject("contact", str(clio_id))
        await issues.resolve_issues(session, account_id, "record_quarantined", subject, now=now)
        await reading_issues.update_unread_values(session, account_id, now=now)
        await traces.forget_in_issues(session, account_id, clio_id)
        line = _last_line(contact_id, clio_id, now=now)
        await change_feed.append(session, account_id, [line])
        action = AuditAction("contact.erased", contact_id)
        await audit.record(session, account_id, actor, action, now=now)
        kept = _kept(await traces.count_matters(session, account_id, clio_id))
        receipt = await receipts.record_contact(
            session, account_id, contact_id, kept, by=actor.user_id, now=now
        )
    log.info("contact_erased", account_id=account_id)
    return receipt


def _kept(matters: int) -> list[Problem]:
    """Return what is kept of an erased person, and why, for the receipt. `docs/retention.md` says more."""
    found = [
        ("kept_hash", "A keyed hash of the person's Clio id is kept, so that the person is not read from Clio again"),
        ("kept_feed_line", "The change feed keeps one last line about the contact, with ids only, for its readers"),
        ("kept_audit", "The audit log keeps our id of the contact, until it is deleted after its time"),
    ]  # fmt: skip
    if matters:
        text = (
            f"{matters} matters of the firm keep the Clio id of the person, who is or was their client, because other"
            " people are related to them; the numbers of the person's own matters were deleted"
        )
        found.append(("kept_matters", text))
    return [Problem(code, detail) for code, detail in found]


def _last_line(contact_id: str, clio_id: int, *, now: datetime) -> FeedLine:
    """Return the last line of a contact in the change feed."""
    body: dict[str, Any] = {
        "kind": "contact.erased",
        "contact_id": contact_id,
        "clio_id": str(clio_id),
        "run_id": None,
        "at": documents.format_time(now),
        "cause": "manual",
        "fields": {},
        "tags_added": [],
        "tags_removed": [],
        "owner": None,
        "contact": None,
    }
    return FeedLine(contact_id, json_text(body))
