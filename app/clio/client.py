"""`ClioClient`: Clio as one user, at the pace that the token's budget allows. It writes what `writes` lists [FQ-1].

Retry, budget and sleep live here; a write is never repeated. Every address is rebuilt from our own origin; every
call has a deadline; what is read has a ceiling, counted after decompression.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
import stamina

from app.clio import paging, writes
from app.clio.answers import DEADLINE, Answer, failure_of, read_bounded, sent_at
from app.clio.budget import Budget, Lane
from app.clio.errors import (
    ClioMisconfigured,
    ClioRefused,
    ClioRetryLater,
    ClioUnreadable,
    FieldUnknown,
    WriteUnsure,
    network_error,
)
from app.clio.models import WhoAmI
from app.clio.oauth import BearerAuth, TokenSource
from app.clio.resources import (
    WHO_AM_I_FIELDS,
    WHO_AM_I_PATH,
    Page,
    Resource,
    T,
)

P = TypeVar("P")

API_VERSION = "4.0.13"
LONG_WAIT = 75.0  # a longer wait than a window gives the worker back
SHORT_WAIT = 2.0  # whoever writes back, or waits himself, comes again rather than sit
TRIES = 4
REDIRECTS = (301, 302, 307, 308)


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


class ClioClient:
    """Clio, as one user sees it. Several steps may share it: they share its budget."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        origin: str,
        source: TokenSource,
        budget: Budget,
        clock: Clock,
        lane: Lane = Lane.INCREMENTAL,
    ) -> None:
        self._http = http
        self._origin = origin
        self._auth = BearerAuth(origin, source)
        self._budget = budget
        self._clock = clock
        self._source = source
        self._lane = lane
        self._usage = Usage()
        self._call_seconds = 0.0
        self._calls = 0
        self.dropped: set[str] = set()

    def in_lane(self, lane: Lane) -> "ClioClient":
        """The same Clio, seen by the same user, with another right of way."""
        return ClioClient(
            self._http,
            origin=self._origin,
            source=self._source,
            budget=self._budget,
            clock=self._clock,
            lane=lane,
        )

    async def pages(
        self, resource: Resource[T], *, since: datetime | None = None, cursor: str | None = None
    ) -> AsyncIterator[Page[T]]:
        """Yield the pages of a list, from `cursor` if one is given; each is whole, and the walk moves on."""
        walk = paging.Walk(resource, cursor)
        while True:
            page = await self._page(resource, since, cursor)
            walk.check(page)
            yield page
            if page.cursor is None:
                return
            cursor = page.cursor

    async def who_am_i(self) -> WhoAmI:
        """The user whose token this is, and the firm."""
        url = self._address(WHO_AM_I_PATH, {"fields": WHO_AM_I_FIELDS})
        answer = await self._get(url)
        me: WhoAmI = paging.parse_one(WhoAmI, answer.body)
        return me

    async def sees_contact(self, contact_id: int) -> bool:
        """Whether the contact exists and this user may see it."""
        url = self._address(f"/api/v4/contacts/{contact_id}.json", {"fields": "id"})
        try:
            await self._get(url)
        except ClioRefused as refusal:
            if refusal.status in (403, 404):
                return False
            raise
        return True

    async def write(self, method: str, path: str, document: dict[str, Any]) -> int:
        """One write, sent once; answers the record's id. Raises WriteUnsure when it may be there or not.

        Every other failure proves that nothing was created. What `writes` does not list is refused here.
        """
        url = self._address(path, {"fields": "id"})
        try:
            answer = await self._once(method, url, json.dumps({"data": document}).encode())
        except writes.NOT_SENT as error:
            raise network_error(error) from error
        except (httpx.HTTPError, TimeoutError, ClioUnreadable) as error:
            raise WriteUnsure("Clio's answer to a write was lost") from error
        if answer.status == 429:
            raise _told_to_wait(self._budget.refused(answer.headers, self._clock.seconds()))
        return writes.written_id(answer)

    def take_usage(self) -> Usage:
        """What was used since this was last taken."""
        taken, self._usage = self._usage, Usage()
        return taken

    def expected_seconds(self, calls: int) -> float:
        """How long so many more calls will take at the pace so far and under the budget [IS-2]."""
        pace = self._call_seconds / self._calls if self._calls else 0.0
        return self._budget.expected_seconds(calls, self._clock.seconds(), seconds_per_call=pace)

    async def _page(
        self, resource: Resource[T], since: datetime | None, cursor: str | None
    ) -> Page[T]:
        while True:
            try:
                return await self._asked_page(resource, since, cursor)
            except FieldUnknown as unknown:
                self._drop(resource, unknown)

    async def _asked_page(
        self, resource: Resource[T], since: datetime | None, cursor: str | None
    ) -> Page[T]:
        params = {**resource.params, "fields": paging.field_list(resource, self.dropped)}
        if since is not None:
            params["updated_since"] = zulu(since)
        if cursor is not None:
            params["page_token"] = cursor
        url = self._address(resource.path, params)

        def parse(answer: Answer, address: httpx.URL) -> Page[T]:
            asked_at = sent_at(answer.headers) or self._clock.now()
            return paging.parse_page(resource, answer.body, address=address, asked_at=asked_at)

        return await self._get_parsed(url, parse)

    def _drop(self, resource: Resource[Any], unknown: FieldUnknown) -> None:
        """Leave out a name that Clio stopped knowing, if we can do without; one bad name fails the whole call."""
        name = unknown.field.strip("{} ")
        if name not in resource.droppable or f"{resource.name}.{name}" in self.dropped:
            raise ClioMisconfigured(
                f"Clio no longer knows a field of {resource.name} that is needed"
            ) from unknown
        self.dropped.add(f"{resource.name}.{name}")

    def _address(self, path: str, params: dict[str, str]) -> httpx.URL:
        return httpx.URL(self._origin + path, params=params)

    async def _get(self, url: httpx.URL) -> Answer:
        return await self._get_parsed(url, lambda answer, _: answer)

    async def _get_parsed(self, url: httpx.URL, parse: Callable[[Answer, httpx.URL], P]) -> P:
        """Ask, and read the answer; what may pass (outages, cut or foreign answers) is tried a few times."""
        async for attempt in stamina.retry_context(
            on=_may_pass, attempts=TRIES, timeout=None, wait_initial=0.5, wait_max=8.0
        ):
            with attempt:
                answer, address = await self._answered(url)
                if answer.status != 200:
                    raise failure_of(answer)
                return parse(answer, address)
        raise AssertionError  # retry_context either returns or raises

    async def _answered(self, url: httpx.URL) -> tuple[Answer, httpx.URL]:
        """The answer, after one redirect at most, and where it came from."""
        answer = await self._send("GET", url)
        if answer.status in REDIRECTS:
            url = self._redirected(url, answer)
            answer = await self._send("GET", url)
        return answer, url

    def _redirected(self, url: httpx.URL, answer: Answer) -> httpx.URL:
        """Where Clio sends us, if that is a path of its own API; our own parameters stay."""
        try:
            target = url.join(answer.headers.get("location", ""))
        except httpx.InvalidURL as error:
            raise ClioUnreadable("Clio sent us to no address") from error
        ours = httpx.URL(self._origin)
        same = (target.scheme, target.host, target.port) == (ours.scheme, ours.host, ours.port)
        if not same or not target.path.startswith("/api/v4/") or ".." in target.path:
            raise ClioUnreadable("Clio sent us to another place; it was not asked")
        return url.copy_with(path=target.path)

    async def _send(self, method: str, url: httpx.URL) -> Answer:
        """One call, when the budget allows it; a 429 waits and asks again."""
        while True:
            try:
                answer = await self._once(method, url)
            except (httpx.HTTPError, TimeoutError) as error:
                raise network_error(error) from error
            if answer.status != 429:
                return answer
            await self._wait(self._budget.refused(answer.headers, self._clock.seconds()))

    async def _once(self, method: str, url: httpx.URL, content: bytes | None = None) -> Answer:
        """One call, when the budget allows it; what is not listed never comes to the network."""
        writes.refuse_unlisted(method, url.path)
        await self._reserve()
        began = self._clock.seconds()
        try:
            answer = await self._exchange(method, url, content)
        except BaseException:
            self._budget.abandoned()
            raise
        self._note(answer, began)
        return answer

    def _note(self, answer: Answer, began: float) -> None:
        limited = answer.status == 429
        self._usage = Usage(
            self._usage.requests + 1,
            self._usage.rate_limited + limited,
            self._usage.waited_seconds,
        )
        if not limited:
            self._budget.learn(answer.headers, self._clock.seconds())
            self._call_seconds += self._clock.seconds() - began
            self._calls += 1

    async def _reserve(self) -> None:
        while wait := self._budget.reserve(self._clock.seconds(), self._lane):
            await self._wait(wait)

    async def _wait(self, seconds: float) -> None:
        if seconds > (LONG_WAIT if self._lane > Lane.WRITE_BACK else SHORT_WAIT):
            raise _told_to_wait(seconds)
        await self._clock.sleep(seconds)
        self._usage = Usage(
            self._usage.requests, self._usage.rate_limited, self._usage.waited_seconds + seconds
        )

    async def _exchange(self, method: str, url: httpx.URL, content: bytes | None) -> Answer:
        headers = {"X-API-VERSION": API_VERSION}
        if content is not None:
            headers["Content-Type"] = "application/json"
        deadline = DEADLINE if content is None else writes.DEADLINE
        async with (
            asyncio.timeout(deadline),
            self._http.stream(
                method, url, headers=headers, content=content, auth=self._auth
            ) as response,
        ):
            body = await read_bounded(response)
        return Answer(response.status_code, response.headers, body)


def zulu(moment: datetime) -> str:
    """A moment as a query string bears it: a `+` would arrive as a space."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _told_to_wait(seconds: float) -> ClioRetryLater:
    after = timedelta(seconds=seconds)
    return ClioRetryLater("Clio asks to wait", after=after, code="clio_rate_limited")


def _may_pass(error: Exception) -> bool:
    """Whether trying again at once may help: not for waits that Clio asked for."""
    if isinstance(error, ClioRetryLater):
        return error.code != "clio_rate_limited"
    return isinstance(error, ClioUnreadable)
