"""Contacts of whom something is still published that the rules would take away, because a login is set aside [row 53].

`rule_inputs.clear_stale` sets the mark.
"""

from collections.abc import Collection

from sqlalchemy import select

from app.db.mirror import staleness, tables, visibility
from app.db.session import Session

_contacts = tables.mirror_contacts


async def release_kept(
    session: Session, account_id: str, limiting: Collection[str], *, after: int, limit: int
) -> int | None:
    """Mark persons as stale of whom something was kept, unless one of the `limiting` connections has ever seen them.

    Looks at the next `limit` persons after the Clio id `after`; returns the last one's id, None when there are no more.
    """
    page = await session.execute(
        select(_contacts.c.clio_id)
        .where(_contacts.c.account_id == account_id, _contacts.c.kept, _contacts.c.clio_id > after)
        .order_by(_contacts.c.clio_id)
        .limit(limit)
        .with_for_update()
    )
    kept = list(page.scalars())
    seen = await visibility.find_ever_seen(session, account_id, limiting, kept)
    await staleness.mark_unchanged_stale(session, account_id, set(kept) - seen)
    return kept[-1] if len(kept) == limit else None
