"""Webhook endpoints that were deleted: their deliveries go some at a time, and last the endpoint's row.

What was answered to `client.new` stays in the new-client rows [NC-5]. Marking an endpoint is in
`app/db/events/endpoints.py`.
"""

from sqlalchemy import text

from app.db.contacts import kept_deliveries
from app.db.session import Session

# Retention locks an event before it keeps and deletes its deliveries. Those that it has now are left to it.
_LOCK_SOME = text("""
    select d.account_id, d.event_id from deliveries d
    join events on events.account_id = d.account_id and events.event_id = d.event_id
    where d.endpoint_id = :endpoint order by d.delivery_id limit :limit
    for no key update of events skip locked
""")
_DELETE = text("""
    delete from deliveries d using unnest(cast(:accounts as text[]), cast(:ids as text[])) as old (account_id, event_id)
    where d.account_id = old.account_id and d.event_id = old.event_id and d.endpoint_id = :endpoint
""")


async def delete_some_deliveries(session: Session, endpoint_id: str, *, limit: int) -> int:
    """Delete up to `limit` deliveries of a deleted endpoint; return how many. 0 may also say that others have them."""
    found = await session.execute(_LOCK_SOME, {"endpoint": endpoint_id, "limit": limit})
    events = [(row.account_id, row.event_id) for row in found]
    await kept_deliveries.keep_deliveries(session, events, endpoint_id=endpoint_id)
    accounts, ids = [account_id for account_id, _ in events], [event_id for _, event_id in events]
    await session.execute(_DELETE, {"accounts": accounts, "ids": ids, "endpoint": endpoint_id})
    return len(events)


async def delete_if_empty(session: Session, endpoint_id: str) -> bool:
    """Delete the row of a deleted endpoint without deliveries; return whether it is gone.

    The lock waits for transactions that still store an event for it.
    """
    named = {"endpoint": endpoint_id}
    await session.execute(_LOCK, named)
    await session.execute(_DELETE_EMPTY, named)
    return (await session.execute(_LOCK, named)).one_or_none() is None


_LOCK = text(
    "select endpoint_id from webhook_endpoints"
    " where endpoint_id = :endpoint and deleted_at is not null for update"
)
_DELETE_EMPTY = text(
    "delete from webhook_endpoints e where endpoint_id = :endpoint and deleted_at is not null"
    " and not exists (select from deliveries d where d.endpoint_id = e.endpoint_id)"
)
