"""The list of an account's runs."""

from dataclasses import dataclass

from sqlalchemy import select

from app.db.list_pages import Listed, ListPage, SortedBy, matching, read_page
from app.db.runs import tables
from app.db.runs.runs import Run, run_of
from app.db.session import Session

_table = tables.runs
_BY = SortedBy(_table.c.run_id, _table.c.queued_at, "run")


@dataclass(frozen=True)
class RunFilter:
    """The runs that a list shows; None does not filter."""

    status: str | None = None
    kind: str | None = None
    trigger: str | None = None


async def list_runs(
    session: Session, account_id: str, wanted: RunFilter, page: ListPage
) -> Listed[Run]:
    """Return a page of the runs."""
    query = select(_table).where(_table.c.account_id == account_id, *matching(_table, wanted))
    return (await read_page(session, query, _BY, page)).of(run_of)
