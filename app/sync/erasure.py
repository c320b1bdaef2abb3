"""Erasure: delete what is stored of an account or of one person, and revoke an account's Clio tokens [S15]."""

from typing import Any

import structlog

from app.db import issues, job_queue
from app.db.accounts import accounts, audit
from app.db.accounts.audit import Actor, AuditAction
from app.db.connections import connections
from app.db.contacts import change_feed, contacts, documents, erasures
from app.db.contacts.change_feed import FeedLine
from app.db.contacts.contacts import ContactNotFound
from app.db.issues import Subject
from app.db.runs import runs
from app.db.session import transaction
from app.sync.assess import forget_new_client, stop_waiting
from app.sync.connections import disconnect_login
from app.sync.pull import add_to_suppression_list
from app.sync.services import Services

BATCH_SIZE = 100  # connections read at a time

log = structlog.get_logger(__name__)


async def erase_account(services: Services, account_id: str, *, actor: Actor) -> None:
    """Revoke the tokens of all logins, then delete all rows of the account; a running run ends at its fence.

    Each table has its own transaction, so that no statement takes too long for a large firm. Repeating is harmless.
    """
    async with transaction(services.database) as session:
        await runs.cancel_all(session, account_id, now=services.now())
        await accounts.disable_account(session, account_id)
    await _disconnect_all(services, account_id, actor)
    for table in accounts.owned_tables():
        async with transaction(services.database) as session:
            await accounts.delete_rows(session, table, account_id)
    async with transaction(services.database) as session:
        await accounts.delete_account(session, account_id)
        await job_queue.delete_jobs(session, account_id)
    log.info("account_erased", account_id=account_id)


async def _disconnect_all(services: Services, account_id: str, actor: Actor) -> None:
    after: str | None = ""
    while after is not None:
        async with transaction(services.database) as session:
            logins = await connections.list_connections(
                session, account_id, after=after, limit=BATCH_SIZE
            )
        for login in logins:
            await disconnect_login(services, account_id, login.connection_id, actor=actor)
        after = logins[-1].connection_id if len(logins) == BATCH_SIZE else None


async def erase_contact(
    services: Services, account_id: str, contact_id: str, *, actor: Actor
) -> None:
    """Delete all rows about a person, report it in the change feed, and ignore the person in Clio from now on.

    Raises ContactNotFound.
    """
    now = services.now()
    async with transaction(services.database) as session:
        await erasures.lock_exclusive(session, account_id)
        clio_id = await contacts.find_clio_id(session, account_id, contact_id)
        if clio_id is None:
            raise ContactNotFound
        await add_to_suppression_list(session, services, account_id, clio_id, now=now)
        await erasures.delete_person(session, account_id, contact_id, clio_id)
        await stop_waiting(session, account_id, [clio_id], now=now)
        await forget_new_client(session, account_id, clio_id, now=now)
        subject = Subject("contact", str(clio_id))
        await issues.resolve_issues(session, account_id, "record_quarantined", subject, now=now)
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
        await change_feed.append(session, account_id, [FeedLine(contact_id, body)])
        action = AuditAction("contact.erased", contact_id)
        await audit.record(session, account_id, actor, action, now=now)
    log.info("contact_erased", account_id=account_id)
