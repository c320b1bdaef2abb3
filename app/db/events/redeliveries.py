"""Deliveries of some time that are sent again: read in pages in the order of their ids, which is the order of time."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from app.db.events import tables
from app.db.events.deliveries import Status
from app.db.session import Session, any_of

_table = tables.deliveries
ENDED = (Status.DELIVERED, Status.FAILED)


@dataclass(frozen=True)
class Page:
    """Deliveries of an endpoint between two ids, with this status, or with any if it is empty."""

    endpoint_id: str
    after: str
    before: str
    status: str


def first_id(moment: datetime) -> str:
    """Return what comes before all ids of deliveries that were made at a moment or later."""
    return f"dlv_{max(int(moment.timestamp() * 1000), 0):012x}"


async def redeliver_page(
    session: Session, page: Page, *, limit: int, requested_at: datetime, now: datetime
) -> str | None:
    """Make the next deliveries of a page pending; return the last id that was read, None if there are no more.

    One that was tried since the request stays as it is: it was sent again already.
    """
    query = (
        select(_table.c.delivery_id)
        .where(_table.c.endpoint_id == page.endpoint_id)
        .where(_table.c.delivery_id > page.after, _table.c.delivery_id < page.before)
        .order_by(_table.c.delivery_id)
        .limit(limit)
    )
    ids: list[str] = list((await session.execute(query)).scalars())
    if not ids:
        return None
    tried_at = func.coalesce(_table.c.last_attempt_at, _table.c.created_at)
    await session.execute(
        update(_table)
        .where(_table.c.endpoint_id == page.endpoint_id, any_of(_table.c.delivery_id, ids))
        .where(any_of(_table.c.status, [page.status] if page.status else ENDED))
        .where(tried_at < requested_at)
        .values(
            status=Status.PENDING, waits_for=None, due_at=now, attempts=0, first_attempt_at=None
        )
    )
    return ids[-1]
