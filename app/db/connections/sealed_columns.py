"""All stored secrets, and the check value that proves that the key is the right one.

Every column whose name begins with `sealed_` holds sealed data, so a new one is found by its name.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, and_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from app.db import tables
from app.db.connections import tables as connection_tables
from app.db.session import Session

SealedColumn = Column[Any]  # a column that holds secrets
RowKey = tuple[str, ...]  # the primary key of a secret's row

KEY_CHECK = connection_tables.key_check.c.sealed_check
SEALED_COLUMNS: tuple[SealedColumn, ...] = tuple(
    column
    for table in tables.metadata.sorted_tables
    for column in table.columns
    if column.name.startswith("sealed_") and column is not KEY_CHECK
)


def name_in_seal(place: SealedColumn) -> str | None:
    """Return the name that the secrets of a column contain: its own if its table has several such columns, or None."""
    same_table = [column for column in SEALED_COLUMNS if column.table is place.table]
    return place.name if len(same_table) > 1 else None


async def find_key_check(session: Session) -> str | None:
    """Return the sealed check value, or None before the first start."""
    return (await session.execute(select(KEY_CHECK))).scalar_one_or_none()


async def store_key_check(session: Session, sealed: str) -> str:
    """Store a check value unless another process was first; return the stored one."""
    new = insert(connection_tables.key_check).values(check_id="key", sealed_check=sealed)
    await session.execute(new.on_conflict_do_nothing())
    return str((await session.execute(select(KEY_CHECK))).scalar_one())


async def find_any_secret(session: Session) -> str | None:
    """Return any stored secret, or None if there is none."""
    for column in SEALED_COLUMNS:
        found = await session.execute(select(column).where(column.is_not(None)).limit(1))
        if (sealed := found.scalar_one_or_none()) is not None:
            return str(sealed)
    return None


async def list_keys_after(
    session: Session, place: SealedColumn, after: RowKey | None, *, limit: int
) -> Sequence[RowKey]:
    """Return the primary keys of the next secrets in a column, in order."""
    keys = _keys(place)
    query = select(*keys).where(place.is_not(None)).order_by(*keys).limit(limit)
    if after is not None:
        query = query.where(tuple_(*keys) > tuple_(*after))
    return [tuple(row) for row in await session.execute(query)]


async def lock_secret(session: Session, place: SealedColumn, key: RowKey) -> str | None:
    """Return a secret and lock its row until the transaction ends; None if it was deleted."""
    query = select(place).where(_is_row(place, key)).with_for_update()
    sealed: str | None = (await session.execute(query)).scalar_one_or_none()
    return sealed


async def replace_secret(session: Session, place: SealedColumn, key: RowKey, sealed: str) -> None:
    """Replace a secret."""
    await session.execute(
        update(place.table).where(_is_row(place, key)).values({place.name: sealed})
    )


def _keys(place: SealedColumn) -> Sequence[Column[Any]]:
    return list(place.table.primary_key.columns)


def _is_row(place: SealedColumn, key: RowKey) -> Any:
    return and_(*(part == value for part, value in zip(_keys(place), key, strict=True)))
