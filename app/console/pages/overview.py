"""The overview says whether the integration is on, whether it is well, and what to do."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from app.api.account_access import SessionDep
from app.console.errors import ConsoleRoute
from app.console.visit import VisitDep, show

router = APIRouter(route_class=ConsoleRoute)


@router.get("/accounts/{account_id}")
async def show_overview(visit: VisitDep, session: SessionDep) -> HTMLResponse:
    """Show the health of the firm's integration, who is connected, and what waits."""
    return await show(visit, session, "overview.html", here="")
