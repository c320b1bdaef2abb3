"""HTTP requests to Clio as one user: bearer token, rate limit, deadlines, retries of reads, and usage counters.

Every URL has the configured origin. Every request has a deadline, and a response has a maximum size. A write is never
repeated.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import httpx
import stamina

from app.clio import allowed_writes, pagination
from app.clio.call_budget import BudgetSpent, CallBudget
from app.clio.errors import (
    ClioError,
    ClioReauthRequired,
    ClioUnreadable,
    is_transient,
    rate_limited,
)
from app.clio.local_rate_limit import LocalLimit
from app.clio.oauth import BearerAuth, TokenSource
from app.clio.responses import DEADLINE, ClioResponse, error_of, read_bounded, verdict_of
from app.lanes import Lane

P = TypeVar("P")

API_VERSION = "4.0.13"
# The longest time in seconds to wait for the rate limit. For a longer wait the request fails with ClioRetryLater.
MAX_READ_WAIT = 75.0  # for a read: longer than a rate limit window
MAX_PERSON_WAIT = 10.0  # for a person: longer than the end of a window that is used up
MAX_WRITE_WAIT = 2.0  # for a write-back: other activities wait too
LONGEST_WAIT_IN_SLICE = 0.5  # with a budget: no slice sleeps until a window of the rate limit ends
ATTEMPTS = 4
RETRY_JITTER = 1.0  # seconds that are added to the wait before a retry, at most
_MAX_WAITS = {Lane.PERSON: MAX_PERSON_WAIT, Lane.WRITE_BACK: MAX_WRITE_WAIT}
REDIRECTS = (301, 302, 307, 308)
_API_PATH = re.compile(r"/api/v4(/[A-Za-z0-9_-]+)+(\.json)?")


@dataclass(frozen=True)
class Clock:
    """The time source of the client: monotonic seconds, the current time, and a sleep function."""

    seconds: Callable[[], float]
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(frozen=True)
class Usage:
    """Requests sent, responses with status 429, and seconds waited for the rate limit."""

    requests: int = 0
    rate_limited: int = 0
    waited_seconds: float = 0.0


class ClioTransport:
    """Sends one user's requests, under the rate limit of the user's token and within the budget, if there is one."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        origin: str,
        source: TokenSource,
        local_limit: LocalLimit,
        clock: Clock,
        lane: Lane,
    ) -> None:
        self.clock = clock
        self.budget: CallBudget | None = None
        self._http = http
        self._origin = origin
        self._source = source
        self._local_limit = local_limit
        self._lane = lane
        self._usage = Usage()
        self._reserved = False
        self._seconds = 0.0
        self._response_count = 0

    def in_lane(self, lane: Lane) -> "ClioTransport":
        """Return a transport for the same user with another priority."""
        other = ClioTransport(
            self._http,
            origin=self._origin,
            source=self._source,
            local_limit=self._local_limit,
            clock=self.clock,
            lane=lane,
        )
        return other.within(self.budget)

    def within(self, budget: CallBudget | None) -> "ClioTransport":
        """Let the requests from now on be counted in a budget, or in none; return this transport."""
        self.budget = budget
        return self

    def address(self, path: str, params: Mapping[str, str | list[str]]) -> httpx.URL:
        """Return the URL of a path at Clio."""
        return httpx.URL(self._origin + path, params=dict(params))

    async def get(self, url: httpx.URL) -> dict[str, Any]:
        """Return a single record, as it is."""
        return await self.read(url, lambda response, _: pagination.parse_data(response.body))

    async def read(self, url: httpx.URL, parse: Callable[[ClioResponse, httpx.URL], P]) -> P:
        """Send a read and return the parsed response. Outages and unreadable responses are retried a few times.

        Raise BudgetSpent if the budget allows no further call, and with the failure if it allows no further try.
        """
        async for attempt in stamina.retry_context(
            on=is_transient,
            attempts=ATTEMPTS,
            timeout=None,
            wait_initial=0.5,
            wait_max=8.0,
            wait_jitter=RETRY_JITTER,
        ):
            with attempt:
                try:
                    return await self._read_once(url, parse)
                except ClioError as error:
                    self._check_retry(error, attempt)
                    raise
        raise AssertionError  # retry_context either returns or raises

    async def _read_once(self, url: httpx.URL, parse: Callable[[ClioResponse, httpx.URL], P]) -> P:
        response, address = await self._follow_redirect(url)
        if response.status != 200:
            raise error_of(response)
        return parse(response, address)

    def _check_retry(self, error: ClioError, attempt: stamina.Attempt) -> None:
        """Raise BudgetSpent if the failed read would be tried again, and the budget has ended by then."""
        if self.budget is None or not is_transient(error) or attempt.num == ATTEMPTS:
            return
        longest = attempt.next_wait + RETRY_JITTER
        if self.budget.calls <= 0 or not self.budget.has_time_for(longest):
            raise BudgetSpent(error) from error

    async def write(self, method: str, url: httpx.URL, content: bytes | None) -> dict[str, Any]:
        """Send one write, once, and return the record in the response.

        Raise WriteOutcomeUnknown if it is not known whether Clio did it. Every other error proves that Clio did not.
        Writes that `allowed_writes` does not list are refused [FQ-1].
        """
        response = await self._authorised(method, url, content)
        if response.status == 429:
            raise rate_limited(self._record_rate_limited(response))
        return allowed_writes.check_written(method, response)

    def take_usage(self) -> Usage:
        """Return the usage since the last call of this method, and reset it."""
        taken, self._usage = self._usage, Usage()
        return taken

    def expected_seconds(self, calls: int, *, in_a_row: int) -> float:
        """Return how many seconds `calls` more requests will take, at the pace so far and under the rate limit [IS-2].

        Lists are read concurrently, but the pages of a list in sequence. `in_a_row` is the number of pages that remain
        in the longest list.
        """
        average = self._seconds / self._response_count if self._response_count else 0.0
        pace = average * in_a_row / max(calls, 1)
        return self._local_limit.expected_seconds(
            calls, self.clock.seconds(), seconds_per_call=pace
        )

    async def _follow_redirect(self, url: httpx.URL) -> tuple[ClioResponse, httpx.URL]:
        """Return the response, after at most one redirect, and the URL that it came from."""
        response = await self._get(url)
        if response.status in REDIRECTS:
            url = self._redirect_target(url, response)
            response = await self._get(url)
        if response.status in REDIRECTS:
            raise ClioUnreadable("Clio redirected more than once; only one redirect is followed")
        return response, url

    def _redirect_target(self, url: httpx.URL, response: ClioResponse) -> httpx.URL:
        """Return the URL with the path of the redirect, if that is in Clio's API. The query stays our own."""
        try:
            target = url.join(response.headers.get("location", ""))
            redirected = url.copy_with(path=target.path)
        except (httpx.InvalidURL, ValueError) as error:
            raise ClioUnreadable("Clio redirected to an invalid URL") from error
        same_site = pagination.is_same_site(target, url)
        if not same_site or not _API_PATH.fullmatch(target.path):
            raise ClioUnreadable("Clio redirected outside its API; the redirect was not followed")
        return redirected

    async def _get(self, url: httpx.URL) -> ClioResponse:
        """Send one read. After a 429, wait and send it again."""
        while (response := await self._authorised("GET", url)).status == 429:
            await self._wait(self._record_rate_limited(response))
        return response

    def _record_rate_limited(self, response: ClioResponse) -> float:
        return self._local_limit.record_rate_limited(response.headers, self.clock.seconds())

    async def _authorised(
        self, method: str, url: httpx.URL, content: bytes | None = None
    ) -> ClioResponse:
        """Send a request, and once more with a new token if Clio says that the first one has ended."""
        allowed_writes.check_allowed(method, url.path)
        token = await self._source.token()
        response = await self._send(method, url, token, content)
        if not isinstance(verdict_of(response), ClioReauthRequired):
            return response
        return await self._send(method, url, await self._source.renew(token), content)

    async def _send(
        self, method: str, url: httpx.URL, token: str, content: bytes | None
    ) -> ClioResponse:
        """Send one request when the budget and the rate limit allow it, and count it.

        Without a response, raise what that means for a request of this kind.
        """
        if self._reserved:
            self._reserved = False
        else:
            await self._begin()
        began = self.clock.seconds()
        try:
            response = await self._exchange(method, url, token, content)
        except BaseException as error:
            self._local_limit.record_no_response()
            if (meaning := allowed_writes.no_response(method, error)) is not None:
                raise meaning from error
            raise
        self._record(response, began)
        if self._local_limit.shared is not None:
            await self._local_limit.shared.record_response(response.headers)
        return response

    def _record(self, response: ClioResponse, began: float) -> None:
        limited = response.status == 429
        self._usage = Usage(
            self._usage.requests + 1,
            self._usage.rate_limited + limited,
            self._usage.waited_seconds,
        )
        if not limited:
            self._local_limit.record_response(response.headers, self.clock.seconds())
            self._seconds += self.clock.seconds() - began
            self._response_count += 1

    async def reserve(self) -> None:
        """Reserve the next request in advance; raise what sending it would raise. `give_back` ends the reservation."""
        await self._begin()
        self._reserved = True

    def give_back(self) -> None:
        """Give back a reserved request if it was not sent."""
        if self._reserved:
            self._reserved = False
            self._local_limit.release()
            if shared := self._local_limit.shared:
                shared.give_back(self._lane)

    async def _begin(self) -> None:
        """Take a call of the budget, and reserve a request. What could not be reserved is given back to the budget."""
        if self.budget is not None:
            self.budget.begin_call()
        try:
            await self._reserve()
        except BaseException:
            if self.budget is not None:
                self.budget.give_back()
            raise

    async def _reserve(self) -> None:
        """Reserve a request in this process's limit, and then in the limit that all processes share."""
        shared = self._local_limit.shared
        while True:
            while wait := self._local_limit.reserve(self.clock.seconds()):
                await self._wait(wait)
            try:
                wait = await shared.acquire(self._lane) if shared else 0.0
            except BaseException:
                self._local_limit.release()
                raise
            if not wait:
                return
            self._local_limit.release()
            await self._wait(wait)

    async def _wait(self, seconds: float) -> None:
        if self.budget is not None and seconds > LONGEST_WAIT_IN_SLICE:
            raise rate_limited(seconds)
        if self.budget is not None and not self.budget.has_time_for(seconds):
            raise BudgetSpent
        if seconds > _MAX_WAITS.get(self._lane, MAX_READ_WAIT):
            raise rate_limited(seconds)
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
            # httpx parses the target of a redirect even if it does not follow it
            raise ClioUnreadable("Clio redirected to an invalid URL") from error
        return ClioResponse(response.status_code, response.headers, body)
