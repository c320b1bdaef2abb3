"""All firms of a Success Manager: who needs somebody today, the worst first."""

from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response

from app.api import fleet, schemas
from app.api.acting_user import Role
from app.api.authentication import Caller, CallerDep
from app.api.deps import NO_NUL, ServicesDep
from app.api.fleet import FleetRequest
from app.api.runs import run_body
from app.api.system_session import SystemSessionDep
from app.console import forms, rendering
from app.console.errors import ConsoleRoute
from app.console.sessions import session_of
from app.console.times import Times
from app.console.visit import ROLE_NAMES
from app.console.words.health import STATES
from app.console.words.reasons import why
from app.db import fleet as fleet_db
from app.db.runs import checkpoints
from app.db.session import Session
from app.pages.rendering import redirect
from app.sync.services import Services

router = APIRouter(route_class=ConsoleRoute)

PAGE = 50
IN_FLIGHT = 20  # first syncs that are shown
Health = Literal["ok", "degraded", "needs_attention", "disabled"]


@dataclass(frozen=True)
class WantedFirms:
    """The firms that the page shows."""

    health: Annotated[Health | None, Query()] = None
    q: Annotated[str, Query(max_length=200, pattern=NO_NUL)] = ""
    cursor: Annotated[str | None, Query(max_length=512)] = None

    def address(self, cursor: str | None) -> str:
        """Return the address of another page of the same firms."""
        query = {"health": self.health, "q": self.q, "cursor": cursor}
        return "/console/?" + urlencode({name: value for name, value in query.items() if value})


@dataclass(frozen=True)
class FirmRow:
    """A firm as its row shows it."""

    firm: schemas.ListedAccount
    state: tuple[str, str]
    why: str

    @property
    def logins(self) -> int:
        """The number of logins of the firm, with those that were lost."""
        return self.firm.connections.connected + self.firm.connections.needs_reconnect


@router.get("/")
async def show_first_page(
    request: Request,
    caller: CallerDep,
    session: SystemSessionDep,
    services: ServicesDep,
    wanted: Annotated[WantedFirms, Depends()],
) -> Response:
    """Show all firms of the session; a session of one firm goes to its overview."""
    console_session = session_of(request)
    if console_session.only_account_id is not None:
        return redirect(f"/console/accounts/{console_session.only_account_id}")
    counts = await fleet.get_fleet(caller, session)
    asked = FleetRequest(
        wanted.cursor, PAGE, "health", count=True, health=wanted.health, q=wanted.q or None
    )
    page = await fleet.list_accounts(caller, session, services, asked)
    firsts = await _first_syncs(caller, session, services)
    return rendering.plain_page(
        "all_firms.html",
        person=console_session.user_name,
        role=ROLE_NAMES[Role(console_session.role)],
        form_token=forms.token_for(services, console_session),
        times=Times(ZoneInfo("UTC"), services.now()),
        counts=counts.health,
        total=sum(counts.health.model_dump().values()),
        first_syncs=firsts,
        firms=[_row(one) for one in page.data],
        page=page,
        wanted=wanted,
        next_page=wanted.address(page.next_cursor),
    )


async def _first_syncs(
    caller: Caller, session: Session, services: Services
) -> list[tuple[str, str, schemas.Run]]:
    """Return the first syncs in flight, each with the account's id and name."""
    found = await fleet_db.list_first_runs(session, caller.account_ids, IN_FLIGHT)
    keys = [(run.account_id, run.run_id) for run in found]
    pulls = await checkpoints.list_pulls_of_many(session, keys)
    names = await fleet_db.list_names(session, [run.account_id for run in found])
    now = services.now()
    return [
        (run.account_id, names[run.account_id], run_body(run, pulls[key], now=now))
        for key, run in zip(keys, found, strict=True)
        if run.account_id in names
    ]


def _row(firm: schemas.ListedAccount) -> FirmRow:
    return FirmRow(firm, STATES.get(firm.health, ("warn", firm.health)), why(firm))
