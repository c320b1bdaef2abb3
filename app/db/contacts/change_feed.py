"""The change feed: the published changes of an account, in order, append only.

The sequence number `seq` of a line comes from the account's row (`accounts.feed_seq`). Appending adds to it, which
locks the row until the transaction commits. So within an account the order of `seq` is the order of commit: when a
reader has seen a number, no line with a lower number can appear later, and its cursor misses nothing [S13]. A
PostgreSQL sequence would not guarantee that, because it hands out numbers before the commit.

Append as late as possible in a transaction: the account's row is the last lock, after the contacts.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, bindparam, cast, select, update

from app.db import notifications
from app.db.accounts import tables as account_tables
from app.db.bulk import BulkInsert
from app.db.contacts import tables
from app.db.json_codec import as_bytes
from app.db.list_pages import Listed, ListPage, SortedBy, read_page
from app.db.notifications import Channel
from app.db.session import JsonText, Session, any_of

_changes = tables.changes
_TOLD_AT = cast(_changes.c.body["at"].as_string(), DateTime(timezone=True))
_accounts = account_tables.accounts
_NUMBER = (
    update(_accounts)
    .where(_accounts.c.account_id == bindparam("account"))
    .values(feed_seq=_accounts.c.feed_seq + bindparam("count"))
    .returning(_accounts.c.feed_seq)
)
_ROWS = BulkInsert(_changes, ("seq", "contact_id", "body"))


@dataclass(frozen=True)
class FeedLine:
    """A change to publish; `body` is what a reader gets, as JSON text without its `seq`."""

    contact_id: str
    body: JsonText


async def append(session: Session, account_id: str, lines: Sequence[FeedLine]) -> int | None:
    """Append lines, numbered in the given order; return the number before the first, None for no lines.

    The commit wakes the readers that wait for a change of this account.
    """
    if not lines:
        return None
    numbered = await session.execute(_NUMBER, {"account": account_id, "count": len(lines)})
    last: int = numbered.scalar_one()
    first = last - len(lines) + 1
    rows = [
        {"seq": seq, "contact_id": line.contact_id, "body": line.body}
        for seq, line in enumerate(lines, start=first)
    ]
    await session.execute(_ROWS.insert, _ROWS.parameters(rows, account_id=account_id))
    await notifications.notify(session, Channel.FEED, account_id)
    return first - 1


async def read_json(
    session: Session, account_id: str, *, after: int, limit: int
) -> tuple[bytes, int, int]:
    """Return the lines after a position as a JSON array in UTF-8, their count and the last `seq`.

    The lines are passed on as PostgreSQL returns them: nothing makes objects or texts of them.
    """
    rows = await session.execute(
        select(_changes.c.seq, as_bytes(_changes.c.body))
        .where(_changes.c.account_id == account_id, _changes.c.seq > after)
        .order_by(_changes.c.seq)
        .limit(limit)
    )
    page = rows.all()
    lines = b",".join([b'{"seq": %d, %b' % (seq, body[1:]) for seq, body in page])
    return b"[%b]" % lines, len(page), page[-1].seq if page else after


async def list_of_contact(
    session: Session, account_id: str, contact_id: str, page: ListPage
) -> Listed[tuple[int, dict[str, Any]]]:
    """Return a page of the lines of one contact, each with its `seq` [S12]."""
    query = select(_changes.c.seq, _changes.c.body).where(
        _changes.c.account_id == account_id, _changes.c.contact_id == contact_id
    )
    by = SortedBy(_changes.c.seq, _TOLD_AT)
    return (await read_page(session, query, by, page)).of(lambda row: (row.seq, row.body))


async def find_first_of_run(
    session: Session, account_id: str, run_id: str, contact_ids: Collection[str]
) -> dict[str, dict[str, Any]]:
    """Return the first line of each of these contacts in a run, by contact, without its `seq`."""
    rows = await session.execute(
        select(_changes.c.contact_id, _changes.c.body)
        .where(_changes.c.account_id == account_id, _changes.c.run_id == run_id)
        .where(any_of(_changes.c.contact_id, contact_ids))
        .order_by(_changes.c.seq.desc())
    )
    return {row.contact_id: row.body for row in rows}  # of several lines the first remains


async def find_as_of(
    session: Session, account_id: str, contact_id: str, moment: datetime
) -> dict[str, Any] | None:
    """Return the newest line of one contact at a moment, None if there was none yet [S12]."""
    line = (
        select(_changes.c.body)
        .where(_changes.c.account_id == account_id, _changes.c.contact_id == contact_id)
        .where(moment >= _TOLD_AT)
        .order_by(_changes.c.seq.desc())
        .limit(1)
    )
    body: dict[str, Any] | None = (await session.execute(line)).scalar_one_or_none()
    return body
