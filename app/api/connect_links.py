"""Connect links: make one to send to a user, and end it."""

from datetime import timedelta

from fastapi import APIRouter, Response

from app.api import schemas
from app.api.account_access import AccountWithoutSession
from app.api.acting_user import ActorDep, RequireRole, RoleRequired
from app.api.deps import ConnectLinkId, ServicesDep
from app.api.problems import problems
from app.db.connections.connect_links import ConnectLinkNotFound
from app.sync.connections import (
    IntegrationNotEnabled,
    RegionNotOffered,
    ReturnUrlRefused,
    UnknownUser,
    Wish,
    create_link,
    end_link,
)

router = APIRouter(
    prefix="/v1/accounts/{account_id}/connect-links",
    tags=["connections"],
    dependencies=[RequireRole],
)


@router.post(
    "",
    status_code=201,
    responses=problems(
        IntegrationNotEnabled, RoleRequired, RegionNotOffered, ReturnUrlRefused, UnknownUser
    ),
)
async def create_connect_link(
    body: schemas.ConnectLinkIn,
    account: AccountWithoutSession,
    actor: ActorDep,
    services: ServicesDep,
    response: Response,
) -> schemas.ConnectLink:
    """Make a link with which one user can connect a Clio login. Send its `url` to the user."""
    wish = Wish(body.user_id, body.region, str(body.return_url))
    life = timedelta(days=body.expires_in_days)
    link = await create_link(services, account.account_id, wish, life=life, actor=actor)
    response.headers["Location"] = f"/v1/accounts/{account.account_id}/connect-links/{link.link_id}"
    return schemas.ConnectLink(id=link.link_id, url=link.url, expires_at=link.expires_at)


@router.delete(
    "/{link_id}",
    status_code=204,
    response_class=Response,
    responses=problems(RoleRequired, ConnectLinkNotFound),
)
async def end_connect_link(
    link_id: ConnectLinkId, account: AccountWithoutSession, actor: ActorDep, services: ServicesDep
) -> None:
    """End a link. What its user has begun to connect ends as `declined`; a login that is connected stays connected."""
    await end_link(services, account.account_id, link_id, actor=actor)
