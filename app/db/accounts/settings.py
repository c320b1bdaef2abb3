"""The settings of each account: every version for ever, with author and time [OV-5].

Until the first change nothing is stored, and version 1 is the default settings. A version is stored complete, with
its defaults, so that it means the same when a later release has other defaults.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.accounts import accounts, tables
from app.db.list_pages import Listed, ListPage, SortedBy, read_page
from app.db.runs import tables as run_tables
from app.db.runs.runs import PULLING, Trigger
from app.db.session import Session
from app.rules.records import MatterStatus
from app.rules.settings import Settings

_table = tables.settings
_BY = SortedBy(_table.c.version, _table.c.updated_at)
_adapter = TypeAdapter(Settings)

FIRST_VERSION = 1
_STATUSES = [status.value for status in MatterStatus]


@dataclass(frozen=True)
class StoredSettings:
    """One version of an account's settings. `updated_by` is None if no user was named, `note` if none was written."""

    version: int
    settings: Settings
    updated_at: datetime
    updated_by: str | None
    note: str | None = None


async def get_current(session: Session, account_id: str) -> StoredSettings:
    """Return the newest version; version 1 with the defaults if nothing was stored yet."""
    newest = (
        select(_table)
        .where(_table.c.account_id == account_id)
        .order_by(_table.c.version.desc())
        .limit(1)
    )
    row = (await session.execute(newest)).one_or_none()
    return _stored(row) if row else await _defaults(session, account_id)


async def lock_current(session: Session, account_id: str) -> StoredSettings:
    """Return the newest version and prevent a newer one until the transaction ends."""
    await accounts.lock_account(session, account_id)
    return await get_current(session, account_id)


async def get_version(session: Session, account_id: str, version: int) -> Settings:
    """Return the settings of a version."""
    query = select(_table.c.document).where(
        _table.c.account_id == account_id, _table.c.version == version
    )
    document = (await session.execute(query)).scalar_one_or_none()
    if document is None and version == FIRST_VERSION:
        return Settings()
    return from_document(document)


async def list_versions(
    session: Session, account_id: str, page: ListPage
) -> Listed[StoredSettings]:
    """Return a page of the versions."""
    query = select(_table).where(_table.c.account_id == account_id)
    found = await read_page(session, query, _BY, page)
    current = None if found.rows else await get_current(session, account_id)
    if current is None or current.version > FIRST_VERSION or page.after:
        return found.of(_stored)
    first = [current] if page.is_in_time(current.updated_at) else []
    return Listed(first, len(first) if page.count else None)


async def store_version(session: Session, account_id: str, new: StoredSettings) -> None:
    """Store the next version, after `lock_current`; the first change also stores version 1."""
    first = [await _defaults(session, account_id)] if new.version == FIRST_VERSION + 1 else []
    rows = [_row(account_id, version) for version in (*first, new)]
    await session.execute(insert(_table), rows)


async def set_run_version(session: Session, account_id: str, run_id: str) -> None:
    """Set the run's settings to the newest version, unless it has begun to assess: then it keeps its version (F23).

    A rederive run may have gone before a pull that was interrupted, so the pull continues with the newest version. An
    upgrade always takes the newest one: a rederive run goes between two slices of it.
    """
    runs = run_tables.runs
    newest = await get_current(session, account_id)
    await session.execute(
        update(runs)
        .where(runs.c.account_id == account_id, runs.c.run_id == run_id)
        .where(
            (func.coalesce(runs.c.phase, PULLING) == PULLING) | (runs.c.trigger == Trigger.UPGRADE)
        )
        .values(settings_version=newest.version)
    )


async def _defaults(session: Session, account_id: str) -> StoredSettings:
    account = await accounts.get_account(session, account_id)
    return StoredSettings(FIRST_VERSION, Settings(), account.created_at, None)


def _row(account_id: str, version: StoredSettings) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "version": version.version,
        "document": to_document(version.settings),
        "updated_at": version.updated_at,
        "updated_by": version.updated_by,
        "note": version.note,
    }


def to_document(settings: Settings) -> dict[str, Any]:
    """Return the complete settings as JSON objects, with defaults; equal settings have equal documents."""
    whole: dict[str, Any] = _adapter.dump_python(settings, mode="json")
    for kind in whole["tags"].values():
        if isinstance(kind, dict) and "matter_status" in kind:
            kind["matter_status"].sort(key=_STATUSES.index)
    return whole


def from_document(whole: Any) -> Settings:
    """Return the settings of a complete document."""
    return _adapter.validate_python(whole)


def _stored(row: Any) -> StoredSettings:
    return StoredSettings(
        version=row.version,
        settings=from_document(row.document),
        updated_at=row.updated_at,
        updated_by=row.updated_by,
        note=row.note,
    )
