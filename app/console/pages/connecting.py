"""Links with which users connect Clio: made on the overview, and shown there once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Response
from fastapi.responses import HTMLResponse
from pydantic import AnyHttpUrl

from app.api import accounts, connect_links, schemas
from app.api.acting_user import RequireRole
from app.api.audience import AudienceBeforehand
from app.clio.regions import Region
from app.console.errors import ConsoleRoute
from app.console.pages.overview import MOST_LINKS, overview
from app.console.visit import DetachedVisitDep, Visit
from app.db.session import transaction
from app.errors import AppError

router = APIRouter(route_class=ConsoleRoute)

DAYS = 7
_MAIL = """\
Hello {name},

with this link you connect your Clio login to Levitate. It takes a minute:

{url}

The link works until {until}.
"""


class NoReturnAddress(AppError):
    """No address of Levitate is configured, to which a user is sent back after connecting."""

    status = 422
    code = "no_return_address"
    title = "No address of Levitate is configured, to which a link could lead back"
    next_step = "ask Levitate's engineers to set LEVITATE_CLIO_RETURN_ORIGINS"


@dataclass(frozen=True)
class LinkToSend:
    """A connect link, until when it works, and a mail that has it."""

    url: str
    expires_at: datetime
    mail: str


@router.post("/accounts/{account_id}/connect-links", dependencies=[RequireRole])
async def make_links(
    visit: DetachedVisitDep,
    audience: AudienceBeforehand,
    user_id: Annotated[list[str], Form(min_length=1, max_length=MOST_LINKS)],
    region: Annotated[Region, Form()],
) -> HTMLResponse:
    """Make a connect link for each of these users and show it. Only this answer has it: a link is stored as a hash."""
    made = {one: await _make_link(visit, one, region) for one in user_id}
    async with transaction(visit.services.database, visit.account_id) as session:
        listed = await accounts.get_users(visit.account, session)
        users = {user.id: user for user in listed.users}
        links = {
            one: _to_send(visit, users[one], link) for one, link in made.items() if one in users
        }
        return await overview(visit, session, audience, links)


async def _make_link(visit: Visit, user_id: str, region: Region) -> schemas.ConnectLink:
    origins = sorted(visit.services.return_origins)
    if not origins:
        raise NoReturnAddress
    body = schemas.ConnectLinkIn(
        user_id=user_id,
        region=region.value,
        return_url=AnyHttpUrl(origins[0]),
        expires_in_days=DAYS,
    )
    return await connect_links.create_connect_link(
        body, visit.account, visit.actor, visit.services, Response()
    )


def _to_send(visit: Visit, user: schemas.User, link: schemas.ConnectLink) -> LinkToSend:
    until = visit.times.day(link.expires_at).text
    text = _MAIL.format(name=user.name, url=link.url, until=until)
    subject = quote("Connect Clio to Levitate")
    mail = f"mailto:{quote(user.email or '', safe='@')}?subject={subject}&body={quote(text)}"
    return LinkToSend(link.url, link.expires_at, mail)
