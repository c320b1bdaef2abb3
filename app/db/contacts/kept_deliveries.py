"""Keeps what receivers answered to `client.new`, when it is deleted: in the new-client rows, for ever [NC-5].

Deliveries are deleted with their event, or with their endpoint.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select, text

from app.db.contacts import tables
from app.db.json_codec import codec
from app.db.session import Session

_table = tables.new_clients


@dataclass(frozen=True)
class KeptDelivery:
    """The last state of a deleted delivery of an event to one endpoint."""

    event_id: str
    endpoint_id: str
    status: Literal["pending", "delivered", "failed"]
    attempts: int
    response_status: int | None
    delivered_at: datetime | None
    last_attempt_at: datetime | None


_codec = codec(KeptDelivery)


async def keep_deliveries(
    session: Session, found: Sequence[tuple[str, str]], *, endpoint_id: str | None = None
) -> None:
    """Store the deliveries of these events, given by account and id, before they are deleted: all, or one endpoint's.

    Events of other types are ignored.
    """
    accounts, ids = [account_id for account_id, _ in found], [event_id for _, event_id in found]
    named = {"accounts": accounts, "ids": ids, "endpoint": endpoint_id}
    await session.execute(_KEEP, named)


_KEEP = text("""
    with answered as (
        select events.account_id, cast(events.data ->> 'clio_id' as bigint) as clio_id,
          jsonb_agg(jsonb_build_object('event_id', sent.event_id, 'endpoint_id', sent.endpoint_id,
            'status', sent.status, 'attempts', sent.attempts, 'response_status', sent.response_status,
            'delivered_at', sent.delivered_at, 'last_attempt_at', sent.last_attempt_at)
            order by sent.position) as deliveries
        from unnest(cast(:accounts as text[]), cast(:ids as text[])) as old (account_id, event_id)
        join events on events.account_id = old.account_id and events.event_id = old.event_id
        join deliveries sent on sent.account_id = old.account_id and sent.event_id = old.event_id
        where events.kind = 'client.new'
          and (cast(:endpoint as text) is null or sent.endpoint_id = cast(:endpoint as text))
        group by events.account_id, events.data ->> 'clio_id'
    )
    update new_clients set kept_deliveries = kept_deliveries || answered.deliveries from answered
    where new_clients.account_id = answered.account_id and new_clients.clio_id = answered.clio_id
""")


async def list_kept(session: Session, account_id: str, clio_id: int) -> list[KeptDelivery]:
    """Return the kept deliveries of a Clio contact's events, oldest first."""
    query = select(_table.c.kept_deliveries).where(
        _table.c.account_id == account_id, _table.c.clio_id == clio_id
    )
    stored = (await session.execute(query)).scalar_one_or_none()
    return [_codec.load(one) for one in stored or ()]
