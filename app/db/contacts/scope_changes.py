"""Changes that runs made to the scope of an account, by batch. The guards count those of 24 hours [row 54]."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app.db.contacts import tables
from app.db.contacts.holds import HoldKind, HoldStatus
from app.db.session import Session

_table = tables.scope_changes
_holds = tables.holds

COUNTED = timedelta(hours=24)
_BY_ITSELF = {HoldKind.REMOVALS: _table.c.removed, HoldKind.NEW_CLIENTS: _table.c.announced}


@dataclass(frozen=True)
class ScopeChange:
    """Contacts that entered or left the scope, whatever the cause; and what the run decided by itself.

    `removed`: contacts that the shrink guard let go. `announced`: new clients that no surge held back.
    """

    entered: int = 0
    left_scope: int = 0
    removed: int = 0
    announced: int = 0


async def record(
    session: Session, account_id: str, run_id: str, change: ScopeChange, *, now: datetime
) -> None:
    """Add to what the run did at this moment; nothing is written if the change is empty."""
    counts: Mapping[str, int] = asdict(change)
    if not any(counts.values()):
        return
    await session.execute(
        insert(_table)
        .values(account_id=account_id, at=now, run_id=run_id, **counts)
        .on_conflict_do_update(
            index_elements=list(_table.primary_key.columns),
            set_={name: _table.c[name] + count for name, count in counts.items()},
        )
    )


async def count_by_itself(
    session: Session, account_id: str, kind: HoldKind, *, now: datetime
) -> int:
    """Return what runs removed or announced by themselves in the last 24 hours, and since a person released a hold."""
    released = (
        select(func.max(_holds.c.decided_at))
        .where(_holds.c.account_id == account_id, _holds.c.kind == kind)
        .where(_holds.c.status == HoldStatus.RELEASED, _holds.c.decided_by.is_not(None))
        .scalar_subquery()
    )
    query = (
        select(func.coalesce(func.sum(_BY_ITSELF[kind]), 0))
        .where(_table.c.account_id == account_id, _table.c.at > now - COUNTED)
        .where(_table.c.at > func.coalesce(released, now - COUNTED))
    )
    return int((await session.execute(query)).scalar_one())


async def growth(session: Session, account_id: str, *, now: datetime) -> int:
    """Return how many more contacts are in scope than 24 hours ago; negative if they are fewer."""
    query = select(func.coalesce(func.sum(_table.c.entered - _table.c.left_scope), 0)).where(
        _table.c.account_id == account_id, _table.c.at > now - COUNTED
    )
    return int((await session.execute(query)).scalar_one())
