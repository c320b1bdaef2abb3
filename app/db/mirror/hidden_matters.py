"""Hidden matters: those that a connected user with unrestricted visibility does not see [S7, row 22].

Whether a matter is hidden can change when it is landed, when a login begins or ceases to see it, and when a login has
read its list after the matter's last change. So a matter is *unsettled* from the first two until the third; and
all are looked at again when another set of logins counts. Other matters need not be looked at.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select, text, update

from app.db.connections import tables as connection_tables
from app.db.mirror import staleness, tables
from app.db.session import Session, any_of, reading_in_key_order

_table = tables.mirror_matters
_logins = connection_tables.connections

# The logins that count, each with the time until which it has read its list of matters.
_VIEWERS = """
    select connection_id, seen_until from (
        select logins.connection_id, greatest(
            (select max(since) from checkpoints as points where points.account_id = logins.account_id
                and points.connection_id = logins.connection_id and points.resource = 'matters'),
            (select max(asked_at) from pulls where pulls.account_id = logins.account_id
                and pulls.connection_id = logins.connection_id and pulls.resource = 'matters' and complete)
        ) as seen_until
        from connections as logins
        where logins.account_id = :account and logins.status = 'connected' and logins.full_view
          and logins.forget_after is null
    ) as counting where seen_until is not null
"""

# Correlated subqueries make PostgreSQL look up each row by its key. With a join, right after a first pull and without
# statistics, it would combine thirty thousand matters with all sightings of the firm in a nested loop.
_UPDATE = f"""
    with viewers as materialized ({_VIEWERS}),
    page as materialized (
        select clio_id, client_id, hidden,
          coalesce((record ->> 'updated_at')::timestamptz, '-infinity') as changed_at
        from mirror_matters
        where account_id = :account and clio_id > :after and {{which}}
        order by clio_id limit :limit
    ), judged as materialized (
        select page.*, coalesce((
            select bool_or(0 = (
                select count(*) from sightings as seen where seen.account_id = :account
                    and seen.resource = 'matters' and seen.clio_id = page.clio_id
                    and seen.connection_id = viewers.connection_id))
            from viewers where viewers.seen_until >= page.changed_at), false) as hides,
          0 < (select count(*) from viewers where viewers.seen_until < page.changed_at) as unsettles
        from page
    ), written as (
        update mirror_matters as matters set hidden = judged.hides, unsettled = judged.unsettles
        from judged where matters.account_id = :account and matters.clio_id = judged.clio_id
          and (matters.hidden, matters.unsettled) <> (judged.hides, judged.unsettles)
    )
    select clio_id, client_id, hidden <> hides as changed from judged
"""  # noqa: S608  # our own text
_UPDATE_UNSETTLED = text(_UPDATE.format(which="unsettled"))
_UPDATE_ALL = text(_UPDATE.format(which="true"))


@dataclass(frozen=True)
class Viewers:
    """The logins that count now, and whether other ones counted when all matters were last looked at."""

    connection_ids: Sequence[str]
    changed: bool


async def load_viewers(session: Session, account_id: str) -> Viewers:
    """Return the logins that decide which matters are hidden."""
    now = set((await session.execute(text(_VIEWERS), {"account": account_id})).scalars())
    query = select(_logins.c.connection_id).where(
        _logins.c.account_id == account_id, _logins.c.decides_hidden
    )
    before = set((await session.execute(query)).scalars())
    return Viewers(sorted(now), now != before)


async def store_viewers(session: Session, account_id: str, viewers: Viewers) -> None:
    """Store that all matters were looked at with these logins."""
    counts = any_of(_logins.c.connection_id, viewers.connection_ids)
    await session.execute(
        update(_logins)
        .where(_logins.c.account_id == account_id, _logins.c.decides_hidden != counts)
        .values(decides_hidden=counts)
    )


async def unsettle(session: Session, account_id: str, clio_ids: Collection[int]) -> None:
    """Store that a login begins or ceases to see these matters."""
    await session.execute(
        update(_table)
        .where(_table.c.account_id == account_id, any_of(_table.c.clio_id, clio_ids))
        .where(~_table.c.unsettled)
        .values(unsettled=True)
    )


async def update_hidden_matters(
    session: Session,
    account_id: str,
    *,
    everything: bool,
    after: int,
    limit: int,
    beside: str | None = None,
) -> int | None:
    """Update which of the next `limit` matters are hidden: of all, or of those that are not settled.

    Only a user whose own list was read to its end after the matter's last change counts. Contacts of changed matters
    become stale; for `beside` see `staleness.mark_stale`. Returns after which Clio id to go on; None when there are no
    more.
    """
    update_ = _UPDATE_ALL if everything else _UPDATE_UNSETTLED
    names = {"account": account_id, "after": after, "limit": limit}
    async with reading_in_key_order(session):
        page = (await session.execute(update_, names)).all()
    changed = [row for row in page if row.changed]
    await staleness.mark_matter_contacts_stale(
        session,
        account_id,
        client_ids={row.client_id for row in changed if row.client_id is not None},
        matter_ids=[row.clio_id for row in changed],
        beside=beside,
    )
    return max(row.clio_id for row in page) if len(page) == limit else None
