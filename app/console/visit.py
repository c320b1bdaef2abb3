"""A person's request to the console, and what every page of an account shows around its content.

A page declares what it uses as an endpoint of `app/api` does, by the same dependencies: `VisitDep` for a page with the
request's transaction, `DetachedVisitDep` for one whose function opens transactions itself.
"""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.api import accounts
from app.api.account_access import AccountDep, AccountWithoutSession
from app.api.acting_user import ActorDep, Role
from app.api.audit_log import AuditLog
from app.api.deps import ServicesDep
from app.console import forms, rendering
from app.console.banners import NO_BANNERS, Banners
from app.console.sessions import session_of
from app.console.times import Times
from app.db.accounts.accounts import Account, find_user
from app.db.accounts.audit import Actor
from app.db.accounts.console_sessions import ConsoleSession
from app.db.open_tasks import NO_TASKS, count_open_tasks
from app.db.session import Session
from app.pages.rendering import redirect
from app.sync.services import Services

ROLE_NAMES = {
    Role.USER: "user",
    Role.ACCOUNT_ADMIN: "administrator",
    Role.SUCCESS_MANAGER: "Success Manager",
}


@dataclass(frozen=True)
class Visit:
    """A request of a person to a page of one account."""

    request: Request
    services: Services
    account: Account
    actor: Actor
    console_session: ConsoleSession

    @property
    def account_id(self) -> str:
        """The account's id."""
        return self.account.account_id

    @property
    def role(self) -> Role:
        """The role of the person."""
        return Role(self.console_session.role)

    @property
    def may_change(self) -> bool:
        """True if the person's role may change the account; a page shows no buttons to others."""
        return self.role is not Role.USER

    @property
    def is_limited(self) -> bool:
        """True if the person is shown only some of the people; then counts of all are not shown [API-30]."""
        return bool(self.account.respects_visibility) and self.role is not Role.SUCCESS_MANAGER

    @property
    def sees_all_firms(self) -> bool:
        """True if the session is for all accounts of its token."""
        return self.console_session.only_account_id is None

    @property
    def times(self) -> Times:
        """Formats times in the firm's zone."""
        return Times(ZoneInfo(self.account.fields.time_zone), self.services.now())

    @property
    def log(self) -> AuditLog:
        """The audit log for what the person does."""
        return AuditLog(self.account_id, self.actor, self.services.now())

    def url(self, page: str = "", **query: Any) -> str:
        """Return the address of a page of this account; parts of the query that are None are left out."""
        given = {name: value for name, value in query.items() if value is not None}
        path = f"/console/accounts/{self.account_id}" + (f"/{page}" if page else "")
        return f"{path}?{urlencode(given, doseq=True)}" if given else path

    def back(self, page: str = "", **query: Any) -> RedirectResponse:
        """Return the redirect after a form. `done` in the query names the banner that the page then shows."""
        return redirect(self.url(page, **query))


async def get_visit(
    request: Request, services: ServicesDep, account: AccountDep, actor: ActorDep
) -> Visit:
    """Return the visit of a page that reads in the request's transaction."""
    return Visit(request, services, account, actor, session_of(request))


async def get_detached_visit(
    request: Request, services: ServicesDep, account: AccountWithoutSession, actor: ActorDep
) -> Visit:
    """Return the visit of a page whose function opens transactions itself."""
    return Visit(request, services, account, actor, session_of(request))


VisitDep = Annotated[Visit, Depends(get_visit)]
DetachedVisitDep = Annotated[Visit, Depends(get_detached_visit)]


async def show(
    visit: Visit,
    session: Session,
    template: str,
    *,
    status: int = 200,
    banners: Banners = NO_BANNERS,
    **values: Any,
) -> HTMLResponse:
    """Return a page of an account, with its frame: navigation, the person, and what waits.

    `banners` are those that the page can show after one of its forms.
    """
    shown = await load_frame(visit, session, banners)
    return rendering.plain_page(
        template, status=status, **shown, **fragment_values(visit), **values
    )


def show_fragment(visit: Visit, template: str, **values: Any) -> HTMLResponse:
    """Return a part of a page that htmx swaps in."""
    return rendering.plain_page(template, **fragment_values(visit), **values)


def fragment_values(visit: Visit) -> dict[str, Any]:
    """Return what every template of an account may use."""
    return {
        "visit": visit,
        "firm": visit.account.fields.name,
        "times": visit.times,
        "form_token": forms.token_for(visit.services, visit.console_session),
        "once": forms.new_once(),
    }


async def user_names(visit: Visit, session: Session) -> dict[str, str]:
    """Return the names of the firm's Levitate users, by id."""
    listed = await accounts.get_users(visit.account, session)
    return {user.id: user.name for user in listed.users}


async def load_frame(visit: Visit, session: Session, banners: Banners) -> dict[str, Any]:
    """Return what the frame shows: who is signed in, the counts beside the pages, and a banner after a form."""
    user = await find_user(session, visit.account_id, visit.console_session.user_id)
    name = visit.console_session.user_name or (user.name if user else None)
    query = visit.request.query_params
    banner = banners.get(query.get("done", ""))
    return {
        "person": name,
        "role": ROLE_NAMES[visit.role],
        "tasks": NO_TASKS
        if visit.is_limited
        else await count_open_tasks(session, visit.account_id),
        "banner": banner and banner(query),
    }
