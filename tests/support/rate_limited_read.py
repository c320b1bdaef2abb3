"""A firm read under Clio's real limits in time that is skipped instead of waited for: how long, how many refusals."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from app.clio import resources
from app.clio.client import ClioClient
from app.clio.local_limit import LocalLimit
from app.clio.resources import Resource
from app.clio.responses import http_client
from app.clio.shared_limit import RESERVED_SHARE, WINDOW, Lane, Window
from app.clio.transport import ClioTransport, Clock
from app.simulator.firms.seeded import seeded_firm
from app.simulator.http.server import Simulator, credentials
from app.sync.concurrency import run_together
from app.sync.connections.rate_limit import Step, T, TokenGate
from tests.support.scripted_clio import at_once

LISTS = (resources.CONTACTS, resources.MATTERS, resources.RELATIONSHIPS)
BEGIN = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
USER = 601
CLIO, BACK = "http://clio.test", "http://service.test/back"


@dataclass(frozen=True)
class Pace:
    """What reading a firm came to. `early` is what was expected of the whole when a minute had passed."""

    requests: int
    refused: int
    seconds: float
    records: int
    early: float

    def least(self, limit: int, latency: float) -> float:
        """The seconds that it must take: the windows before the last, and in the last one call after another.

        The calls that each window keeps for people and write-backs come free one by one while it passes.
        """
        windows, rest = divmod(self.requests - 1, limit)
        kept = limit * RESERVED_SHARE[Lane.INITIAL]
        late = max(0.0, rest + 1 - (limit - kept))
        return windows * WINDOW + max((rest + 1) * latency, late * WINDOW / kept)


class MemoryRow:
    """The window that processes share, by a clock of the test's."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self.window: Window | None = None
        self.asked = 0

    async def __call__(self, step: Step[T]) -> T:
        self.asked += 1
        self.window, answer = step(self.window, self._seconds())
        return answer


def read_firm(contacts: int, *, limit: int = 50, latency: float = 0.15) -> Pace:
    """Read a whole seeded firm, all lists at once, behind the gate that all processes pass, as a first run does."""
    pace, _ = at_once(_read(contacts, limit, latency))
    return pace


async def _read(contacts: int, limit: int, latency: float) -> Pace:
    loop = asyncio.get_running_loop()
    zero = loop.time()

    def now() -> datetime:
        return BEGIN + timedelta(seconds=loop.time() - zero)

    firm = seeded_firm(contacts=contacts, seed=1, now=now)
    simulator = Simulator([firm], now=now, redirect_uris=[BACK], rate_limit=limit, latency=latency)
    transport = httpx.ASGITransport(simulator.app("us"))
    client = ClioClient(
        ClioTransport(
            http_client(transport),
            origin=CLIO,
            source=_Granted(await _token(transport)),
            local_limit=LocalLimit(TokenGate(MemoryRow(loop.time), loop.time)),
            clock=Clock(loop.time, now),
            lane=Lane.INITIAL,
        )
    )
    zero = loop.time()
    walk = _Walk(client, [len(firm.ids(kind)) for kind in ("contact", "matter", "relationship")])
    await run_together(*(walk.read(nth) for nth in range(len(LISTS))), walk.expect(loop, zero))
    return Pace(
        len(simulator.requests()),
        simulator.limits.refused,
        loop.time() - zero,
        sum(walk.landed),
        walk.early,
    )


async def _token(transport: httpx.AsyncBaseTransport, user: int = USER) -> str:
    """What a user gets who approves."""
    client_id, secret = credentials("us")
    asked = {"client_id": client_id, "redirect_uri": BACK, "response_type": "code"}
    async with httpx.AsyncClient(transport=transport, base_url=CLIO) as browser:
        approved = await browser.get("/oauth/authorize", params={**asked, "as_user": user})
        code = httpx.URL(approved.headers["location"]).params["code"]
        form = {"client_id": client_id, "client_secret": secret, "code": code, "redirect_uri": BACK}
        answer = await browser.post(
            "/oauth/token", data={**form, "grant_type": "authorization_code"}
        )
    token: str = answer.json()["access_token"]
    return token


class _Granted:
    """The token of a user who has approved."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self) -> str:
        return self._token

    async def renew(self, refused: str) -> str:
        raise AssertionError(refused)


class _Walk:
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
        """After a minute: what is left, by the pages still to come."""
        await asyncio.sleep(60)
        left = [
            -(-(length - landed) // 200)
            for length, landed in zip(self._lengths, self.landed, strict=True)
        ]
        to_come = self._client.expected_seconds(sum(left), in_a_row=max(left))
        self.early = loop.time() - zero + to_come
