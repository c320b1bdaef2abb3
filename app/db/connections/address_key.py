"""The key that checks tokens in our public addresses, stored sealed: the same for all processes, for ever."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.db.connections import tables
from app.db.session import Session

_keys = tables.address_key
KEY_ID = "key"


@dataclass(frozen=True)
class StoredAddressKey:
    """The sealed key and when it was made."""

    sealed_key: str
    created_at: datetime


async def find_key(session: Session) -> StoredAddressKey | None:
    """Return the key, or None before the first start."""
    row = (await session.execute(select(_keys.c.sealed_key, _keys.c.created_at))).one_or_none()
    return StoredAddressKey(row.sealed_key, row.created_at) if row else None


async def add_key(session: Session, new: StoredAddressKey) -> StoredAddressKey:
    """Store a key unless another process was first; return the stored one."""
    added = insert(_keys).values(
        key_id=KEY_ID, sealed_key=new.sealed_key, created_at=new.created_at
    )
    await session.execute(added.on_conflict_do_nothing())
    stored = await find_key(session)
    assert stored is not None  # noqa: S101  # it is never deleted
    return stored
