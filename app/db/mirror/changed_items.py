"""Items of the small lists that changed. The contacts that depend on them are marked as stale in batches.

Landing an item only notes it here: a custom field or a practice area may belong to every contact of a firm. Before a
run assesses contacts, it marks those that depend on what is noted.
"""

from collections.abc import Collection
from functools import partial

from sqlalchemy import BigInteger, delete, exists, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.db.mirror import staleness, tables
from app.db.mirror.staleness import Affected
from app.db.session import Session, any_of, reading_in_key_order

_table = tables.changed_items
_contacts = tables.mirror_contacts
_matters = tables.mirror_matters

# The fields of a matter that refer to an item of the list: a renamed item makes the clients stale [row 25].
_NAMED_BY = {
    "practice_areas": (("practice_area_id",),),
    "matter_stages": (("stage_id",),),
    "users": (("responsible", "clio_user_id"), ("originating", "clio_user_id")),
}
_NEXT_CONTACTS = text("""
    select clio_id, exists (
        select from jsonb_array_elements(record -> 'custom_values') held
        where cast(held ->> 'field_id' as bigint) = any(cast(:fields as bigint[]))
    ) as depends
    from mirror_contacts where account_id = :account and clio_id > :after order by clio_id limit :limit
""")


async def note(session: Session, account_id: str, resource: str, clio_ids: Collection[int]) -> None:
    """Note items of a list that have changed, come or gone."""
    key = {"account_id": account_id, "resource": resource, "marked_to": 0}
    statement = insert(_table)
    again = statement.on_conflict_do_update(
        index_elements=list(_table.primary_key.columns),
        set_={"marked_to": statement.excluded.marked_to},
    )
    if rows := [{**key, "clio_id": clio_id} for clio_id in sorted(clio_ids)]:
        await session.execute(again, rows)


async def forget_before_first_assessment(session: Session, account_id: str) -> None:
    """Delete the notes of an account of which nobody was ever assessed: all of its contacts are stale already."""
    assessed = exists().where(_contacts.c.account_id == account_id, _contacts.c.rules_version > 0)
    await session.execute(delete(_table).where(_table.c.account_id == account_id, ~assessed))


async def mark_next(session: Session, account_id: str, *, limit: int) -> bool:
    """Mark the next contacts as stale that depend on changed items of one list; return whether there was something.

    It looks at `limit` contacts, or matters. The items are forgotten when all contacts that depend on them are marked.
    """
    own = _table.c.account_id == account_id
    first = select(_table.c.resource, _table.c.marked_to).where(own)
    row = (
        await session.execute(first.order_by(_table.c.resource, _table.c.marked_to).limit(1))
    ).one_or_none()
    if row is None:
        return False
    of_list = own & (_table.c.resource == row.resource)
    changed = list((await session.execute(select(_table.c.clio_id).where(of_list))).scalars())
    names = _NAMED_BY.get(row.resource)
    if names is None:
        mark = partial(_mark_with_values, fields=changed)
    else:
        mark = partial(_mark_of_matters, paths=names, items=changed)
    last = await mark(session, account_id, after=row.marked_to, limit=limit)
    if last is None:
        await session.execute(delete(_table).where(of_list))
    else:
        await session.execute(update(_table).where(of_list).values(marked_to=last))
    return True


async def _mark_with_values(
    session: Session, account_id: str, *, fields: Collection[int], after: int, limit: int
) -> int | None:
    """Mark the next contacts that have a value of one of these custom fields [CF-5]."""
    names = {"account": account_id, "fields": list(fields), "after": after, "limit": limit}
    async with reading_in_key_order(session):
        page = (await session.execute(_NEXT_CONTACTS, names)).all()
    holding = [row.clio_id for row in page if row.depends]
    await staleness.mark_stale(session, account_id, Affected(holding))
    return page[-1].clio_id if len(page) == limit else None


async def _mark_of_matters(
    session: Session,
    account_id: str,
    *,
    paths: Collection[tuple[str, ...]],
    items: Collection[int],
    after: int,
    limit: int,
) -> int | None:
    """Mark the contacts of the next matters that refer to one of these items."""
    ids = (_matters.c.record[path].as_string().cast(BigInteger) for path in paths)
    depends = or_(*(any_of(one, items) for one in ids)).label("depends")
    query = (
        select(_matters.c.clio_id, _matters.c.client_id, depends)
        .where(_matters.c.account_id == account_id, _matters.c.clio_id > after)
        .order_by(_matters.c.clio_id)
        .limit(limit)
    )
    async with reading_in_key_order(session):
        page = (await session.execute(query)).all()
    naming = [row for row in page if row.depends]
    clients = {row.client_id for row in naming if row.client_id is not None}
    await staleness.mark_matter_contacts_stale(
        session, account_id, client_ids=clients, matter_ids=[row.clio_id for row in naming]
    )
    return page[-1].clio_id if len(page) == limit else None
