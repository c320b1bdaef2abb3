"""Reads a firm under Clio's real rate limits with simulated time: the duration and the number of refused requests."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from app.clio import resources
from app.clio.client import ClioClient
from app.clio.local_rate_limit import LocalLimit
from app.clio.resources import Resource
from app.clio.responses import http_client
from app.clio.shared_rate_limit import RESERVED_SHARE, WINDOW, Window
from app.clio.transport import ClioTransport, Clock
from app.lanes import Lane
from app.simulator.firms.seeded import seeded_firm
from app.simulator.http.server import Simulator, credentials
from app.sync.concurrency import run_together
from app.sync.connections.rate_limit import Step, T, TokenGate
from tests.support.scripted_clio import run_without_waiting

LISTS = (resources.CONTACTS, resources.MATTERS, resources.RELATIONSHIPS)
BEGIN = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
USER = 601
CLIO, CALLBACK = "http://clio.test", "http://service.test/back"


@dataclass(frozen=True)
class ReadResult:
    """The result of reading a firm. `early` is the total duration that was expected after the first minute."""

    requests: int
    refused: int
    seconds: float
    records: int
    early: float

    def least(self, limit: int, latency: float) -> float:
        """Return the shortest possible duration: the full windows, and then one call after another in the last one.

        Each window reserves calls for people and write-backs; they become available one by one during the window.
        """
        windows, rest = divmod(self.requests - 1, limit)
        kept = limit * RESERVED_SHARE[Lane.INITIAL]
        late = max(0.0, rest + 1 - (limit - kept))
        return windows * WINDOW + max((rest + 1) * latency, late * WINDOW / kept)


class MemoryRow:
    """The window that processes share, kept in memory, with the clock of the test."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self.window: Window | None = None
        self.asked = 0

    async def __call__(self, step: Step[T]) -> T:
        self.asked += 1
        self.window, answer = step(self.window, self._seconds())
        return answer


def read_firm(contacts: int, *, limit: int = 50, latency: float = 0.15) -> ReadResult:
    """Read a whole seeded firm as a first run does: all lists at once, through the shared rate limit."""
    result, _ = run_without_waiting(_read(contacts, limit, latency))
    return result


async def _read(contacts: int, limit: int, latency: float) -> ReadResult:
    loop = asyncio.get_running_loop()
    zero = loop.time()

    def now() -> datetime:
        return BEGIN + timedelta(seconds=loop.time() - zero)

    firm = seeded_firm(contacts=contacts, seed=1, now=now)
    simulator = Simulator(
        [firm], now=now, redirect_uris=[CALLBACK], rate_limit=limit, latency=latency
    )
    transport = httpx.ASGITransport(simulator.app("us"))
    client = ClioClient(
        ClioTransport(
            http_client(transport),
            origin=CLIO,
            source=_FixedToken(await _token(transport)),
            local_limit=LocalLimit(TokenGate(MemoryRow(loop.time), loop.time)),
            clock=Clock(loop.time, now),
            lane=Lane.INITIAL,
        )
    )
    zero = loop.time()
    reader = _FirmReader(
        client, [len(firm.ids(kind)) for kind in ("contact", "matter", "relationship")]
    )
    await run_together(*(reader.read(nth) for nth in range(len(LISTS))), reader.expect(loop, zero))
    return ReadResult(
        len(simulator.requests()),
        simulator.limits.refused,
        loop.time() - zero,
        sum(reader.landed),
        reader.early,
    )


async def _token(transport: httpx.AsyncBaseTransport, user: int = USER) -> str:
    """Return the access token of a user who approves."""
    client_id, secret = credentials("us")
    asked = {"client_id": client_id, "redirect_uri": CALLBACK, "response_type": "code"}
    async with httpx.AsyncClient(transport=transport, base_url=CLIO) as browser:
        approved = await browser.get("/oauth/authorize", params={**asked, "as_user": user})
        code = httpx.URL(approved.headers["location"]).params["code"]
        form = {
            "client_id": client_id,
            "client_secret": secret,
            "code": code,
            "redirect_uri": CALLBACK,
        }
        answer = await browser.post(
            "/oauth/token", data={**form, "grant_type": "authorization_code"}
        )
    token: str = answer.json()["access_token"]
    return token


class _FixedToken:
    """The token of a user who has approved."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self) -> str:
        return self._token

    async def renew(self, refused: str) -> str:
        raise AssertionError(refused)


class _FirmReader:
    def __init__(self, client: ClioClient, lengths: list[int]) -> None:
        self._client = client
        self._lengths = lengths
        self.landed = [0, 0, 0]
        self.early = 0.0

    async def read(self, nth: int) -> None:
        resource: Resource[Any] = LISTS[nth]
        async for page in self._client.pages(resource):
            self.landed[nth] += len(page.items) + len(page.unreadable)

    async def expect(self, loop: asyncio.AbstractEventLoop, zero: float) -> None:
        """Estimate the total duration after a minute, from the pages that are left."""
        await asyncio.sleep(60)
        left = [
            -(-(length - landed) // 200)
            for length, landed in zip(self._lengths, self.landed, strict=True)
        ]
        to_come = self._client.expected_seconds(sum(left), in_a_row=max(left))
        self.early = loop.time() - zero + to_come
