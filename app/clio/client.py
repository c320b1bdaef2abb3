"""`ClioClient`: reads Clio as one user, at the pace that the token's budget allows. It writes hardly anything [FQ-1].

Retry, budget and sleep live here. Every address is rebuilt from our own origin; every call has a deadline; what is
read has a ceiling, counted after decompression.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
import stamina

from app.clio import paging
from app.clio.answers import DEADLINE, Answer, asked_at, failure_of, read_bounded
from app.clio.budget import Budget
from app.clio.errors import (
    ClioMisconfigured,
    ClioRetryLater,
    ClioUnreadable,
    FieldUnknown,
    WriteNotAllowed,
    network_error,
)
from app.clio.models import WhoAmI
from app.clio.oauth import BearerAuth, TokenSource
from app.clio.resources import WHO_AM_I_FIELDS, WHO_AM_I_PATH, Page, Resource, T

P = TypeVar("P")

API_VERSION = "4.0.13"
LONG_WAIT = 75.0  # a longer wait than a window gives the worker back
TRIES = 4
WRITES = (  # all that is ever written to Clio beside OAuth [FQ-1]
    ("POST", re.compile(r"/api/v4/webhooks\.json")),
    ("PATCH", re.compile(r"/api/v4/webhooks/\d+\.json")),
    ("DELETE", re.compile(r"/api/v4/webhooks/\d+\.json")),
)
REDIRECTS = (301, 302, 307, 308)
_OF_THE_API = re.compile(r"/api/v4(/[A-Za-z0-9_-]+)+(\.json)?")


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
    ) -> None:
        self._http = http
        self._origin = origin
        self._source = source
        self._budget = budget
        self._clock = clock
        self._usage = Usage()
        self._call_seconds = 0.0
        self._calls = 0
        self.dropped: set[str] = set()

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

    async def some(self, resource: Resource[T], clio_ids: Sequence[int]) -> Page[T]:
        """Those of these records (at most 50) that the user is shown."""
        return await self._page(resource, None, None, ids=clio_ids)

    async def one(self, resource: Resource[T], clio_id: int) -> T:
        """One record. Raises ClioRefused: `clio_not_found`, or `clio_forbidden`; ClioUnreadable."""
        while True:
            params = {"fields": paging.field_list(resource, self.dropped)}
            path = f"{resource.path.removesuffix('.json')}/{clio_id}.json"
            try:
                answer = await self._get(self._address(path, params))
            except FieldUnknown as unknown:
                self._drop(resource, unknown)
                continue
            record: T = paging.parse_one(resource.model, answer.body)
            return record

    async def who_am_i(self) -> WhoAmI:
        """The user whose token this is, and the firm."""
        url = self._address(WHO_AM_I_PATH, {"fields": WHO_AM_I_FIELDS})
        answer = await self._get(url)
        me: WhoAmI = paging.parse_one(WhoAmI, answer.body)
        return me

    def take_usage(self) -> Usage:
        """What was used since this was last taken."""
        taken, self._usage = self._usage, Usage()
        return taken

    def expected_seconds(self, calls: int, *, in_a_row: int) -> float:
        """How long so many more calls will take at the pace so far and under the budget [IS-2].

        Lists are read at the same time, the pages of each one after another: `in_a_row` of the longest are left.
        """
        pace = self._call_seconds / self._calls * in_a_row / max(calls, 1) if self._calls else 0.0
        return self._budget.expected_seconds(calls, self._clock.seconds(), seconds_per_call=pace)

    async def _page(
        self,
        resource: Resource[T],
        since: datetime | None,
        cursor: str | None,
        ids: Sequence[int] = (),
    ) -> Page[T]:
        while True:
            try:
                return await self._asked_page(resource, since, cursor, ids)
            except FieldUnknown as unknown:
                self._drop(resource, unknown)

    async def _asked_page(
        self,
        resource: Resource[T],
        since: datetime | None,
        cursor: str | None,
        ids: Sequence[int],
    ) -> Page[T]:
        params: dict[str, str | list[str]] = {
            **resource.params,
            "fields": paging.field_list(resource, self.dropped),
        }
        if ids:
            params["ids[]"] = [str(clio_id) for clio_id in ids]
        if since is not None:
            params["updated_since"] = since.astimezone(UTC).isoformat().replace("+00:00", "Z")
        if cursor is not None:
            params["page_token"] = cursor
        url = self._address(resource.path, params)

        def parse(answer: Answer, address: httpx.URL) -> Page[T]:
            asked = asked_at(answer.headers, self._clock.now())
            return paging.parse_page(resource, answer.body, address=address, asked_at=asked)

        return await self._get_parsed(url, parse)

    def _drop(self, resource: Resource[Any], unknown: FieldUnknown) -> None:
        """Leave out a name that Clio stopped knowing, if we can do without; one bad name fails the whole call."""
        name = unknown.field.strip("{} ")
        if name not in resource.droppable or f"{resource.name}.{name}" in self.dropped:
            raise ClioMisconfigured(
                f"Clio no longer knows a field of {resource.name} that is needed"
            ) from unknown
        self.dropped.add(f"{resource.name}.{name}")

    def _address(self, path: str, params: Mapping[str, str | list[str]]) -> httpx.URL:
        return httpx.URL(self._origin + path, params=dict(params))

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
        if answer.status in REDIRECTS:
            raise ClioUnreadable("Clio sent us on and on; only one redirect is followed")
        return answer, url

    def _redirected(self, url: httpx.URL, answer: Answer) -> httpx.URL:
        """Where Clio sends us, if that is a path of its own API; our own parameters stay."""
        try:
            target = url.join(answer.headers.get("location", ""))
            here = url.copy_with(path=target.path)
        except (httpx.InvalidURL, ValueError) as error:
            raise ClioUnreadable("Clio sent us to no address") from error
        foreign = paging.origin(target) != paging.origin(url) or target.userinfo
        if foreign or not _OF_THE_API.fullmatch(target.path):
            raise ClioUnreadable("Clio sent us to another place; it was not asked")
        return here

    async def write(
        self, method: str, path: str, document: Any, *, fields: str | None = None
    ) -> Any:
        """One of the few writes that may go to Clio, sent once; answers what Clio says of it, None for nothing."""
        url = self._address(path, {"fields": fields} if fields else {})
        answer = await self._send(method, url, document)
        if not 200 <= answer.status < 300:
            raise failure_of(answer)
        if not answer.body:
            return None
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            raise ClioUnreadable("Clio's answer to a write is not JSON") from error

    async def _send(self, method: str, url: httpx.URL, document: Any = None) -> Answer:
        """One call; a 429 waits and asks again, a 401 asks once more with another token."""
        if method != "GET" and not any(
            method == allowed and path.fullmatch(url.path) for allowed, path in WRITES
        ):
            raise WriteNotAllowed("This write is not on the list of those that may go to Clio")
        token, renewed = await self._source.token(), False
        while True:
            answer = await self._counted(method, url, token, document)
            if answer.status == 429:
                await self._wait(self._budget.refused(answer.headers, self._clock.seconds()))
            elif answer.status == 401 and not renewed:
                token, renewed = await self._source.renew(token), True
            else:
                return answer

    async def _counted(
        self, method: str, url: httpx.URL, token: str, document: Any = None
    ) -> Answer:
        """One exchange, when the budget allows it; every one that leaves here is counted."""
        await self._reserve()
        began = self._clock.seconds()
        try:
            answer = await self._exchange(method, url, token, document)
        except BaseException:
            self._budget.abandoned()
            raise
        self._note(answer, began)
        if self._budget.gate is not None:
            await self._budget.gate.told(answer.headers)
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
        """Take a call from this process's budget, and then from what all processes share."""
        while True:
            while wait := self._budget.reserve(self._clock.seconds()):
                await self._wait(wait)
            gate = self._budget.gate
            if gate is None or not (wait := await gate.enter()):
                return
            self._budget.returned()
            await self._wait(wait)

    async def _wait(self, seconds: float) -> None:
        if seconds > LONG_WAIT:
            raise ClioRetryLater(
                "Clio asks to wait", after=timedelta(seconds=seconds), code="clio_rate_limited"
            )
        await self._clock.sleep(seconds)
        self._usage = Usage(
            self._usage.requests, self._usage.rate_limited, self._usage.waited_seconds + seconds
        )

    async def _exchange(
        self, method: str, url: httpx.URL, token: str, document: Any = None
    ) -> Answer:
        headers = {"X-API-VERSION": API_VERSION}
        auth = BearerAuth(self._origin, token)
        try:
            async with (
                asyncio.timeout(DEADLINE),
                self._http.stream(
                    method, url, headers=headers, auth=auth, json=document
                ) as response,
            ):
                body = await read_bounded(response)
        except (httpx.HTTPError, TimeoutError) as error:
            raise network_error(error) from error
        except (httpx.InvalidURL, UnicodeError) as error:
            # httpx works out where a redirect leads, though it does not follow
            raise ClioUnreadable("Clio sent us to no address") from error
        return Answer(response.status_code, response.headers, body)


def _may_pass(error: Exception) -> bool:
    """Whether trying again at once may help: not for waits that Clio asked for."""
    if isinstance(error, ClioRetryLater):
        return error.code != "clio_rate_limited"
    return isinstance(error, ClioUnreadable)
