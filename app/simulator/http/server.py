"""The simulated Clio: one ASGI application for each region. They share firms, rate limits, faults and a log."""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.simulator.faults import apply
from app.simulator.faults.faults import Fault, Faults
from app.simulator.faults.quirks import Quirks
from app.simulator.faults.rate_limit import RateLimit
from app.simulator.http import html_pages, requests, responses
from app.simulator.http.oauth import Grant, OAuth, OAuthRefusal, credentials
from app.simulator.http.requests import ApiRequest
from app.simulator.http.webhooks import PATH as WEBHOOKS_PATH
from app.simulator.http.webhooks import Webhooks
from app.simulator.store import listing
from app.simulator.store.firm import Firm, Record
from app.simulator.store.listing import Lists
from app.simulator.store.refusals import Refusal

__all__ = ["REGIONS", "Quirks", "Simulator", "credentials"]

REGIONS = ("us", "eu", "ca", "au")
VERSIONS = re.compile(r"4\.0\.(\d|1[0-3])")
DEFAULT_VERSION = "4.0.13"
LOG_LENGTH = 100_000


@dataclass(frozen=True)
class LogEntry:
    """A request that was answered. It contains no token.

    `record_id` is the record that a write made or changed. `received_at` is when the request came, `at` when it was
    answered.
    """

    method: str
    path: str
    query: str
    region: str
    user_id: int | None
    record_id: int | None
    status: int
    received_at: str
    at: str


class Simulator:
    """A simulated Clio: firms in four regions, with rate limits and faults."""

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
        self.quirks = Quirks()
        self.limits = RateLimit(rate_limit)
        self.faults = Faults(now)
        self.log: deque[LogEntry] = deque(maxlen=LOG_LENGTH)
        self.oauth = {
            region: OAuth(
                region, firms, redirect_uris=redirect_uris, token_life=token_life, now=now
            )
            for region in REGIONS
        }
        self.lists = Lists()
        self.webhooks = Webhooks(now)
        for firm in self.firms:
            self.webhooks.watch(firm)

    def app(self, region: str) -> FastAPI:
        """Return the ASGI application of a region."""
        return _Region(self, region).app()

    def requests(self, path: str = "/api/") -> list[LogEntry]:
        """Return the logged requests whose path begins with `path`."""
        return [entry for entry in self.log if entry.path.startswith(path)]

    def records(self, kind: str) -> list[Record]:
        """Return all records of a kind, of all firms, by id."""
        found = [
            firm.find(kind, record_id) or {} for firm in self.firms for record_id in firm.ids(kind)
        ]
        return sorted(found, key=lambda record: record["id"])


class _Region:
    """The endpoints of one region."""

    def __init__(self, simulator: Simulator, region: str) -> None:
        self._simulator = simulator
        self._region = region
        self._oauth = simulator.oauth[region]

    def app(self) -> FastAPI:
        app = FastAPI(
            title=f"Clio {self._region} (simulated)",
            openapi_url=None,
            dependencies=[Depends(self.note_arrival)],
        )
        app.add_api_route("/", self.home, methods=["GET"])
        app.add_api_route("/oauth/authorize", self.authorize, methods=["GET"])
        app.add_api_route("/oauth/authorize", self.authorize, methods=["POST"])
        app.add_api_route("/oauth/token", self.token, methods=["POST"])
        app.add_api_route("/oauth/deauthorize", self.deauthorize, methods=["POST"])
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        app.add_api_route("/api/v4/{rest:path}", self.api, methods=methods)
        return app

    async def home(self) -> Response:
        """Return the page for a person who opens the address. It is no request to Clio, so it is not logged."""
        oauth = self._oauth
        page = html_pages.home(self._region, oauth.service, oauth.firms, oauth.redirect_uris)
        return HTMLResponse(page)

    async def note_arrival(self, request: Request) -> None:
        """Keep the time at which a request came, for the log."""
        request.state.received_at = self._simulator.now()

    # --- OAuth -------------------------------------------------------------------------------

    async def authorize(self, request: Request) -> Response:
        """Return the page, or the redirect after a decision."""
        sent = request.query_params if request.method == "GET" else await request.form()
        params = {name: str(value) for name, value in sent.items() if name != "as_user"}
        decision = [str(value) for value in sent.getlist("as_user")]
        try:
            app = self._oauth.check_authorize(params)
            if not decision:
                page = html_pages.approve(self._region, app, self._oauth.firms, params)
                return self._logged(request, HTMLResponse(page))
            target = self._oauth.decide(app, params, decision)
        except OAuthRefusal as refusal:
            return self._logged(request, _oauth_error(refusal))
        if target is None:
            return self._logged(request, HTMLResponse(html_pages.declined(self._region)))
        return self._logged(request, RedirectResponse(target, status_code=302))

    async def token(self, request: Request) -> Response:
        """Exchange a code or a refresh token for an access token."""
        fault = self._simulator.faults.match(request.url.path)
        if replaced := await apply.replacement(fault):
            return self._logged(request, replaced)
        form = {name: str(value) for name, value in (await request.form()).items()}
        try:
            document = self._oauth.token(form, has_header="authorization" in request.headers)
        except OAuthRefusal as refusal:
            return self._logged(request, _oauth_error(refusal))
        return self._logged(request, apply.apply(responses.Json(document), fault))

    async def deauthorize(self, request: Request) -> Response:
        """Revoke a token."""
        if replaced := await apply.replacement(self._simulator.faults.match(request.url.path)):
            return self._logged(request, replaced)
        form = await request.form()
        token = str(form.get("token", ""))
        if _bearer(request) != token or not self._oauth.deauthorize(token):
            return self._logged(request, responses.unauthorized())
        return self._logged(request, Response(status_code=200))

    # --- the API -----------------------------------------------------------------------------

    async def api(self, request: Request) -> Response:
        """Answer any request of the API: token, rate limit and faults first."""
        simulator = self._simulator
        if simulator.latency:
            await asyncio.sleep(simulator.latency)
        grant = self._oauth.grant_of(_bearer(request))
        if grant is None:
            return self._logged(request, responses.unauthorized())
        allowed, headers = simulator.limits.take(grant.access_token, simulator.now())
        if not allowed:
            limit, wrapped = simulator.limits.limit, simulator.quirks.wraps_rate_limit
            response = responses.rate_limited(limit, headers["Retry-After"], wrapped=wrapped)
        else:
            fault = simulator.faults.match(request.url.path, grant.user_id)
            response = await self._answer(request, grant, fault)
        response.headers.update(headers)
        return self._logged(request, response, grant.user_id)

    async def _answer(self, request: Request, grant: Grant, fault: Fault | None) -> Response:
        if replaced := await apply.replacement(fault):
            return replaced
        version = request.headers.get("x-api-version", DEFAULT_VERSION)
        if not VERSIONS.fullmatch(version):
            return responses.error(410, "VersionError", "The API version is not supported")
        try:
            if WEBHOOKS_PATH.fullmatch(request.url.path):
                response = await self._simulator.webhooks.answer(request, grant)
            else:
                response = await self._respond(requests.parse(request, grant, fault))
        except Refusal as refusal:
            return responses.refused(refusal)
        response.headers["X-API-VERSION"] = version
        return apply.apply(response, fault)

    async def _respond(self, call: ApiRequest) -> Response:
        if call.request.method != "GET":
            return await requests.handle_write(call, self._simulator.faults)
        if call.record_id is None:
            return self._list(call)
        record = call.record()
        if responses.is_current(record, call.request.headers):
            return responses.not_modified(record)
        return responses.with_etag(responses.Json({"data": call.render(record)}), record)

    def _list(self, call: ApiRequest) -> Response:
        firm, kind, quirks = call.grant.firm, call.spec.kind, self._simulator.quirks
        asked = listing.parse_request(call.spec, call.params, quirks)
        page = self._simulator.lists.page(firm, call.grant.user_id, asked)
        neighbours = {"next": page.next, "previous": page.previous}
        url = call.request.url
        paging = {
            name: str(url.include_query_params(**changed))
            for name, changed in neighbours.items()
            if changed
        }
        meta = {"paging": paging, **({"records": page.total} if quirks.tells_records else {})}
        records = (firm.find(kind, record_id) for record_id in page.ids)
        data = [call.render(record) for record in records if record is not None]
        return responses.Json({"data": data, "meta": meta})

    def _logged(self, request: Request, response: Response, user_id: int | None = None) -> Response:
        now = self._simulator.now()
        response.headers["Date"] = format_datetime(now, usegmt=True)
        query = "" if request.url.path.startswith("/oauth") else request.url.query
        entry = LogEntry(
            method=request.method,
            path=request.url.path,
            query=query,
            region=self._region,
            user_id=user_id,
            record_id=getattr(request.state, "record_id", None),
            status=response.status_code,
            received_at=request.state.received_at.isoformat(),
            at=now.isoformat(),
        )
        self._simulator.log.append(entry)
        return response


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


def _oauth_error(refusal: OAuthRefusal) -> Response:
    return responses.oauth_error(refusal.status, refusal.error, str(refusal))


def log_entry_json(entry: LogEntry) -> dict[str, Any]:
    """Return a log entry as JSON."""
    return asdict(entry)
