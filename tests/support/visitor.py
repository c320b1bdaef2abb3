"""A visitor of the simulated Clio: logs in as a user through the real redirects, then sends requests as an app does."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from app.simulator.http.oauth import third_party_credentials
from app.simulator.http.server import Simulator, credentials
from app.simulator.store.firm import Firm

CALLBACK = "http://service.test/oauth/clio/callback"


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 3, 11, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


def simulator_with(*firms: Firm, clock: Clock, **more: Any) -> Simulator:
    """Return a simulated Clio with a high rate limit unless another is given."""
    given = {"rate_limit": 100_000, **more}
    return Simulator(firms, now=clock, redirect_uris=[CALLBACK], **given)


class Visitor:
    """An app in one region: the app of this service, or another app."""

    def __init__(self, simulator: Simulator, region: str = "us", *, other: bool = False) -> None:
        self.client_id, self.secret = (
            third_party_credentials(region) if other else credentials(region)
        )
        self.tokens: dict[str, Any] = {}
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(simulator.app(region)),
            base_url="https://clio.test",
            auth=self._add_token,
        )

    def _add_token(self, request: httpx.Request) -> httpx.Request:
        """Add the token to every request except those to the token endpoint."""
        if self.tokens and request.url.path != "/oauth/token":
            request.headers["Authorization"] = f"Bearer {self.tokens['access_token']}"
        return request

    async def authorize(self, **params: Any) -> httpx.Response:
        """Return Clio's authorization page, or the redirect after a decision on it (`as_user`)."""
        asked = {
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "state": "s t&te",
            **params,
        }
        return await self.http.get("/oauth/authorize", params=asked)

    async def code(self, user_id: int) -> str:
        """Return a code as the callback gets it."""
        answer = await self.authorize(as_user=user_id)
        assert answer.status_code == 302, answer.text
        (code,) = parse_qs(urlsplit(answer.headers["location"]).query)["code"]
        return code

    async def token(self, **form: Any) -> httpx.Response:
        """Send a form to the token endpoint."""
        own = {"client_id": self.client_id, "client_secret": self.secret}
        return await self.http.post("/oauth/token", data={**own, **form})

    async def exchange(self, code: str, **form: Any) -> httpx.Response:
        """Exchange a code for tokens."""
        sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, **form}
        return await self.token(**sent)

    async def refresh(self, **form: Any) -> httpx.Response:
        """Request a new access token."""
        refresh_token = self.tokens["refresh_token"]
        return await self.token(grant_type="refresh_token", refresh_token=refresh_token, **form)

    async def login(self, user_id: int) -> "Visitor":
        """Connect as a user; later requests are sent as that user."""
        answer = await self.exchange(await self.code(user_id))
        assert answer.status_code == 200, answer.text
        self.use(answer.json())
        return self

    def use(self, tokens: dict[str, Any]) -> None:
        """Use these tokens for later requests."""
        self.tokens = tokens

    async def get(
        self, path: str, headers: dict[str, str] | None = None, **params: Any
    ) -> httpx.Response:
        """Send a GET request to the API."""
        return await self.http.get(f"/api/v4/{path}", params=params, headers=headers)

    async def write(
        self, method: str, path: str, data: Any = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Send a write request to the API."""
        body = None if data is None else {"data": data}
        return await self.http.request(method, f"/api/v4/{path}", json=body, headers=headers)

    async def listed(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """Return all records of a list, following the page links that Clio gives."""
        answer = await self.get(path, **params)
        found: list[dict[str, Any]] = []
        while True:
            assert answer.status_code == 200, answer.text
            page = answer.json()
            found += page["data"]
            if "next" not in page["meta"]["paging"]:
                return found
            answer = await self.http.get(page["meta"]["paging"]["next"])

    async def ids(self, path: str, **params: Any) -> list[int]:
        """Return the ids of all records of a list."""
        return [record["id"] for record in await self.listed(path, **params)]
