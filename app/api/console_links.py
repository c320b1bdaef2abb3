"""Links to the console: the pages of `app/console`, where people work. A link begins a session in one browser."""

from fastapi import APIRouter

from app.api import schemas
from app.api.account_access import AccountWithoutSession
from app.api.acting_user import ActorDep, Role, RoleHeader, RoleRequired
from app.api.authentication import CallerDep
from app.api.deps import ServicesDep
from app.api.problems import problems
from app.sync.console_sessions import (
    CreatedConsoleLink,
    Visitor,
    create_account_link,
    create_fleet_link,
)

router = APIRouter(prefix="/v1", tags=["console"])

NOT_FOR_ALL = "The token is for some accounts only; make a link for one of them, or use a token for all accounts"


@router.post("/accounts/{account_id}/console-links", status_code=201)
async def create_account_console_link(
    body: schemas.AccountConsoleLinkIn,
    account: AccountWithoutSession,
    actor: ActorDep,
    services: ServicesDep,
) -> schemas.ConsoleLink:
    """Make a link that opens the console of this account for one person. Redirect the person's browser to `url`.

    What the person may do there follows from `role`, as it does in this API. The link works once, for 5 minutes. The
    session that it begins lasts 8 hours and ends with your service token.
    """
    visitor = Visitor(body.user_id, body.role, body.name)
    return _body(await create_account_link(services, account.account_id, visitor, actor=actor))


@router.post("/console-links", status_code=201, responses=problems(RoleRequired))
async def create_console_link(
    body: schemas.ConsoleLinkIn,
    caller: CallerDep,
    actor: ActorDep,
    services: ServicesDep,
    role: RoleHeader = Role.USER,
) -> schemas.ConsoleLink:
    """Make a link that opens the console of all accounts of the token, for a Success Manager.

    It needs a token for all accounts and the role `success_manager`. The session begins at the list of firms.
    """
    if role is not Role.SUCCESS_MANAGER:
        raise RoleRequired
    if caller.account_ids is not None:
        raise RoleRequired(NOT_FOR_ALL)
    visitor = Visitor(body.user_id, Role.SUCCESS_MANAGER, body.name)
    return _body(await create_fleet_link(services, visitor, actor=actor))


def _body(link: CreatedConsoleLink) -> schemas.ConsoleLink:
    return schemas.ConsoleLink(url=link.url, expires_at=link.expires_at)
