"""Attorneys: which Levitate user a user of Clio is, and who is the Primary Levitate User."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.api import accounts, schemas
from app.api.account_access import SessionDep
from app.api.account_changes import AccountChange, etag_of, patch_account
from app.api.accounts import ClioUserId
from app.api.acting_user import RequireRole
from app.api.pagination import PageRequest
from app.console.banners import Banners, banner
from app.console.errors import ConsoleRoute
from app.console.visit import VisitDep, show

router = APIRouter(route_class=ConsoleRoute)

AUTOMATIC, NOBODY = "automatic", "nobody"
PAGE = 200
BANNERS: Banners = {
    "mapped": banner(
        "It is stored.", "Owners and attorney tags follow within a minute, without asking Clio."
    ),
    "primary": banner(
        "The Primary Levitate User is changed.",
        "Owners follow within a minute, without asking Clio.",
    ),
}
HOW = {
    "connection": "connected this Clio login",
    "email": "same email address",
    "manual": "chosen by hand",
}


@router.get("/accounts/{account_id}/attorneys")
async def show_attorneys(
    visit: VisitDep,
    session: SessionDep,
    cursor: Annotated[str | None, Query(max_length=512)] = None,
) -> HTMLResponse:
    """Show the firm's Clio users beside Levitate's, those who are nobody here first."""
    page = await accounts.list_attorneys(visit.account, session, PageRequest(cursor, PAGE))
    users = (await accounts.get_users(visit.account, session)).users
    return await show(
        visit,
        session,
        "attorneys.html",
        banners=BANNERS,
        attorneys=sorted(page.data, key=lambda one: (one.mapped_by is not None, -one.contacts)),
        page=page,
        users=[user for user in users if user.active],
        names={user.id: user.name for user in users},
        how=HOW,
        primary=visit.account.fields.primary_user_id,
        etag=etag_of(visit.account),
    )


@router.post("/accounts/{account_id}/attorneys/{clio_user_id}", dependencies=[RequireRole])
async def choose_user(
    clio_user_id: ClioUserId,
    visit: VisitDep,
    session: SessionDep,
    user_id: Annotated[str, Form(min_length=1, max_length=128)],
) -> RedirectResponse:
    """Say which user a Clio user is, that it is nobody, or that it is found automatically again."""
    found = (visit.account, visit.actor, visit.services, session)
    if user_id == AUTOMATIC:
        await accounts.unmap_attorney(clio_user_id, *found)
    else:
        body = schemas.AttorneyIn(user_id=None if user_id == NOBODY else user_id)
        await accounts.map_attorney(clio_user_id, body, *found)
    return visit.back("attorneys", done="mapped")


@router.post("/accounts/{account_id}/primary-user", dependencies=[RequireRole])
async def choose_primary_user(
    visit: VisitDep,
    session: SessionDep,
    user_id: Annotated[str, Form(min_length=1, max_length=128)],
    etag: Annotated[str, Form(max_length=200)],
) -> RedirectResponse:
    """Choose the Primary Levitate User, unless the account has changed since the page was shown."""
    change = AccountChange(session, visit.account_id, visit.actor, visit.services.now())
    await patch_account(change, None, {"primary_user_id": user_id}, Response(), etag)
    return visit.back("attorneys", done="primary")
