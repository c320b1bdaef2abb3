"""The pages between Levitate and Clio: the start of an attempt, the return from Clio, its question, connect links.

A browser proves with a cookie that it began the attempt [T3]. A client without a person keeps cookies, follows
redirects, and submits the one form of a page.
"""

from datetime import timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from app.api.acting_user import source_address
from app.api.deps import NO_NUL, ServicesDep
from app.crypto import hash_secret
from app.db.accounts.audit import Actor
from app.pages.browsers import host_cookie, is_from_own_page, set_host_cookie
from app.pages.rendering import PageInvalid, PageNotFound, PageRoute, page, redirect
from app.sync.connections import (
    Answer,
    AnswerUnclear,
    Callback,
    answer_question,
    ask_person,
    finish_connecting,
    go_to_clio,
    open_link,
    start_from_link,
)
from app.sync.services import Services

COOKIE_LIFE = timedelta(minutes=30)  # ten minutes to go to Clio, to answer, and to repeat the end

router = APIRouter(tags=["connections"], route_class=PageRoute)


def _from_clio(description: str) -> Any:
    return Query(max_length=2048, description=description)


def _token(description: str) -> Any:
    return Path(max_length=128, pattern=NO_NUL, description=description)


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
OAuthIssuer = Annotated[
    str | None,
    _from_clio("Who sent the answer (RFC 9207). Where present, it must be Clio of the region."),
]
StatePath = Annotated[str, _token("The value that names the attempt to connect.")]
LinkPath = Annotated[str, _token("The token of the connect link.")]
FormText = Annotated[str, Form(max_length=2048)]


@router.api_route("/oauth/clio/start/{state}", methods=["GET", "HEAD"], include_in_schema=False)
async def go_to_clios_page(state: StatePath, services: ServicesDep) -> Response:
    """Set the cookie of an attempt and redirect the browser to Clio. It uses nothing up."""
    clio = await go_to_clio(services, state)
    answer = redirect(clio.url)
    set_host_cookie(answer, services, _cookie_name(state), clio.browser_proof, life=COOKIE_LIFE)
    return answer


@router.get(
    "/oauth/clio/callback",
    response_class=RedirectResponse,
    status_code=303,
    responses={
        200: {
            "description": "A page that asks a person whether the Clio login belongs to the user",
            "content": {"text/html": {"schema": {"type": "string"}}},
        },
        **{
            status: {
                "description": f"A page for people: {why}",
                "content": {"text/html": {"schema": {"type": "string"}}},
            }
            for status, why in {
                400: "the state is unknown or was already used, or the browser did not begin the attempt",
                409: "another request handles the same answer of Clio",
                503: "the database is not available",
            }.items()
        },
    },
)
async def finish_connection(
    request: Request,
    services: ServicesDep,
    state: OAuthState = None,
    code: OAuthCode = None,
    error: OAuthError = None,
    iss: OAuthIssuer = None,
) -> Response:
    """Receive the browser from Clio and redirect it to the `return_url`, with `clio=connected` or `clio=<code>`.

    If Clio and the directory have different email addresses for the person, or another user has connected this login, a
    page asks first. It does not if this user had connected the same login before.
    """
    if any(len(request.query_params.getlist(name)) > 1 for name in request.query_params):
        raise AnswerUnclear
    proof = _browser_proof(request, services, state or "")
    callback = Callback(state or "", code, error, iss, proof, _browser(request))
    address = await finish_connecting(services, callback)
    if address is not None:
        return redirect(address)
    question = await ask_person(services, callback.state, proof)
    return page(
        "confirm_login.html",
        form_origins=[question.return_origin],
        question=question,
        state=callback.state,
    )


@router.post("/oauth/clio/confirm", include_in_schema=False)
async def confirm_login(
    request: Request,
    services: ServicesDep,
    state: FormText,
    token: FormText,
    answer: Annotated[Literal["yes", "no"], Form()],
) -> Response:
    """Receive the person's answer and redirect the browser to the `return_url`."""
    _check_own_form(request)
    proof = _browser_proof(request, services, state)
    return redirect(
        await answer_question(
            services, Answer(state, answer == "yes", token, proof, _browser(request))
        )
    )


@router.get("/oauth/links/{token}", include_in_schema=False)
async def show_link(token: LinkPath, services: ServicesDep) -> Response:
    """Show who can connect with this link, or that the login is connected."""
    link = await open_link(services, token)
    offered = services.regions.get(link.region)
    clio = (offered.app.origin,) if offered else ()
    last_sync = link.connected and link.connected.last_sync_at
    return page(
        "connect_link.html",
        form_origins=(*clio, *services.return_origins),
        link=link,
        last_sync=last_sync and last_sync.astimezone(ZoneInfo(link.time_zone)),
    )


@router.post("/oauth/links/{token}", include_in_schema=False)
async def connect_by_link(request: Request, token: LinkPath, services: ServicesDep) -> Response:
    """Begin to connect the user of the link in this browser. While the login works, the page only shows it."""
    _check_own_form(request)
    if (await open_link(services, token)).connected is not None:
        return redirect(request.url.path)
    started = await start_from_link(services, token, browser=_browser(request))
    return redirect(started.authorize_url)


@router.api_route("/oauth/{rest:path}", methods=["GET", "HEAD", "POST"], include_in_schema=False)
async def find_no_page() -> Response:
    """Say that there is no such page. A HEAD request of a link scanner at the callback ends here, too."""
    raise PageNotFound


def _check_own_form(request: Request) -> None:
    """Raise PageInvalid if a page of another site has sent the form."""
    if not is_from_own_page(request):
        raise PageInvalid


def _browser(request: Request) -> Actor:
    """Return what the audit keeps of a request that no service token sends."""
    return Actor(request_id=request.state.request_id, source_address=source_address(request))


def _browser_proof(request: Request, services: Services, state: str) -> str:
    return request.cookies.get(host_cookie(services, _cookie_name(state)), "")


def _cookie_name(state: str) -> str:
    """Return the name of the attempt's cookie, without a prefix."""
    return f"clio-{hash_secret(state)[:16]}"
