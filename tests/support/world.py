"""The whole service in a test: its API over ASGI, its workers, a simulated Clio, and methods that connect users."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
from fastapi import FastAPI
from sqlalchemy import text
from typing_extensions import override

from app import main
from app.clio.regions import Region
from app.config import Config
from app.crypto import new_key, new_service_token
from app.db.accounts import service_tokens
from app.db.accounts.service_tokens import ServiceToken
from app.db.runs import turns
from app.lanes import RUN_LANES
from app.main import Parts, build_app, configure_app
from app.simulator.firms.harlow_pike import harlow_pike
from app.simulator.http.server import Simulator, credentials
from app.simulator.store.firm import Firm
from tests.support.browser import submit_form
from tests.support.postgres import address_of
from tests.support.scripted_clio import over_the_wire
from tests.support.sessions import as_owner, looking

TOKEN = "a-bootstrap-token-of-32-characters"
PATIENCE = 120.0  # seconds after which a wait fails

ACCOUNT = {
    "name": "Harlow & Pike LLP",
    "time_zone": "America/New_York",
    "country": "US",
    "primary_user_id": "u_off",
    "enabled": True,
}
USERS = [
    {"id": "u_ann", "name": "Ann Harlow", "email": "ann@harlowpike.test", "active": True},
    {"id": "u_ben", "name": "Ben Pike", "email": "ben@harlowpike.test", "active": True},
    {"id": "u_cat", "name": "Cat Reed", "email": "cat@harlowpike.test", "active": True},
    {"id": "u_off", "name": "Front Office", "email": "office@levitate.test", "active": True},
]
KEY = new_key()


def config_for(dsn: str, **more: Any) -> Config:
    """Return a configuration for tests: one region, whose Clio is the simulator."""
    address = address_of(dsn)
    given: dict[str, Any] = {
        "database_url": address.url,
        "system_database_url": address.system,
        "migrate_database_url": address.owner,
        "public_url": "http://service.test",
        "encryption_keys": KEY,
        "return_origins": "https://levitate.test",
        "regions": dict([_registered("us")]),
        "service_token": TOKEN,
        "slot_spread_seconds": 0,
        "heartbeat_seconds": 1.0,
        "settle_seconds": 0.2,
        "api_rate": 0,
        "webhook_hosts": "127.0.0.1",
    }
    return Config(**{**given, **more})


def _registered(region: str) -> tuple[str, dict[str, str]]:
    client_id, secret = credentials(region)
    return region, {"client_id": client_id, "client_secret": secret}


def harlow_and_pike() -> Firm:
    """Return the firm of most tests; records that are changed later get the present time."""
    return harlow_pike(main.now)


def generous_simulator(*firms: Firm) -> Simulator:
    """Return a simulated Clio with these firms and a rate limit that no test reaches."""
    return Simulator(
        firms,
        now=main.now,
        redirect_uris=[
            f"{scheme}://service.test/oauth/clio/callback" for scheme in ("http", "https")
        ],
        rate_limit=100_000,
    )


class PausableTransport(httpx.ASGITransport):
    """A transport to the simulated Clio. A test can pause it: requests to Clio's API then wait.

    With `edit` a test changes the bodies of answers; it is given the path and the body.
    """

    def __init__(self, simulator: Simulator) -> None:
        super().__init__(simulator.app("us"))
        self.edit: Callable[[str, bytes], bytes] | None = None
        self._open = asyncio.Event()
        self._open.set()
        self._path = "/api/"
        self.waiting = asyncio.Event()

    @asynccontextmanager
    async def paused(self, path: str = "/api/") -> AsyncIterator[None]:
        """Make requests whose path begins with `path` wait until the block ends; `waiting` is set when one waits."""
        self._path = path
        self.waiting.clear()
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith(self._path) and not self._open.is_set():
            self.waiting.set()
            await self._open.wait()
        response = await super().handle_async_request(request)
        if self.edit is None:
            return response
        body = self.edit(request.url.path, await response.aread())
        described = ("content-length", "content-encoding")
        headers = {name: v for name, v in response.headers.items() if name not in described}
        return over_the_wire(httpx.Response(response.status_code, headers=headers, content=body))


@asynccontextmanager
async def opened_world(
    dsn: str, simulator: Simulator, regions: Sequence[str] = ("us",), /, **parts: bool
) -> AsyncIterator["World"]:
    """Run the whole service on a database, with the simulator for Clio in these regions."""
    clio_transport = PausableTransport(simulator)
    transports: dict[Region, httpx.ASGITransport] = dict.fromkeys(
        Region, clio_transport
    )  # for all, so that no region needs a TLS context
    transports |= {Region(one): httpx.ASGITransport(simulator.app(one)) for one in regions[1:]}
    config = config_for(dsn, regions=dict(map(_registered, regions)))
    with _idle_app() as app:
        configure_app(app, config, address_of(dsn), Parts(clio_transports=transports, **parts))
        async with app.router.lifespan_context(app):
            yield World(app, simulator, dsn, clio_transport)


_idle_apps: list[FastAPI] = []


@contextmanager
def _idle_app() -> Iterator[FastAPI]:
    """Yield an application that no other world uses. FastAPI needs 150 ms to build the routes at the first request."""
    app = _idle_apps.pop() if _idle_apps else build_app()
    yield app
    _idle_apps.append(app)


class World:
    """The service with its database and simulated Clio, used as Levitate's backend uses it."""

    def __init__(
        self, app: FastAPI, simulator: Simulator, dsn: str, clio_transport: PausableTransport
    ) -> None:
        self.app = app
        self.simulator = simulator
        self.clio_transport = clio_transport
        self.dsn = dsn
        headers = {"Authorization": f"Bearer {TOKEN}", "Levitate-Role": "success_manager"}
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.api = httpx.AsyncClient(
            transport=transport, base_url="http://service.test", headers=headers, timeout=PATIENCE
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.api.aclose()

    async def create_token(self, *account_ids: str, **more: Any) -> tuple[dict[str, str], str]:
        """Create a service token, for all accounts if none is given; return its header and id when it works.

        `more` are further fields of the token, such as its scope.
        """
        token, token_id, secret_hash = new_service_token()
        ids = account_ids or None
        made = ServiceToken(token_id, "test", secret_hash, ids, main.now(), None, **more)
        async with as_owner(self.app.state.services.database) as session:
            await service_tokens.add_token(session, made)
        headers = {"Authorization": f"Bearer {token}"}
        await self.until_token(headers, works=True)
        return headers, token_id

    async def until_token(self, headers: dict[str, str], *, works: bool) -> None:
        """Wait until the service has heard whether a token is valid."""
        async with asyncio.timeout(PATIENCE):
            while (
                (await self.api.get("/v1/accounts", headers=headers)).status_code == 200
            ) != works:
                await asyncio.sleep(0.01)

    async def create_account(self, account_id: str = "hp", **more: Any) -> None:
        """Create the account of the fixture firm, with its Levitate users."""
        answer = await self.api.put(f"/v1/accounts/{account_id}", json={**ACCOUNT, **more})
        assert answer.status_code == 200, answer.text
        answer = await self.api.put(f"/v1/accounts/{account_id}/users", json={"users": USERS})
        assert answer.status_code == 200, answer.text

    async def start(self, user_id: str, account_id: str = "hp") -> str:
        """Start to connect a user; return the address to which the browser must go."""
        body = {"user_id": user_id, "region": "us", "return_url": "https://levitate.test/done?x=1"}
        answer = await self.api.post(f"/v1/accounts/{account_id}/connections", json=body)
        assert answer.status_code == 201, answer.text
        url: str = answer.json()["authorize_url"]
        return url

    async def approve(self, authorize_url: str, clio_user: int | str) -> str:
        """Go to Clio's page and approve as a browser does; return the address of the callback."""
        started = await self.api.get(authorize_url)
        assert started.status_code == 303, started.text
        return await self.approve_at_clio(started.headers["location"], clio_user)

    async def approve_at_clio(self, address: str, clio_user: int | str) -> str:
        """Approve on Clio's page; return the address of the callback."""
        transport = httpx.ASGITransport(self.simulator.app("us"))
        async with httpx.AsyncClient(transport=transport) as browser:
            answer = await browser.get(f"{address}&as_user={clio_user}")
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    async def connect(self, user_id: str, clio_user: int, account_id: str = "hp") -> str:
        """Connect a user as a browser does; return the query of the return address.

        If a page asks whether the login belongs to the user, the answer is yes.
        """
        callback = await self.approve(await self.start(user_id, account_id), clio_user)
        answer = await submit_form(self.api, await self.api.get(callback), {"answer": "yes"})
        assert answer.status_code == 303, answer.text
        return urlsplit(answer.headers["location"]).query

    async def runs(self, account_id: str = "hp") -> list[dict[str, Any]]:
        """Return all runs of the account, oldest first."""
        return [run async for run in self.all("runs", account_id=account_id)]

    async def settled(self, account_id: str = "hp") -> list[dict[str, Any]]:
        """Wait until all runs have ended, and return them."""
        await self.runs_ended(account_id)
        return await self.runs(account_id)

    async def runs_ended(self, account_id: str = "hp") -> None:
        """Wait until all runs have ended."""
        unfinished = "select count(*) from runs where account_id = :account and finished_at is null"
        await self.none_left(unfinished, account=account_id)

    async def idle(self) -> None:
        """Wait until no worker has a job: a job ends shortly after its run or note has ended."""
        await self.none_left("select count(*) from pgqueuer where status = 'picked'")

    async def housekept(self) -> None:
        """Wait until no slice of housekeeping is due or at work."""
        await self.none_left(
            "select count(*) from pgqueuer where entrypoint = 'housekeeping'"
            " and status in ('queued', 'picked') and execute_after <= clock_timestamp()"
        )

    async def none_left(self, count: str, **named: str) -> None:
        """Wait until a counting statement returns zero. Without a transaction each look is one round trip."""
        async with asyncio.timeout(PATIENCE), looking(self.app.state.services.database) as session:
            while (await session.execute(text(count), named)).scalar_one():
                await asyncio.sleep(0.02)

    async def erase(self, account_id: str = "hp") -> dict[str, Any]:
        """Erase an account, wait for the end of the erasure and return its receipt."""
        answer = await self.api.delete(f"/v1/accounts/{account_id}")
        assert answer.status_code == 202, answer.text
        await self.none_left(
            "select count(*) from erasures where account_id = :account and finished_at is null",
            account=account_id,
        )
        await self.idle()
        receipt: dict[str, Any] = (await self.api.get(answer.headers["location"])).json()
        return receipt

    async def attempted(self, kind: str = "incremental", account_id: str = "hp") -> dict[str, Any]:
        """Request a run, wait until it has ended or is interrupted, and return it."""
        key, url = {"Idempotency-Key": f"key-{uuid4()}"}, f"/v1/accounts/{account_id}/runs"
        asked = await self.api.post(url, json={"kind": kind}, headers=key)
        assert asked.status_code == 202, asked.text
        return await self.stopped(asked.json()["id"], account_id)

    async def stopped(self, run_id: str, account_id: str = "hp") -> dict[str, Any]:
        """Wait until the run has ended or is interrupted, and return it."""
        await self.none_left(
            "select count(*) from runs where run_id = :run and status in ('queued', 'running')",
            run=run_id,
        )
        answer = await self.api.get(f"/v1/accounts/{account_id}/runs/{run_id}")
        run: dict[str, Any] = answer.json()
        return run

    async def resume(self) -> None:
        """Let interrupted runs continue at once."""
        async with as_owner(self.app.state.services.database) as session:
            started = (
                "update runs set resume_at = null where finished_at is null returning account_id"
            )
            await session.execute(text("update run_logins set waits = '{}'"))
            for account_id in {*(await session.execute(text(started))).scalars()}:
                await turns.wake_lanes(session, account_id, RUN_LANES, now=main.now())

    async def resume_before_clio_said(self) -> None:
        """Let runs continue at once although Clio asked another process to wait."""
        async with as_owner(self.app.state.services.database) as session:
            await session.execute(text("delete from budgets"))
        await self.resume()

    async def run(self, kind: str = "incremental", account_id: str = "hp") -> dict[str, Any]:
        """Request a run, wait for its end and return it."""
        key = {"Idempotency-Key": f"key-{uuid4()}"}
        asked = await self.api.post(
            f"/v1/accounts/{account_id}/runs", json={"kind": kind}, headers=key
        )
        assert asked.status_code == 202, asked.text
        runs = {run["id"]: run for run in await self.settled(account_id)}
        return runs[asked.json()["id"]]

    async def all(
        self, what: str, *, account_id: str = "hp", **params: Any
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield all items of a list, page by page."""
        cursor: str | None = None
        while True:
            asked = {"limit": 200, **params, **({"cursor": cursor} if cursor else {})}
            answer = await self.api.get(f"/v1/accounts/{account_id}/{what}", params=asked)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            for item in page["data"]:
                yield item
            cursor = page["next_cursor"]
            if not page["has_more"]:
                return

    async def settings(self, account_id: str = "hp") -> tuple[dict[str, Any], str]:
        """Return the settings document and the ETag of its version."""
        answer = await self.api.get(f"/v1/accounts/{account_id}/settings")
        assert answer.status_code == 200, answer.text
        return answer.json()["settings"], answer.headers["etag"]

    async def patch_settings(
        self, patch: dict[str, Any], account_id: str = "hp", **headers: str
    ) -> httpx.Response:
        """Patch the current settings with the ETag of their version."""
        _, etag = await self.settings(account_id)
        kind = {"Content-Type": "application/merge-patch+json", "If-Match": etag, **headers}
        url = f"/v1/accounts/{account_id}/settings"
        return await self.api.patch(url, content=json.dumps(patch), headers=kind)

    async def choose(self, patch: dict[str, Any], account_id: str = "hp") -> dict[str, Any] | None:
        """Patch the settings and wait for the rederive run; return that run, or None if none was needed."""
        answer = await self.patch_settings(patch, account_id)
        assert answer.status_code == 200, answer.text
        runs = {run["id"]: run for run in await self.settled(account_id)}
        run_id = answer.json()["run_id"]
        return runs[run_id] if run_id else None

    async def contacts(self, account_id: str = "hp", **params: Any) -> dict[str, dict[str, Any]]:
        """Return the contacts by Clio id."""
        found = self.all("contacts", account_id=account_id, **params)
        return {contact["clio_id"]: contact async for contact in found}

    async def changes(self, account_id: str = "hp") -> list[dict[str, Any]]:
        """Return all lines of the change feed."""
        return [line async for line in self.all("changes", account_id=account_id)]
