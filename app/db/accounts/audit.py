"""The audit logs: who did what, when, and from where. Append only; ids and JSON pointers, no client data [EN-2, S16].

An account's log is deleted with the account. What is of no single account, and the erasure of an account, is in the log
of the service, which outlives every account. The role that serves accounts can change or delete no entry [T14].
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from app.db.accounts import tables
from app.db.contacts import tables as contact_tables
from app.db.ids import new_id
from app.db.list_pages import Listed, ListPage, SortedBy, matching, read_page
from app.db.mirror.audience import Audience
from app.db.outbox import tables as outbox_tables
from app.db.session import Session

_table = tables.audit
_of_service = tables.service_audit


@dataclass(frozen=True)
class Actor:
    """The actor of a call: the service token of the call, and the user and role that Levitate's backend asserted.

    `request_id` and `source_address` say from which request, and from which address, the call came.
    """

    token_id: str | None = None
    user_id: str | None = None
    role: str | None = None
    request_id: str | None = None
    source_address: str | None = None


OPERATOR = Actor(role="operator")  # a person who runs a command of the service


@dataclass(frozen=True)
class AuditAction:
    """An action and its subject. `details` holds ids, versions and JSON pointers."""

    name: str
    subject: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AuditEntry:
    """One entry of an audit log."""

    entry_id: str
    at: datetime
    actor: Actor
    action: AuditAction


@dataclass(frozen=True)
class AuditFilter:
    """The entries that a list shows; None does not filter."""

    user_id: str | None = None
    action: str | None = None


async def record(
    session: Session, account_id: str, actor: Actor, action: AuditAction, *, now: datetime
) -> None:
    """Add an entry to the account's log, in the transaction that does the action."""
    entry = _columns(actor, action, now=now)
    await session.execute(insert(_table).values(account_id=account_id, **entry))


async def record_of_service(
    session: Session, actor: Actor, action: AuditAction, *, now: datetime
) -> None:
    """Add an entry to the log of the service, in the transaction that does the action."""
    await session.execute(insert(_of_service).values(**_columns(actor, action, now=now)))


def _columns(actor: Actor, action: AuditAction, *, now: datetime) -> dict[str, Any]:
    return {
        "entry_id": new_id("aud", now),
        "at": now,
        "token_id": actor.token_id,
        "user_id": actor.user_id,
        "role": actor.role,
        "action": action.name,
        "subject": action.subject,
        "details": dict(action.details),
        "request_id": actor.request_id,
        "source_address": actor.source_address,
    }


async def list_entries(
    session: Session, account_id: str, audience: Audience, wanted: AuditFilter, page: ListPage
) -> Listed[AuditEntry]:
    """Return a page of the entries of an account that the audience may be shown."""
    query = select(_table).where(_table.c.account_id == account_id, *matching(_table, wanted))
    query = query.where(*_seen(account_id, audience))
    return (await read_page(session, query, _sorted(_table), page)).of(_entry)


async def list_entries_of_service(
    session: Session, wanted: AuditFilter, page: ListPage, *, token_id: str | None
) -> Listed[AuditEntry]:
    """Return a page of the entries of the service; only what was done with a token if `token_id` is given."""
    query = select(_of_service).where(*matching(_of_service, wanted))
    if token_id is not None:
        query = query.where(_of_service.c.token_id == token_id)
    return (await read_page(session, query, _sorted(_of_service), page)).of(_entry)


def _sorted(table: Table) -> SortedBy:
    return SortedBy(table.c.entry_id, table.c.at, "aud")


def _entry(row: Any) -> AuditEntry:
    return AuditEntry(
        entry_id=row.entry_id,
        at=row.at,
        actor=Actor(row.token_id, row.user_id, row.role, row.request_id, row.source_address),
        action=AuditAction(row.action, row.subject, row.details),
    )


def _seen(account_id: str, audience: Audience) -> list[ColumnElement[bool]]:
    """Return the conditions that an entry may be shown: it names nothing of a person, or of one who is seen.

    It can name a person by its subject or by `contact_id` in its details. An erased person is seen by no login.
    """
    if audience.login is None:
        return []
    detail = _table.c.details["contact_id"].as_string()
    return [
        or_(_is_of_nobody(named), *_people_seen(account_id, audience, named))
        for named in (_table.c.subject, detail)
    ]


def _is_of_nobody(named: ColumnElement[str]) -> ColumnElement[bool]:
    return func.left(func.coalesce(named, ""), 4).not_in(("con_", "ncl_", "act_"))


def _people_seen(
    account_id: str, audience: Audience, named: ColumnElement[str]
) -> list[ColumnElement[bool]]:
    people = (
        (contact_tables.contacts, "contact_id", "clio_id"),
        (contact_tables.new_clients, "new_client_id", "clio_id"),
        (outbox_tables.activities, "activity_id", "clio_contact_id"),
    )
    return [
        exists().where(
            *(table.c.account_id == account_id, table.c[key] == named),
            *audience.limited_to("contacts", account_id, table.c[person]),
        )
        for table, key, person in people
    ]
