"""The four small lists of a firm: users, custom fields, practice areas and matter stages, as Clio names them now."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import Text, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.mirror import changed_items, tables, unread_values
from app.db.session import Session, among, any_of
from app.rules.facts import CustomField, Option

_items = tables.catalog_items
_OF_LIST = (_items.c.account_id == bindparam("account")) & (_items.c.resource == bindparam("list"))
_ITEMS = (
    select(_items.c.clio_id, _items.c.record, _items.c.gone)
    .where(_OF_LIST)
    .order_by(_items.c.clio_id)
)
_KNOWN = select(_items.c.clio_id, _items.c.record).where(_OF_LIST, among(_items.c.clio_id, "ids"))
_NAMES = select(
    _items.c.clio_id, _items.c.record[bindparam("part", type_=Text)].as_string().label("name")
).where(_OF_LIST)

CUSTOM_FIELDS = "custom_fields"
RESOURCES = (CUSTOM_FIELDS, "practice_areas", "matter_stages", "users")


@dataclass(frozen=True)
class CatalogItem:
    """An item of a list as Clio last showed it; `gone` means that it is no longer listed."""

    clio_id: int
    record: dict[str, Any]
    gone: bool


async def list_items(session: Session, account_id: str, resource: str) -> list[CatalogItem]:
    """Return all items of a list that Clio ever showed, by id."""
    rows = await session.execute(_ITEMS, {"account": account_id, "list": resource})
    return [CatalogItem(*row) for row in rows]


async def load_custom_fields(session: Session, account_id: str) -> dict[int, CustomField]:
    """Return the definitions of the firm's custom fields by id; one that is gone counts as deleted."""
    items = await list_items(session, account_id, CUSTOM_FIELDS)
    return {item.clio_id: custom_field_of(item) for item in items}


def custom_field_of(item: CatalogItem) -> CustomField:
    """Return an item of the custom fields as the rules know it."""
    record = item.record
    return CustomField(
        field_id=item.clio_id,
        name=record.get("name"),
        field_type=record.get("field_type"),
        parent_type=record.get("parent_type"),
        deleted=item.gone or bool(record.get("deleted")),
        options={
            option["id"]: Option(option.get("option"), option.get("deleted_at") is not None)
            for option in record.get("picklist_options") or ()
        },
    )


async def mark_gone(
    session: Session, account_id: str, resource: str, listed: Collection[int]
) -> None:
    """Update `gone` after a complete list: unlisted items are gone, listed ones are back."""
    named = any_of(_items.c.clio_id, listed)
    moved = await session.execute(
        update(_items)
        .where(_items.c.account_id == account_id, _items.c.resource == resource)
        .where(_items.c.gone == named)
        .values(gone=~named)
        .returning(_items.c.clio_id)
    )
    changed = moved.scalars().all()
    await unread_values.forget(session, account_id, resource, changed)
    if resource == CUSTOM_FIELDS:
        await changed_items.note(session, account_id, resource, changed)


async def store_items(
    session: Session,
    account_id: str,
    resource: str,
    items: Mapping[int, dict[str, Any]],
    unread: Mapping[int, Collection[str]] = MappingProxyType({}),
) -> int:
    """Store a list's items; return how many changed. Items that are gone are kept.

    `unread` are the fields of an item that Clio sent in a form that cannot be read: their stored values stay [row 49].
    """
    names = {"account": account_id, "list": resource, "ids": list(items)}
    rows = await session.execute(_KNOWN, names)
    known = {row.clio_id: row.record for row in rows}
    items = {
        clio_id: {**item, **_parts(known.get(clio_id, {}), unread.get(clio_id, ()))}
        for clio_id, item in items.items()
    }
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
        await changed_items.note(session, account_id, resource, changed)
    return len(changed)


def _parts(record: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: record[name] for name in names if name in record}


async def load_names(
    session: Session, account_id: str, resource: str, *, part: str = "name"
) -> dict[int, str]:
    """Return the current name, or another text field, of each item of a list."""
    names = {"account": account_id, "list": resource, "part": part}
    rows = await session.execute(_NAMES, names)
    return {row.clio_id: row.name for row in rows if row.name}
