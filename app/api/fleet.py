"""Many accounts at once: their list with health, and counts over all accounts of the token."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query

from app.api import cursors, schemas
from app.api.account_changes import account_body
from app.api.authentication import CallerDep
from app.api.cursors import InvalidCursor
from app.api.deps import NO_NUL, ServicesDep
from app.api.pagination import Count, Cursor, Limit, ListRequest, PageRows, Since, Until
from app.api.runs import run_body
from app.api.system_session import SystemSessionDep
from app.db import fleet
from app.db.accounts import health
from app.db.fleet import FleetFilter, FleetPage, FleetRow
from app.db.issues import NAMING_RECORDS
from app.db.list_pages import Listed, ListPage
from app.db.runs import checkpoints, slots
from app.db.session import Session

router = APIRouter(prefix="/v1", tags=["accounts"])

Order = Annotated[
    Literal["newest", "oldest", "health", "name", "last_success"] | None,
    Query(
        description="`newest` or `oldest` first, by `created_at`. `health`: the worst first. `name`: by name, whatever"
        " the case. `last_success`: those that never had a successful run first, then the oldest success. Without it"
        " the list is sorted by id."
    ),
]
Health = Annotated[
    Literal["ok", "degraded", "needs_attention", "disabled"] | None,
    Query(description="Only accounts with this health."),
]
Search = Annotated[
    str | None,
    Query(
        max_length=200,
        pattern=NO_NUL,
        description="Only accounts whose id and name have words that begin with each word of this text. Case does not"
        " matter.",
    ),
]


@dataclass(frozen=True)
class FleetRequest:
    """The query parameters of the list of accounts."""

    cursor: Cursor = None
    limit: Limit = 50
    order: Order = None
    since: Since = None
    until: Until = None
    count: Count = False
    health: Health = None
    q: Search = None

    @property
    def wanted(self) -> FleetFilter:
        """The accounts that are wanted."""
        return FleetFilter(self.health, self.q)

    @property
    def _name(self) -> tuple[Any, ...]:
        return ("accounts", self.order, self.since, self.until, self.health, self.q)

    def query(self) -> "FleetQuery":
        """Return the page that is wanted; raises InvalidCursor or CursorMismatch."""
        if self.order is None or self.order in ("newest", "oldest"):
            plain = ListRequest(
                self.cursor, self.limit, self.order, self.since, self.until, self.count
            ).by_time("accounts", chosen=self.wanted)
            return FleetQuery(plain.page, plain.rows)
        page = ListPage(self.limit + 1, self._after(), None, self.since, self.until, self.count)
        return FleetQuery(page, self._rows, sorted_by=self.order)

    def _after(self) -> tuple[Any, ...]:
        """Return what sorts the last row of the page before, and its id; nothing for the first page."""
        match cursors.after_values(self.cursor, *self._name):
            case []:
                return ()
            case [int(rank), str(account_id)] if self.order == "health" and rank in range(9):
                after: tuple[Any, ...] = (rank, account_id)
            case [str(name), str(account_id)] if self.order == "name":
                after = (name, account_id)
            case [str(time), str(account_id)] if self.order == "last_success":
                after = (cursors.moment(time), account_id)
            case _:
                raise InvalidCursor
        if not all(part.isprintable() for part in after if isinstance(part, str)):
            raise InvalidCursor
        return after

    def _rows(self, found: Listed[FleetRow], *, key: Any) -> PageRows[FleetRow]:
        items = list(found.rows[: self.limit])
        if len(found.rows) <= self.limit:
            return PageRows(items, None, found.total)
        last = items[-1]
        value = last.key.isoformat() if isinstance(last.key, datetime) else last.key
        cursor = cursors.encode([value, last.account.account_id], *self._name)
        return PageRows(items, cursor, found.total)


@dataclass(frozen=True)
class FleetQuery:
    """A page of the list of accounts, and the function that cuts it from the rows that were read."""

    page: ListPage
    rows: Callable[..., PageRows[FleetRow]]
    sorted_by: str | None = None


@router.get("/accounts")
async def list_accounts(
    caller: CallerDep,
    session: SystemSessionDep,
    services: ServicesDep,
    asked: Annotated[FleetRequest, Depends()],
) -> schemas.Page[schemas.ListedAccount]:
    """Return the accounts that the token may see, each with its health. Their time is `created_at`.

    The health is stored, and follows a change within seconds. An account whose health changes while you read pages in
    this order can be on two pages, or on none.
    """
    query = asked.query()
    wanted = FleetPage(query.page, query.sorted_by, caller.account_ids)
    found = await fleet.list_fleet(session, asked.wanted, wanted)
    rows = query.rows(found, key=lambda row: (row.account.created_at, row.account.account_id))
    return rows.page(await _bodies(session, rows.items, now=services.now()))


@router.get("/fleet")
async def get_fleet(caller: CallerDep, session: SystemSessionDep) -> schemas.Fleet:
    """Count the accounts that the token may see by health, and what is going on or waits in them."""
    only = caller.account_ids
    counted = await health.count_by_health(session, only=only)
    return schemas.Fleet(
        health=schemas.FleetHealth(
            **{name: counted.get(name, 0) for name in schemas.FleetHealth.model_fields}
        ),
        runs_in_flight=await fleet.count_runs_in_flight(session, only),
        oldest_unserved_slot_at=await slots.oldest_unserved(session, only=only),
        holds_waiting=await fleet.count_open_holds(session, only),
    )


STATUS_NAMES = "Records in Clio are concerned; GET …/status of the account names them"


async def _bodies(
    session: Session, rows: list[FleetRow], *, now: datetime
) -> list[schemas.ListedAccount]:
    """Return the accounts of a page as the API shows them, read in one statement for each part."""
    account_ids = [row.account.account_id for row in rows]
    logins = await fleet.count_logins(session, account_ids)
    issues = await fleet.count_open_issues(session, account_ids)
    newest = await fleet.newest_runs(session, account_ids)
    keys = [(run.account_id, run.run_id) for run in newest.values()]
    pulls = await checkpoints.list_pulls_of_many(session, keys)
    runs = {
        run.account_id: run_body(run, pulls[run.account_id, run.run_id], now=now)
        for run in newest.values()
    }
    return [
        schemas.ListedAccount(
            **dict(account_body(row.account)),
            health=row.health,
            health_reasons=[_reason(**reason) for reason in row.reasons],
            last_successful_run_at=row.synced_at,
            connections=schemas.StatusConnections(
                **{
                    name: logins[row.account.account_id].get(name, 0)
                    for name in schemas.StatusConnections.model_fields
                }
            ),
            open_issues=issues.get(row.account.account_id, 0),
            run=runs.get(row.account.account_id),
        )
        for row in rows
    ]


def _reason(code: str, detail: str) -> schemas.HealthReason:
    """Return a reason without ids of records: this list does not know which user may see them [T10]."""
    return schemas.HealthReason(
        code=code, detail=STATUS_NAMES if code in NAMING_RECORDS else detail
    )
