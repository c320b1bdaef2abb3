"""Connections: start one, read them, end one; and the callback to which Clio redirects the browser."""

from collections.abc import Collection
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.api import schemas
from app.api.account_access import AccountDep, AccountWithoutSession, SessionDep
from app.api.acting_user import ActorDep
from app.api.deps import ConnectionId, ServicesDep
from app.api.pagination import PageDep
from app.api.problems import problems
from app.db.connections import connections
from app.db.connections.connections import Connection, ConnectionNotFound
from app.errors import Problem
from app.sync.connections import (
    Callback,
    IntegrationNotEnabled,
    RegionNotOffered,
    ReturnUrlRefused,
    StateUnknown,
    TooManyLookups,
    UnknownUser,
    disconnect_login,
    finish_connecting,
    start_connecting,
)

router = APIRouter(
    prefix="/v1/accounts/{account_id}/connections",
    tags=["connections"],
)
callback_router = APIRouter(tags=["connections"])


def _from_clio(description: str) -> Any:
    return Query(max_length=2048, description=description)


OAuthState = Annotated[
    str | None, _from_clio("The value that names the attempt to connect; used once.")
]
OAuthCode = Annotated[
    str | None, _from_clio("Clio's code for tokens. Missing if the user declined.")
]
OAuthError = Annotated[
    str | None,
    _from_clio("Why Clio sent no code, for example `access_denied` if the user declined."),
]

SAME_CLIO_USER = "same_clio_user"
_LINK_INVALID_PAGE = """<!doctype html><meta charset="utf-8"><title>Connecting Clio</title>
<meta name="viewport" content="width=device-width">
<body style="font:1.1rem/1.5 system-ui;max-width:32rem;margin:4rem auto;padding:0 1rem">
<h1>This link does not work</h1><p>It was already used, or it is not valid.
Go back to Levitate and choose <b>Connect Clio</b> again.</p>"""


@router.post(
    "",
    status_code=201,
    responses=problems(IntegrationNotEnabled, RegionNotOffered, ReturnUrlRefused, UnknownUser),
)
async def start_connection(
    body: schemas.ConnectionIn,
    account: AccountWithoutSession,
    actor: ActorDep,
    services: ServicesDep,
) -> schemas.Started:
    """Start to connect a user's Clio login. Redirect the user's browser to `authorize_url`."""
    started = await start_connecting(
        services,
        account.account_id,
        user_id=body.user_id,
        region=body.region,
        return_url=str(body.return_url),
        actor=actor,
    )
    return schemas.Started(
        id=started.connection.connection_id,
        authorize_url=started.authorize_url,
        expires_at=started.expires_at,
    )


@router.get("")
async def list_connections(
    account: AccountDep, session: SessionDep, page: PageDep
) -> schemas.Page[schemas.Connection]:
    """Return the account's connections."""
    query = page.by_id("connections", account.account_id)
    found = await connections.list_connections(
        session, account.account_id, after=query.after, limit=query.fetch
    )
    rows = query.rows(found, key=lambda connection: connection.connection_id)
    duplicates = await connections.find_duplicate_logins(session, account.account_id)
    return rows.page(_body(connection, duplicates) for connection in rows.items)


@router.get("/{connection_id}", responses=problems(ConnectionNotFound))
async def get_connection(
    connection_id: ConnectionId, account: AccountDep, session: SessionDep
) -> schemas.Connection:
    """Return one connection."""
    found = await connections.get_connection(session, account.account_id, connection_id)
    return _body(found, await connections.find_duplicate_logins(session, account.account_id))


@router.delete("/{connection_id}", status_code=204, responses=problems(ConnectionNotFound))
async def end_connection(
    connection_id: ConnectionId,
    account: AccountWithoutSession,
    actor: ActorDep,
    services: ServicesDep,
) -> None:
    """Disconnect the login: its tokens cannot be used any more, and Clio is told to revoke them.

    Clio is told within moments, and again for seven days if it does not answer. The data that was pulled is kept.
    """
    await disconnect_login(services, account.account_id, connection_id, actor=actor)


@callback_router.get(
    "/oauth/clio/callback",
    response_class=RedirectResponse,
    status_code=303,
    responses={
        400: {
            "description": "A page for people: the state is unknown or was already used",
            "content": {"text/html": {"schema": {"type": "string"}}},
        },
        **problems(TooManyLookups),
    },
)
async def finish_connection(
    request: Request,
    services: ServicesDep,
    state: OAuthState = None,
    code: OAuthCode = None,
    error: OAuthError = None,
) -> Response:
    """Receive the browser from Clio and redirect it to the `return_url`, with `clio=connected` or `clio=<code>`."""
    # A parameter that occurs twice is ambiguous: the request is handled like one with an unknown state.
    unique = all(len(request.query_params.getlist(name)) < 2 for name in ("state", "code", "error"))
    headers = {"Referrer-Policy": "no-referrer"}  # the address of this page contains the code
    try:
        address = await finish_connecting(services, Callback((unique and state) or "", code, error))
    except StateUnknown:
        return HTMLResponse(_LINK_INVALID_PAGE, status_code=400, headers=headers)
    return RedirectResponse(address, status_code=303, headers=headers)


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
