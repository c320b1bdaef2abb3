"""Calls to Clio as one user: the bearer, the budget, deadlines, retries of reads, and the count of what was used.

Every address is of our own origin; every call has a deadline; what is read has a ceiling. A write is never repeated.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import httpx
import stamina

from app.clio import allowed_writes, pagination
from app.clio.errors import ClioRetryLater, ClioUnreadable, WriteOutcomeUnknown, network_error
from app.clio.local_limit import LocalLimit
from app.clio.oauth import BearerAuth, TokenSource
from app.clio.responses import DEADLINE, ClioResponse, error_of, read_bounded
from app.clio.shared_limit import Lane

P = TypeVar("P")

API_VERSION = "4.0.13"
# The longest wait that is sat out; a longer one gives the worker back to others, and who asks comes again.
MAX_READ_WAIT = 75.0  # a read's: longer than a window
MAX_PERSON_WAIT = 10.0  # a person's: longer than the end of a window, when nothing goes
MAX_WRITE_WAIT = 2.0  # a write-back's: others have something to write too
ATTEMPTS = 4
_MAX_WAITS = {Lane.PERSON: MAX_PERSON_WAIT, Lane.WRITE_BACK: MAX_WRITE_WAIT}
REDIRECTS = (301, 302, 307, 308)
_API_PATH = re.compile(r"/api/v4(/[A-Za-z0-9_-]+)+(\.json)?")


@dataclass(frozen=True)
class Clock:
    """The time as the client needs it: seconds that only rise, the date, and how to wait."""

    seconds: Callable[[], float]
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(frozen=True)
class Usage:
    """Calls made, those refused for now, and the seconds waited."""

    requests: int = 0
    rate_limited: int = 0
    waited_seconds: float = 0.0


class ClioTransport:
    """One user's calls, under the budget of the user's token."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        origin: str,
        source: TokenSource,
        budget: LocalLimit,
        clock: Clock,
        lane: Lane,
    ) -> None:
        self.clock = clock
        self._http = http
        self._origin = origin
        self._source = source
        self._budget = budget
        self._lane = lane
        self._usage = Usage()
        self._seconds = 0.0
        self._answered_calls = 0

    def in_lane(self, lane: Lane) -> "Calls":
        """The same user's calls, with another right of way."""
        return ClioTransport(
            self._http,
            origin=self._origin,
            source=self._source,
            budget=self._budget,
            clock=self.clock,
            lane=lane,
        )

    def address(self, path: str, params: Mapping[str, str | list[str]]) -> httpx.URL:
        """The address of a path at Clio."""
        return httpx.URL(self._origin + path, params=dict(params))

    async def get(self, url: httpx.URL) -> ClioResponse:
        """The answer to a read."""
        return await self.read(url, lambda answer, _: answer)

    async def read(self, url: httpx.URL, parse: Callable[[ClioResponse, httpx.URL], P]) -> P:
        """Ask, and read the answer; what may pass (outages, cut or foreign answers) is tried a few times."""
        async for attempt in stamina.retry_context(
            on=_is_transient, attempts=ATTEMPTS, timeout=None, wait_initial=0.5, wait_max=8.0
        ):
            with attempt:
                answer, address = await self._answered(url)
                if answer.status != 200:
                    raise error_of(answer)
                return parse(answer, address)
        raise AssertionError  # retry_context either returns or raises

    async def write(self, method: str, url: httpx.URL, content: bytes | None) -> ClioResponse:
        """One write, sent once. Raises WriteUnsure when it may have arrived or not.

        Every other failure proves that it did not. What `writes` does not list is refused here [FQ-1].
        """
        try:
            answer = await self._authorised(method, url, content)
        except allowed_writes.NOT_SENT as error:
            raise network_error(error) from error
        except (httpx.HTTPError, TimeoutError, ClioUnreadable) as error:
            raise WriteOutcomeUnknown("Clio's answer to a write was lost") from error
        if answer.status == 429:
            raise _rate_limited(self._budget.refused(answer.headers, self.clock.seconds()))
        return allowed_writes.check_written(answer)

    def take_usage(self) -> Usage:
        """What was used since this was last taken."""
        taken, self._usage = self._usage, Usage()
        return taken

    def expected_seconds(self, calls: int, *, in_a_row: int) -> float:
        """How long so many more calls will take at the pace so far and under the budget [IS-2].

        Lists are read at the same time, the pages of each one after another: `in_a_row` of the longest are left.
        """
        each = self._seconds / self._answered_calls if self._answered_calls else 0.0
        pace = each * in_a_row / max(calls, 1)
        return self._budget.expected_seconds(calls, self.clock.seconds(), seconds_per_call=pace)

    async def _answered(self, url: httpx.URL) -> tuple[ClioResponse, httpx.URL]:
        """The answer, after one redirect at most, and where it came from."""
        answer = await self._asked(url)
        if answer.status in REDIRECTS:
            url = self._redirected(url, answer)
            answer = await self._asked(url)
        if answer.status in REDIRECTS:
            raise ClioUnreadable("Clio sent us on and on; only one redirect is followed")
        return answer, url

    def _redirected(self, url: httpx.URL, answer: ClioResponse) -> httpx.URL:
        """Where Clio sends us, if that is a path of its own API; our own parameters stay."""
        try:
            target = url.join(answer.headers.get("location", ""))
            here = url.copy_with(path=target.path)
        except (httpx.InvalidURL, ValueError) as error:
            raise ClioUnreadable("Clio sent us to no address") from error
        foreign = pagination.origin(target) != pagination.origin(url) or target.userinfo
        if foreign or not _API_PATH.fullmatch(target.path):
            raise ClioUnreadable("Clio sent us to another place; it was not asked")
        return here

    async def _asked(self, url: httpx.URL) -> ClioResponse:
        """One read; a 429 waits and asks again."""
        while True:
            try:
                answer = await self._authorised("GET", url)
            except (httpx.HTTPError, TimeoutError) as error:
                raise network_error(error) from error
            if answer.status != 429:
                return answer
            await self._wait(self._budget.refused(answer.headers, self.clock.seconds()))

    async def _authorised(
        self, method: str, url: httpx.URL, content: bytes | None = None
    ) -> ClioResponse:
        """One call, and once more with another token where Clio refuses the first."""
        allowed_writes.check_allowed(method, url.path)
        token = await self._source.token()
        answer = await self._counted(method, url, token, content)
        if answer.status != 401:
            return answer
        return await self._counted(method, url, await self._source.renew(token), content)

    async def _counted(
        self, method: str, url: httpx.URL, token: str, content: bytes | None
    ) -> ClioResponse:
        """One exchange, when the budget allows it; every one that leaves here is counted."""
        await self._reserve()
        began = self.clock.seconds()
        try:
            answer = await self._exchange(method, url, token, content)
        except BaseException:
            self._budget.abandoned()
            raise
        self._note(answer, began)
        if self._budget.gate is not None:
            await self._budget.gate.told(answer.headers)
        return answer

    def _note(self, answer: ClioResponse, began: float) -> None:
        limited = answer.status == 429
        self._usage = Usage(
            self._usage.requests + 1,
            self._usage.rate_limited + limited,
            self._usage.waited_seconds,
        )
        if not limited:
            self._budget.learn(answer.headers, self.clock.seconds())
            self._seconds += self.clock.seconds() - began
            self._answered_calls += 1

    async def _reserve(self) -> None:
        """Take a call from this process's budget, and then from what all who use the token share."""
        gate = self._budget.gate
        while True:
            while wait := self._budget.reserve(self.clock.seconds()):
                await self._wait(wait)
            try:
                wait = await gate.enter(self._lane) if gate else 0.0
            except BaseException:
                self._budget.returned()
                raise
            if not wait:
                return
            self._budget.returned()
            await self._wait(wait)

    async def _wait(self, seconds: float) -> None:
        if seconds > _MAX_WAITS.get(self._lane, MAX_READ_WAIT):
            raise _rate_limited(seconds)
        await self.clock.sleep(seconds)
        self._usage = Usage(
            self._usage.requests, self._usage.rate_limited, self._usage.waited_seconds + seconds
        )

    async def _exchange(
        self, method: str, url: httpx.URL, token: str, content: bytes | None
    ) -> ClioResponse:
        headers = {"X-API-VERSION": API_VERSION}
        if content is not None:
            headers["Content-Type"] = "application/json"
        auth = BearerAuth(self._origin, token)
        try:
            async with (
                asyncio.timeout(DEADLINE if method == "GET" else allowed_writes.DEADLINE),
                self._http.stream(
                    method, url, headers=headers, content=content, auth=auth
                ) as response,
            ):
                body = await read_bounded(response)
        except (httpx.InvalidURL, UnicodeError) as error:
            # httpx works out where a redirect leads, though it does not follow
            raise ClioUnreadable("Clio sent us to no address") from error
        return ClioResponse(response.status_code, response.headers, body)


def _rate_limited(seconds: float) -> ClioRetryLater:
    after = timedelta(seconds=seconds)
    return ClioRetryLater("Clio asks to wait", after=after, code="clio_rate_limited")


def _is_transient(error: Exception) -> bool:
    """Whether trying again at once may help: not for waits that Clio asked for."""
    if isinstance(error, ClioRetryLater):
        return error.code != "clio_rate_limited"
    return isinstance(error, ClioUnreadable)
