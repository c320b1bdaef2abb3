"""The simulated Clio itself: one ASGI application for each region, over shared firms, limits, faults and log."""

import asyncio
import json
import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from app.simulator import fields, listing
from app.simulator.faults import Fault, Faults
from app.simulator.fields import InvalidFields
from app.simulator.firm import Firm
from app.simulator.limits import RateLimit
from app.simulator.listing import LISTS, ArgumentRefused, Matches
from app.simulator.oauth import Grant, OAuth, OAuthRefused, credentials
from app.simulator.shelf import Desk
from app.simulator.writings import PATH as WRITINGS
from app.simulator.writings import Writings, answer

__all__ = ["REGIONS", "Simulator", "credentials"]

REGIONS = ("us", "eu", "ca", "au")
VERSIONS = re.compile(r"4\.0\.(\d|1[0-3])")
DEFAULT_VERSION = "4.0.13"
LOG_LENGTH = 100_000
FORBIDDEN = "User is forbidden from taking that action"
_PATH = re.compile(r"/api/v4/(?P<list>[a-z_]+)(/(?P<id>\d+|who_am_i))?(\.json)?")
_HTML = "<html><body><h1>Something went wrong</h1></body></html>"


@dataclass(frozen=True)
class Logged:
    """A request that was made. Never holds a token."""

    method: str
    path: str
    query: str
    region: str
    user_id: int | None
    status: int
    at: str


class Simulator:
    """Clio, simulated: firms in four regions, with limits and faults."""

    def __init__(
        self,
        firms: Sequence[Firm],
        *,
        now: Callable[[], datetime],
        redirect_uris: Sequence[str],
        rate_limit: int = 50,
        token_life: timedelta = timedelta(days=30),
        latency: float = 0.0,
    ) -> None:
        self.firms = list(firms)
        self.now = now
        self.latency = latency
        self.limits = RateLimit(rate_limit)
        self.faults = Faults()
        self.log: deque[Logged] = deque(maxlen=LOG_LENGTH)
        self.oauth = {
            region: OAuth(
                region, firms, redirect_uris=redirect_uris, token_life=token_life, now=now
            )
            for region in REGIONS
        }
        self.matches = Matches()
        self.writings = Writings()

    def app(self, region: str) -> FastAPI:
        """The application that answers at a region's host."""
        return _Region(self, region).app()

    def requests(self, path: str = "/api/") -> list[Logged]:
        """The logged requests whose path begins like this."""
        return [entry for entry in self.log if entry.path.startswith(path)]


class _Refused(Exception):
    """An answer in Clio's error form."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


class _Region:
    """One region's endpoints."""

    def __init__(self, simulator: Simulator, region: str) -> None:
        self._simulator = simulator
        self._region = region
        self._oauth = simulator.oauth[region]

    def app(self) -> FastAPI:
        app = FastAPI(title=f"Clio {self._region} (simulated)", openapi_url=None)
        app.add_api_route("/oauth/authorize", self.authorize, methods=["GET"])
        app.add_api_route("/oauth/authorize", self.authorize, methods=["POST"])
        app.add_api_route("/oauth/token", self.token, methods=["POST"])
        app.add_api_route("/oauth/deauthorize", self.deauthorize, methods=["POST"])
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        app.add_api_route("/api/v4/{rest:path}", self.api, methods=methods)
        return app

    # --- OAuth -------------------------------------------------------------------------------

    async def authorize(self, request: Request) -> Response:
        """The page, or the redirect that a decision leads to."""
        sent = request.query_params if request.method == "GET" else await request.form()
        params = {name: str(value) for name, value in sent.items() if name != "as_user"}
        answers = [str(value) for value in sent.getlist("as_user")]
        try:
            self._oauth.check_authorize(params)
            if not answers:
                return self._logged(request, HTMLResponse(self._oauth.page(params)))
            target = self._oauth.decide(params, answers)
        except OAuthRefused as refusal:
            return self._logged(request, _oauth_error(refusal))
        if target is None:
            return self._logged(
                request, HTMLResponse("<p>You declined. You may close this page.</p>")
            )
        return self._logged(request, RedirectResponse(target, status_code=302))

    async def token(self, request: Request) -> Response:
        """Codes and refresh tokens to access tokens."""
        fault = self._simulator.faults.strike(request.url.path)
        if fault is not None and fault.effect == "status":
            return self._logged(request, HTMLResponse(_HTML, status_code=int(fault.value)))
        form = {name: str(value) for name, value in (await request.form()).items()}
        try:
            answer = self._oauth.token(form, has_header="authorization" in request.headers)
        except OAuthRefused as refusal:
            return self._logged(request, _oauth_error(refusal))
        return self._logged(request, JSONResponse(answer))

    async def deauthorize(self, request: Request) -> Response:
        """Kill a token."""
        form = await request.form()
        token = str(form.get("token", ""))
        if _bearer(request) != token or not self._oauth.deauthorize(token):
            return self._logged(request, _unauthorized())
        return self._logged(request, Response(status_code=200))

    # --- the API -----------------------------------------------------------------------------

    async def api(self, request: Request) -> Response:
        """Any call of the API: limits and faults first, then the answer."""
        simulator = self._simulator
        if simulator.latency:
            await asyncio.sleep(simulator.latency)
        grant = self._oauth.grant_of(_bearer(request))
        if grant is None:
            return self._logged(request, _unauthorized())
        allowed, headers = simulator.limits.take(grant.access_token, simulator.now())
        if not allowed:
            response = _limited(simulator.limits.limit, headers["Retry-After"])
        else:
            fault = simulator.faults.strike(request.url.path)
            response = await self._answer(request, grant, fault)
        response.headers.update(headers)
        return self._logged(request, response, grant.user_id)

    async def _answer(self, request: Request, grant: Grant, fault: Fault | None) -> Response:
        if fault is not None:
            instead = await _instead(fault)
            if instead is not None:
                return instead
        version = request.headers.get("x-api-version", DEFAULT_VERSION)
        if not VERSIONS.fullmatch(version):
            return _error(410, "VersionError", "The API version is not supported")
        simulator = self._simulator
        if WRITINGS.fullmatch(request.url.path):
            papers = simulator.writings
            desk = Desk(papers.shelf, grant.firm, grant.user_id, simulator.now())
            return await answer(papers, desk, request)
        try:
            body = self._body(request, grant, fault)
        except (_Refused, InvalidFields, ArgumentRefused) as refusal:
            return _error(refusal.status, refusal.kind, str(refusal))
        response = JSONResponse(body, headers={"X-API-VERSION": version})
        if isinstance(body["data"], dict):
            return _tagged(response, body["data"], request.headers.get("if-none-match"))
        return _spoiled(response, body, fault)

    def _body(self, request: Request, grant: Grant, fault: Fault | None) -> dict[str, Any]:
        found = _PATH.fullmatch(request.url.path)
        rule = LISTS.get(found["list"]) if found else None
        if found is None or rule is None:
            raise _Refused(404, "RecordNotFound", "Not found")
        if request.method != "GET":
            raise _Refused(403, "ForbiddenError", FORBIDDEN)
        if rule.kind == "custom_field" and grant.user_id in grant.firm.fields_unreadable:
            raise _Refused(403, "ForbiddenError", FORBIDDEN)
        gone = frozenset({fault.value} if fault and fault.effect == "unknown_field" else ())
        params = parse_qs(request.url.query, keep_blank_values=True)
        selection = fields.parse(rule.kind, params.get("fields", [None])[0], gone=gone)
        if found["id"] is None:
            return self._list(request, grant, rule, selection, params)
        return {"data": _single(grant, rule.kind, found["id"], selection)}

    def _list(
        self,
        request: Request,
        grant: Grant,
        rule: listing.ListRule,
        selection: fields.Selection,
        params: dict[str, list[str]],
    ) -> dict[str, Any]:
        asked = listing.understand(rule, params)
        page = self._simulator.matches.page(grant.firm, grant.user_id, asked)
        paging = {}
        if page.token is not None:
            following = request.url.include_query_params(page_token=page.token)
            paging["next"] = str(following)
        data = [
            fields.render(grant.firm, grant.user_id, rule.kind, record, selection)
            for record_id in page.ids
            if (record := grant.firm.find(rule.kind, record_id)) is not None
        ]
        return {"data": data, "meta": {"paging": paging, "records": page.total}}

    def _logged(self, request: Request, response: Response, user_id: int | None = None) -> Response:
        now = self._simulator.now()
        response.headers["Date"] = format_datetime(now, usegmt=True)
        query = "" if request.url.path.startswith("/oauth") else request.url.query
        method, path, status = request.method, request.url.path, response.status_code
        entry = Logged(method, path, query, self._region, user_id, status, now.isoformat())
        self._simulator.log.append(entry)
        return response


def _tagged(response: Response, record: dict[str, Any], known: str | None) -> Response:
    """A single record with its etag, or 304 when the caller knows it already."""
    etag = record.get("etag")
    if etag is None:
        return response
    if known == etag:
        return Response(status_code=304, headers={"ETag": etag})
    response.headers["ETag"] = etag
    return response


def _single(grant: Grant, kind: str, wanted: str, selection: fields.Selection) -> dict[str, Any]:
    record_id = grant.user_id if wanted == "who_am_i" else int(wanted)
    record = grant.firm.find(kind, record_id)
    if record is None or not grant.firm.sees(grant.user_id, kind, record_id):
        raise _Refused(404, "RecordNotFound", "The requested record could not be found")
    if kind == "user":
        record = {**record, "account_id": grant.firm.account["id"]}
    return fields.render(grant.firm, grant.user_id, kind, record, selection)


async def _instead(fault: Fault) -> Response | None:
    """What a fault answers instead of Clio; None for those that let it answer."""
    if fault.effect == "slow":
        await asyncio.sleep(float(fault.value))
    make = _INSTEAD.get(fault.effect)
    return make(fault) if make else None


_INSTEAD: dict[str, Callable[[Fault], Response]] = {
    "status": lambda fault: HTMLResponse(_HTML, status_code=int(fault.value)),
    "rate_limited": lambda fault: _limited(50, fault.value),
    "unauthorized": lambda _: _unauthorized(),
    "forbidden": lambda _: _error(403, "ForbiddenError", FORBIDDEN),
    "html": lambda _: HTMLResponse(_HTML),
    "empty": lambda _: JSONResponse({"data": [], "meta": {"paging": {}, "records": 0}}),
    "redirect": lambda fault: RedirectResponse(fault.value, status_code=307),
}


def _spoiled(response: JSONResponse, body: dict[str, Any], fault: Fault | None) -> Response:
    """An answer as a fault leaves it."""
    match fault.effect if fault else None:
        case "cut":
            response.body = response.body[: len(response.body) // 2]
            return response
        case "poison":
            body["data"][0]["id"] = "not a number"
        case "next":
            body["meta"]["paging"]["next"] = fault.value if fault else ""
        case _:
            return response
    spoiled = json.dumps(body).encode()
    response.body = spoiled
    response.headers["content-length"] = str(len(spoiled))
    return response


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


def _unauthorized() -> Response:
    text = "The access token provided is expired, revoked, malformed or invalid for other reasons."
    return JSONResponse({"error": "invalid_token", "error_description": text}, status_code=401)


def _oauth_error(refusal: OAuthRefused) -> Response:
    body = {"error": refusal.error, "error_description": str(refusal)}
    return JSONResponse(body, status_code=refusal.status)


def _error(status: int, kind: str, message: str) -> Response:
    return JSONResponse({"error": {"type": kind, "message": message}}, status_code=status)


def _limited(limit: int, seconds: str) -> Response:
    message = f"Rate limit of {limit} exceeded. Retry in {seconds} seconds."
    response = _error(429, "RateLimited", message)
    response.headers["Retry-After"] = seconds
    return response


def logged(entry: Logged) -> dict[str, Any]:
    """A logged request as JSON."""
    return asdict(entry)
