"""Subscriptions to Clio's webhooks: one per connection and model, each with its own URL."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db import job_queue
from app.db.accounts import receipts
from app.db.connections import tables
from app.db.session import Session
from app.lanes import SUBSCRIPTIONS, Lane, housekeeping_key

_table = tables.subscriptions

REMEMBERED_NOTIFICATIONS = 200  # notifications whose repetition is recognised


@dataclass(frozen=True)
class Subscription:
    """One connection's subscription to one model; `pending` until Clio's handshake.

    `keyed`: the token of its address has a keyed check. `last_token_hash` is that of the newest address which Clio was
    asked to use; without a `hook_id`, Clio's response was lost.
    """

    account_id: str
    connection_id: str
    model: str
    hook_id: int | None
    pending: bool
    sealed_secret: str | None
    seen: tuple[bytes, ...]
    due_at: datetime
    keyed: bool
    last_token_hash: str | None


@dataclass(frozen=True)
class CreatedWebhook:
    """Clio's response to a subscription.

    The subscription is checked again at `due_at`, or at `unconfirmed_at` if no handshake has confirmed it.
    """

    hook_id: int
    sealed_secret: str | None
    due_at: datetime
    unconfirmed_at: datetime


async def request_subscriptions(
    session: Session, account_id: str, connection_id: str, models: Sequence[str], *, now: datetime
) -> None:
    """Mark these models to be subscribed, and queue the job; existing subscriptions are replaced."""
    rows = [
        {"account_id": account_id, "connection_id": connection_id, "model": model, "due_at": now}
        for model in models
    ]
    statement = insert(_table)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[_table.c.account_id, _table.c.connection_id, _table.c.model],
            set_={
                "due_at": statement.excluded.due_at,
                "token_hash": None,
                "pending": True,
                "sealed_secret": None,
            },
        ),
        rows,
    )
    key = housekeeping_key(SUBSCRIPTIONS, account_id)
    await job_queue.want(session, Lane.HOUSEKEEPING, key)


async def claim_due(
    session: Session, account_id: str, *, again: timedelta, limit: int, now: datetime
) -> list[Subscription]:
    """Return subscriptions to create or renew now, the oldest first. Each is hidden for the time `again`.

    The claim of one ends when its due time changes, as when a reconnect requests it anew.
    """
    due = (
        select(_table)
        .where(_table.c.account_id == account_id, _table.c.due_at <= now)
        .order_by(_table.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    until = now + again
    found = [replace(_subscription(row), due_at=until) for row in await session.execute(due)]
    for one in found:
        await _set(session, one, due_at=until)
    return found


async def next_due(session: Session, account_id: str) -> datetime | None:
    """Return when the account's next subscription must be created or renewed, or None."""
    query = select(func.min(_table.c.due_at)).where(_table.c.account_id == account_id)
    found: datetime | None = (await session.execute(query)).scalar_one()
    return found


async def start_handshake(session: Session, one: Subscription, *, token_hash: str) -> bool:
    """Store the token of a new URL before Clio is called, because Clio may start the handshake at once.

    Return whether the claim still holds; if not, nothing is stored.
    """
    return await _set_claimed(
        session,
        one,
        token_hash=token_hash,
        keyed_token_hash=token_hash,
        pending=True,
        sealed_secret=None,
        hook_id=None,
        seen=[],
    )


async def confirm_handshake(session: Session, one: Subscription, *, sealed_secret: str) -> None:
    """Store the secret of Clio's handshake."""
    await _set(session, one, pending=False, sealed_secret=sealed_secret)


async def store_webhook(
    session: Session, one: Subscription, created: CreatedWebhook, *, token_hash: str
) -> bool:
    """Store Clio's response; return whether the URL is still the current one.

    A secret in the response overrides the one of a handshake. Without a handshake the subscription is checked again
    soon.
    """
    due_at = case((_table.c.pending, created.unconfirmed_at), else_=created.due_at)
    secret = {} if created.sealed_secret is None else {"sealed_secret": created.sealed_secret}
    values = {"hook_id": created.hook_id, "due_at": due_at, **secret}
    return await _set_where(session, one, _table.c.token_hash == token_hash, **values)


async def reschedule(session: Session, one: Subscription, *, due_at: datetime) -> None:
    """Set the time of the next check, if the claim still holds."""
    await _set_claimed(session, one, due_at=due_at)


async def record_renewal(
    session: Session, one: Subscription, hook_id: int, *, due_at: datetime
) -> None:
    """Store the id of a subscription that was renewed, and the time of the next check, if the claim still holds."""
    await _set_claimed(session, one, hook_id=hook_id, due_at=due_at)


async def remember_notification(session: Session, one: Subscription, digest: bytes) -> None:
    """Store the digest of a notification, so that a repetition has no effect."""
    await _set(session, one, seen=[*one.seen[1 - REMEMBERED_NOTIFICATIONS :], digest])


async def find_account_id(session: Session, token_hash: str) -> str | None:
    """Return the account of the subscription that has this URL, or None."""
    query = select(_table.c.account_id).where(_table.c.token_hash == token_hash).limit(1)
    found: str | None = (await session.execute(query)).scalar_one_or_none()
    return found


async def lock_by_token_hash(session: Session, token_hash: str) -> Subscription | None:
    """Return the subscription of a URL and lock its row until the transaction ends, or None.

    Only the token identifies the account: Clio posts nothing else.
    """
    visible = ~receipts.is_being_erased(_table.c.account_id)
    query = select(_table).where(_table.c.token_hash == token_hash, visible)
    row = (await session.execute(query.with_for_update())).one_or_none()
    return _subscription(row) if row else None


async def delete_subscriptions(session: Session, account_id: str, connection_id: str) -> list[int]:
    """Delete a connection's subscriptions; return their ids in Clio."""
    gone = await session.execute(
        delete(_table)
        .where(_table.c.account_id == account_id, _table.c.connection_id == connection_id)
        .returning(_table.c.hook_id)
    )
    return [hook_id for hook_id in gone.scalars() if hook_id is not None]


async def _set(session: Session, one: Subscription, **values: Any) -> None:
    await session.execute(update(_table).where(_named(one)).values(values))


async def _set_claimed(session: Session, one: Subscription, **values: Any) -> bool:
    return await _set_where(session, one, _table.c.due_at == one.due_at, **values)


async def _set_where(
    session: Session, one: Subscription, condition: ColumnElement[bool], **values: Any
) -> bool:
    changed = update(_table).where(_named(one), condition).values(values)
    return (await session.execute(changed.returning(_table.c.model))).one_or_none() is not None


def _named(one: Subscription) -> ColumnElement[bool]:
    own = (_table.c.account_id == one.account_id) & (_table.c.model == one.model)
    return own & (_table.c.connection_id == one.connection_id)


def _subscription(row: Any) -> Subscription:
    return Subscription(
        account_id=row.account_id,
        connection_id=row.connection_id,
        model=row.model,
        hook_id=row.hook_id,
        pending=row.pending,
        sealed_secret=row.sealed_secret,
        seen=tuple(row.seen),
        due_at=row.due_at,
        keyed=row.keyed_token_hash is not None and row.keyed_token_hash == row.token_hash,
        last_token_hash=row.keyed_token_hash,
    )
