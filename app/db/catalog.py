"""The four small lists of a firm: users, custom fields, practice areas and matter stages, as Clio spells them now."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert

from app.db import mirror, tables
from app.db.session import Session, among

_items = tables.catalog_items
_matters = tables.mirror_matters

# Which part of a matter names an item of the list, so that a renamed one makes its clients stale [§15 row 25].
_NAMED_BY = {
    "practice_areas": (("practice_area_id",),),
    "matter_stages": (("stage_id",),),
    "users": (("responsible", "clio_user_id"), ("originating", "clio_user_id")),
}


async def land_items(
    session: Session, account_id: str, resource: str, items: Mapping[int, dict[str, Any]]
) -> int:
    """Store a list's items as they are now; answers how many changed. One that has gone is kept."""
    rows = await session.execute(
        select(_items.c.clio_id, _items.c.record).where(
            _items.c.account_id == account_id,
            _items.c.resource == resource,
            among(_items.c.clio_id, items),
        )
    )
    known = {row.clio_id: row.record for row in rows}
    changed = sorted(clio_id for clio_id, item in items.items() if known.get(clio_id) != item)
    if changed:
        key = {"account_id": account_id, "resource": resource}
        statement = insert(_items)
        statement = statement.on_conflict_do_update(
            index_elements=[_items.c.account_id, _items.c.resource, _items.c.clio_id],
            set_={"record": statement.excluded.record},
        )
        await session.execute(
            statement,
            [{**key, "clio_id": clio_id, "record": items[clio_id]} for clio_id in changed],
        )
        await _mark_named(session, account_id, resource, changed)
    return len(changed)


async def names(session: Session, account_id: str, resource: str) -> dict[int, str]:
    """The current name of each item of a list."""
    rows = await session.execute(
        select(_items.c.clio_id, _items.c.record["name"].as_string().label("name")).where(
            _items.c.account_id == account_id, _items.c.resource == resource
        )
    )
    return {row.clio_id: row.name for row in rows if row.name}


async def usable_fields(session: Session, account_id: str) -> set[int]:
    """The custom fields of contacts that Clio has; empty also when they could never be read."""
    rows = await session.execute(
        select(_items.c.clio_id).where(
            _items.c.account_id == account_id,
            _items.c.resource == "custom_fields",
            ~func.coalesce(_items.c.record["deleted"].as_boolean(), False),
        )
    )
    return set(rows.scalars())


async def _mark_named(
    session: Session, account_id: str, resource: str, changed: Sequence[int]
) -> None:
    """Make stale whom a matter ties to one of these items."""
    paths = _NAMED_BY.get(resource)
    if paths is None:
        return
    naming = or_(*(_matters.c.record[path].as_integer().in_(changed) for path in paths))
    rows = await session.execute(
        select(_matters.c.clio_id, _matters.c.client_id).where(
            _matters.c.account_id == account_id, naming
        )
    )
    found = rows.all()
    await mirror.mark_touched(
        session,
        account_id,
        client_ids={row.client_id for row in found if row.client_id is not None},
        matter_ids=[row.clio_id for row in found],
    )
