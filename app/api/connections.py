"""Connections: start one, see them, end one; and the address to which Clio sends the browser back."""

from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.api import cursors, schemas
from app.api.deps import AccountDep, ActorDep, Cursor, Limit, OurId, ServicesDep, SessionDep
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

Parameter = Annotated[str | None, Query(max_length=2048)]

SAME_CLIO_USER = "same_clio_user"
_SPENT = """<!doctype html><meta charset="utf-8"><title>Connecting Clio</title>
<meta name="viewport" content="width=device-width">
<body style="font:1.1rem/1.5 system-ui;max-width:32rem;margin:4rem auto;padding:0 1rem">
<h1>This link cannot be used</h1><p>It was used before, or it is not ours.
Go back to Levitate and choose <b>Connect Clio</b> again.</p>"""


@router.post(
    "",
    status_code=201,
    responses=problems(IntegrationNotEnabled, RegionNotOffered, ReturnUrlRefused, UnknownUser),
)
async def start_connection(
    body: schemas.ConnectionIn, account: AccountDep, actor: ActorDep, services: ServicesDep
) -> schemas.Started:
    """Begin to connect a user's Clio login: send the user's browser to `authorize_url`."""
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
    account: AccountDep, session: SessionDep, cursor: Cursor = None, limit: Limit = 50
) -> schemas.Page[schemas.Connection]:
    """The account's connections."""
    asked = ("connections", account.account_id)
    after = cursors.after_id(cursor, *asked)
    found = await connections.list_connections(
        session, account.account_id, after=after, limit=limit + 1
    )
    page, more = found[:limit], len(found) > limit
    doubled = await connections.find_duplicate_logins(session, account.account_id)
    return schemas.Page(
        data=[_out(connection, doubled) for connection in page],
        next_cursor=cursors.encode(page[-1].connection_id, *asked) if more else None,
        has_more=more,
    )


@router.get("/{connection_id}", responses=problems(ConnectionNotFound))
async def get_connection(
    connection_id: OurId, account: AccountDep, session: SessionDep
) -> schemas.Connection:
    """One connection."""
    found = await connections.get_connection(session, account.account_id, connection_id)
    return _out(found, await connections.find_duplicate_logins(session, account.account_id))


@router.delete("/{connection_id}", status_code=204, responses=problems(ConnectionNotFound))
async def end_connection(
    connection_id: OurId, account: AccountDep, actor: ActorDep, services: ServicesDep
) -> None:
    """Deauthorise at Clio and forget the tokens. What was pulled stays."""
    await disconnect_login(services, account.account_id, connection_id, actor=actor)


@callback_router.get(
    "/oauth/clio/callback",
    response_class=RedirectResponse,
    status_code=303,
    responses={
        400: {
            "description": "A page for people: the state is unknown or was used before",
            "content": {"text/html": {"schema": {"type": "string"}}},
        }
    },
)
async def finish_connection(
    request: Request,
    services: ServicesDep,
    state: Parameter = None,
    code: Parameter = None,
    error: Parameter = None,
) -> Response:
    """Clio sends the browser here; it goes on to the `return_url` with `clio=connected` or `clio=<code>`."""
    once = all(len(request.query_params.getlist(name)) < 2 for name in ("state", "code", "error"))
    try:
        address = await finish_connecting(services, Callback((once and state) or "", code, error))
    except StateUnknown:
        return HTMLResponse(_SPENT, status_code=400, headers={"Referrer-Policy": "no-referrer"})
    return RedirectResponse(address, status_code=303, headers={"Referrer-Policy": "no-referrer"})


def _out(connection: Connection, doubled: Collection[str]) -> schemas.Connection:
    """A connection as the contract writes it; that two users act as one Clio login is a warning only [AU-1]."""
    login, problem = connection.login, connection.problem
    if connection.connection_id in doubled:
        problem = Problem(SAME_CLIO_USER, "Another user has connected the same Clio login")
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
