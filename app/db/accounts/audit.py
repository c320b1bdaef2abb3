"""Who did what and when: append only, ids and pointers, never client data [EN-2, S16]."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.db.accounts import tables
from app.db.ids import new_id
from app.db.session import Session

_table = tables.audit


@dataclass(frozen=True)
class Actor:
    """Who acts: the service token that called, and the user and role that Levitate's backend asserted."""

    token_id: str | None = None
    user_id: str | None = None
    role: str | None = None


@dataclass(frozen=True)
class AuditAction:
    """What was done, to which thing. `details` holds ids, versions and JSON pointers."""

    action: str
    subject: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AuditEntry:
    """One line of the audit."""

    entry_id: str
    at: datetime
    actor: Actor
    deed: AuditAction


async def record(
    session: Session, account_id: str, actor: Actor, deed: AuditAction, *, now: datetime
) -> None:
    """Write down a deed, in the transaction that does it."""
    await session.execute(
        insert(_table).values(
            account_id=account_id,
            entry_id=new_id("aud", now),
            at=now,
            token_id=actor.token_id,
            user_id=actor.user_id,
            role=actor.role,
            action=deed.action,
            subject=deed.subject,
            details=dict(deed.details),
        )
    )


async def list_entries(
    session: Session, account_id: str, *, after: str, limit: int
) -> list[AuditEntry]:
    """Entries by id, oldest first, those after `after`."""
    rows = await session.execute(
        select(_table)
        .where(_table.c.account_id == account_id, _table.c.entry_id > after)
        .order_by(_table.c.entry_id)
        .limit(limit)
    )
    return [
        AuditEntry(
            entry_id=row.entry_id,
            at=row.at,
            actor=Actor(row.token_id, row.user_id, row.role),
            deed=AuditAction(row.action, row.subject, row.details),
        )
        for row in rows
    ]
