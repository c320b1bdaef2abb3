"""A scripted Clio at the HTTP border that gives prepared answers, and a client whose clock never really waits."""

import asyncio
import json
import selectors
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, TypeVar

import httpx
from typing_extensions import override

from app.clio.client import ClioClient
from app.clio.local_rate_limit import LocalLimit
from app.clio.responses import http_client
from app.clio.transport import ClioTransport, Clock
from app.lanes import Lane

T = TypeVar("T")
ORIGIN = "https://app.clio.com"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CONTACTS = f"{ORIGIN}/api/v4/contacts.json"

Answer = httpx.Response | Exception | Callable[[httpx.Request], Any]


class FakeTime:
    """A clock that moves only when somebody waits."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.waits: list[float] = []

    def clock(self) -> Clock:
        return Clock(lambda: 1000.0 + self.passed, self.now, self.sleep)

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.passed)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.passed += seconds
        await asyncio.sleep(0)


class Source:
    """A token source that counts how often it was asked for another token."""

    def __init__(self, *renewals: str | Exception) -> None:
        self.current = "token-1"
        self.refused: list[str] = []
        self._renewals = list(renewals or ("token-2", "token-3"))

    async def token(self) -> str:
        return self.current

    async def renew(self, refused: str) -> str:
        self.refused.append(refused)
        new = self._renewals.pop(0)
        if isinstance(new, Exception):
            raise new
        self.current = new
        return new


class Scripted:
    """Answers requests one after another and repeats the last answer; keeps every request, whatever its host."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        made = answer if isinstance(answer, httpx.Response) else answer(request)
        made = await made if isinstance(made, Awaitable) else made
        assert isinstance(made, httpx.Response)
        return over_the_wire(made) if made.is_stream_consumed else made

    @property
    def paths(self) -> list[str]:
        return [request.url.path for request in self.requests]

    @property
    def tokens(self) -> list[str]:
        return [
            request.headers["authorization"].removeprefix("Bearer ") for request in self.requests
        ]


def over_the_wire(response: httpx.Response) -> httpx.Response:
    """Return the response as it arrives: with a body that must still be read."""

    async def body() -> AsyncIterator[bytes]:
        yield response.content

    return httpx.Response(response.status_code, headers=response.headers, content=body())


class Case:
    """A client with scripted answers, and everything that a test may check."""

    def __init__(
        self, *answers: Answer, source: Source | None = None, lane: Lane = Lane.INCREMENTAL
    ) -> None:
        self.clio = Scripted(*answers)
        self.source = source or Source()
        self.time = FakeTime()
        self.local_limit = LocalLimit()
        self.http = http_client(httpx.MockTransport(self.clio))
        self.client = ClioClient(
            ClioTransport(
                self.http,
                origin=ORIGIN,
                source=self.source,
                local_limit=self.local_limit,
                clock=self.time.clock(),
                lane=lane,
            )
        )


def page(
    ids: Iterable[int] = (1,),
    cursor: str | None = None,
    *,
    following: Any = None,
    total: Any = None,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    """Return a page of contacts with these ids; the next page is at `cursor`, or at the URL in `following`."""
    meta: dict[str, Any] = {"paging": {}, "records": total}
    if cursor is not None:
        following = f"{CONTACTS}?page_token={cursor}"
    if following is not None:
        meta["paging"]["next"] = following
    return answered(
        {"data": [{"id": i, "type": "Person"} for i in ids], "meta": meta}, headers=headers
    )


def answered(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> httpx.Response:
    """Return a response as Clio sends it: JSON, a date, and high limits unless `headers` has others."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.Response(status, headers=headers_with(headers), content=content)


def headers_with(more: Mapping[str, str] | None = None) -> httpx.Headers:
    """Return the headers of a response: the usual ones, overridden by `more`."""
    headers = httpx.Headers(limits())
    headers.update(more)
    return headers


def failed(status: int, kind: str = "", message: str = "", **headers: str) -> httpx.Response:
    """Return a response with Clio's error object."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return answered({"error": {"type": kind, "message": message}}, status, named)


def limits(
    *, left: int = 49, limit: int = 50, reset_in: int = 40, sent: datetime = NOW
) -> dict[str, str]:
    """Return the headers that every response of Clio has."""
    return {
        "date": format_datetime(sent, usegmt=True),
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(left),
        "x-ratelimit-reset": str(int(sent.timestamp()) + reset_in),
    }


class _JumpingSelector(selectors.DefaultSelector):
    """A selector that never waits: when nothing is ready, its clock moves by the timeout."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout:
            self.passed += timeout
        return ready


class _JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    @override
    def time(self) -> float:
        return self._jumping.passed


def run_without_waiting(coroutine: Coroutine[Any, Any, T]) -> tuple[T, float]:
    """Run to the end with every wait skipped; return the result and the seconds that would have passed."""
    with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
        loop = runner.get_loop()
        began = loop.time()
        result = runner.run(coroutine)
        return result, loop.time() - began
