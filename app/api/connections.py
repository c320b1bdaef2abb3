"""Connections: start one, read them, end one. The pages that the browser sees are in `app/pages`."""

from collections.abc import Collection

from fastapi import APIRouter, Response

from app.api import schemas
from app.api.account_access import AccountDep, AccountWithoutSession, SessionDep
from app.api.acting_user import ActorDep, Role, RoleRequired
from app.api.authentication import Caller, CallerDep
from app.api.deps import ConnectionId, ServicesDep
from app.api.pagination import ListDep
from app.api.problems import problems
from app.api.scopes import ScopeRequired
from app.db.accounts.audit import Actor
from app.db.accounts.service_tokens import Scope
from app.db.connections import connections, users_logins
from app.db.connections.connections import Connection, ConnectionNotFound
from app.db.session import transaction
from app.errors import Problem
from app.sync.connections import (
    IntegrationNotEnabled,
    RegionNotOffered,
    ReturnUrlRefused,
    UnknownUser,
    Wish,
    disconnect_login,
    start_connecting,
)

router = APIRouter(
    prefix="/v1/accounts/{account_id}/connections",
    tags=["connections"],
)


SAME_CLIO_USER = "same_clio_user"


@router.post(
    "",
    status_code=201,
    responses=problems(IntegrationNotEnabled, RegionNotOffered, ReturnUrlRefused, UnknownUser),
)
async def start_connection(
    body: schemas.ConnectionIn,
    account: AccountWithoutSession,
    caller: CallerDep,
    actor: ActorDep,
    services: ServicesDep,
    response: Response,
) -> schemas.StartedConnection:
    """Start to connect a user's Clio login. Redirect the user's browser to `authorize_url`.

    With a token of the scope `write`, only the login of the user whom `Levitate-User` names.
    """
    _check_owner(caller, actor, body.user_id)
    started = await start_connecting(
        services,
        account.account_id,
        Wish(body.user_id, body.region, str(body.return_url)),
        actor=actor,
    )
    connection_id = started.connection.connection_id
    response.headers["Location"] = f"/v1/accounts/{account.account_id}/connections/{connection_id}"
    return schemas.StartedConnection(
        id=connection_id,
        authorize_url=started.authorize_url,
        expires_at=started.expires_at,
    )


@router.get("")
async def list_connections(
    account: AccountDep, session: SessionDep, asked: ListDep
) -> schemas.Page[schemas.Connection]:
    """Return the account's connections. Their time is when they were requested."""
    query = asked.by_id("connections", account.account_id)
    found = await connections.list_connections(session, account.account_id, query.page)
    rows = query.rows(found, key=lambda connection: connection.connection_id)
    duplicates = await users_logins.find_duplicate_logins(session, account.account_id)
    return rows.page(_body(connection, duplicates) for connection in rows.items)


@router.get("/{connection_id}", responses=problems(ConnectionNotFound))
async def get_connection(
    connection_id: ConnectionId, account: AccountDep, session: SessionDep
) -> schemas.Connection:
    """Return one connection."""
    found = await connections.get_connection(session, account.account_id, connection_id)
    return _body(found, await users_logins.find_duplicate_logins(session, account.account_id))


@router.delete(
    "/{connection_id}",
    status_code=204,
    response_class=Response,
    responses=problems(ConnectionNotFound, RoleRequired),
)
async def end_connection(
    connection_id: ConnectionId,
    account: AccountWithoutSession,
    caller: CallerDep,
    actor: ActorDep,
    services: ServicesDep,
) -> None:
    """Disconnect the login: its tokens cannot be used any more, and Clio is told to revoke them.

    Clio is told within moments, and again for seven days if it does not answer. The data that was pulled is kept.
    What the user has begun to connect ends as `declined`. Without a role, and with a token of the scope `write`, only
    the login of the user whom `Levitate-User` names.
    """
    async with transaction(services.database, account.account_id) as session:
        found = await connections.get_connection(session, account.account_id, connection_id)
    _check_owner(caller, actor, found.user_id)
    if actor.role == Role.USER and actor.user_id != found.user_id:
        raise RoleRequired
    await disconnect_login(services, account.account_id, connection_id, actor=actor)


def _check_owner(caller: Caller, actor: Actor, user_id: str) -> None:
    """Raise ScopeRequired if the token may only touch the acting user's login, and this is another user's."""
    if caller.scope is Scope.WRITE and actor.user_id != user_id:
        raise ScopeRequired(
            "A token of the scope write may connect and disconnect only the login of the user whom Levitate-User names"
        )


def _body(connection: Connection, duplicates: Collection[str]) -> schemas.Connection:
    """Return a connection as the API shows it. Two users with one Clio login get a warning, no error [AU-1]."""
    login, problem = connection.login, connection.problem
    if connection.connection_id in duplicates:
        problem = Problem(
            SAME_CLIO_USER,
            "Another user has connected the same Clio login; each user should connect their own",
        )
    return schemas.Connection(
        id=connection.connection_id,
        user_id=connection.user_id,
        region=connection.region,
        status=connection.status,
        clio_user=login
        and schemas.ClioUser(id=str(login.clio_user_id), name=login.name, email=login.email),
        connected_at=connection.connected_at,
        last_sync_at=connection.last_sync_at,
        problem=problem and schemas.CodeDetail(code=problem.code, detail=problem.detail),
    )
