"""Erasing: what we hold of an account or of one person is deleted; Clio is told to forget an account's tokens [S15]."""

from typing import Any

import structlog

from app.db import issues, job_queue
from app.db.accounts import accounts, audit
from app.db.accounts.audit import Actor, Deed
from app.db.connections import connections
from app.db.contacts import change_feed, contacts, erasures
from app.db.contacts.change_feed import Line
from app.db.contacts.contacts import ContactNotFound
from app.db.issues import Subject
from app.db.runs import runs
from app.db.session import transaction
from app.sync.assess import new_clients, shrink_guard
from app.sync.connections.disconnect import disconnect
from app.sync.pull import suppression
from app.sync.services import Services

AT_ONCE = 100  # logins that are read at a time

log = structlog.get_logger(__name__)


async def erase_account(services: Services, account_id: str, *, actor: Actor) -> None:
    """Deauthorise every login, then delete all rows of the account; a run at work meets its fence and ends.

    Table by table, so that no statement takes too long for a large firm. Doing it twice is harmless.
    """
    async with transaction(services.database) as session:
        await runs.end_all(session, account_id, now=services.now())
        await accounts.switch_off(session, account_id)
    await _disconnect_all(services, account_id, actor)
    for table in accounts.owned():
        async with transaction(services.database) as session:
            await accounts.delete_rows(session, table, account_id)
    async with transaction(services.database) as session:
        await accounts.delete_account(session, account_id)
        await job_queue.forget(session, account_id)
    log.info("account_erased", account_id=account_id)


async def _disconnect_all(services: Services, account_id: str, actor: Actor) -> None:
    after: str | None = ""
    while after is not None:
        async with transaction(services.database) as session:
            logins = await connections.list_connections(
                session, account_id, after=after, limit=AT_ONCE
            )
        for login in logins:
            await disconnect(services, account_id, login.connection_id, actor=actor)
        after = logins[-1].connection_id if len(logins) == AT_ONCE else None


async def erase_contact(
    services: Services, account_id: str, contact_id: str, *, actor: Actor
) -> None:
    """Delete every row about a person and tell Levitate so; what Clio shows of it is ignored from now on.

    Raises ContactNotFound.
    """
    now = services.now()
    async with transaction(services.database) as session:
        await erasures.begin(session, account_id)
        clio_id = await contacts.find_clio_id(session, account_id, contact_id)
        if clio_id is None:
            raise ContactNotFound
        await suppression.add_to_suppression_list(session, services, account_id, clio_id, now=now)
        await erasures.forget_person(session, account_id, contact_id, clio_id)
        await shrink_guard.wait_no_longer(session, account_id, [clio_id], now=now)
        await new_clients.forget(session, account_id, clio_id, now=now)
        subject = Subject("contact", str(clio_id))
        await issues.resolve(session, account_id, "record_quarantined", subject, now=now)
        body: dict[str, Any] = {
            "kind": "contact.erased",
            "contact_id": contact_id,
            "clio_id": str(clio_id),
            "run_id": None,
            "at": contacts.zulu(now),
            "cause": "manual",
            "fields": {},
            "tags_added": [],
            "tags_removed": [],
            "owner": None,
            "contact": None,
        }
        await change_feed.append(session, account_id, [Line(contact_id, body)])
        deed = Deed("contact.erased", contact_id)
        await audit.record(session, account_id, actor, deed, now=now)
    log.info("contact_erased", account_id=account_id)
