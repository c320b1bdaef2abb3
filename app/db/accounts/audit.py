"""The audit log: who did what and when. Append only; ids and JSON pointers, never client data [EN-2, S16]."""

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
    """The actor of a call: the service token of the call, and the user and role that Levitate's backend asserted."""

    token_id: str | None = None
    user_id: str | None = None
    role: str | None = None


@dataclass(frozen=True)
class AuditAction:
    """An action and its subject. `details` holds ids, versions and JSON pointers."""

    name: str
    subject: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AuditEntry:
    """One entry of the audit log."""

    entry_id: str
    at: datetime
    actor: Actor
    action: AuditAction


async def record(
    session: Session, account_id: str, actor: Actor, action: AuditAction, *, now: datetime
) -> None:
    """Add an entry, in the transaction that does the action."""
    await session.execute(
        insert(_table).values(
            account_id=account_id,
            entry_id=new_id("aud", now),
            at=now,
            token_id=actor.token_id,
            user_id=actor.user_id,
            role=actor.role,
            action=action.name,
            subject=action.subject,
            details=dict(action.details),
        )
    )


async def list_entries(
    session: Session, account_id: str, *, after: str, limit: int
) -> list[AuditEntry]:
    """Return entries by id, oldest first, those after `after`."""
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
            action=AuditAction(row.action, row.subject, row.details),
        )
        for row in rows
    ]
