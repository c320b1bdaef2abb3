"""The two clients: `Clio` blocks, `AsyncClio` is for asyncio. They send calls, and repeat what may be repeated."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

import httpx

from levitate_clio import _exchange, paging
from levitate_clio._call import Call
from levitate_clio._exchange import Answer
from levitate_clio._generated.api import Api, AsyncApi
from levitate_clio._version import VERSION
from levitate_clio.errors import ClioError
from levitate_clio.follow import AsyncFollow, Follow
from levitate_clio.retries import Attempts, Retries

P = ParamSpec("P")
T = TypeVar("T")

TIMEOUT = 30.0  # seconds for connecting, and for each wait for bytes
HEADERS = {"Accept": "application/json", "User-Agent": f"levitate-clio-client/{VERSION}"}


def _headers(token: str) -> dict[str, str]:
    return {**HEADERS, "Authorization": f"Bearer {token}"}


class Clio(Api):
    """The API of levitate-clio. Safe to share between threads.

    `acting_user` and `role` name the Levitate user for whom requests are made; `acting_as` changes them. `timeout` is
    in seconds. `transport` is for tests and proxies.
    """

    def __init__(  # noqa: PLR0913 - each is a choice of its own, and has a default
        self,
        base_url: str,
        token: str,
        *,
        acting_user: str | None = None,
        role: str | None = None,
        timeout: float = TIMEOUT,
        retries: Retries | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(base_url=base_url, headers=_headers(token), transport=transport)
        self._timeout = timeout
        self._retries = retries or Retries()
        self._acting = _exchange.acting_headers(acting_user, role)
        super().__init__(self)

    def acting_as(self, user: str | None, role: str | None = None) -> "Clio":
        """Return a client that makes requests for this user. It shares the connections: close only one of both."""
        return self._twin(self._retries, _exchange.acting_headers(user, role))

    @property
    def follow(self) -> Follow:
        """Endless iterators over changes and events."""
        return Follow(self._twin(Retries(deadline=0), self._acting))

    def pages(
        self, operation: Callable[P, paging.Page[T]], *args: P.args, **kwargs: P.kwargs
    ) -> Iterator[T]:
        """Yield the items of all pages of a list: `clio.pages(clio.contacts.list_contacts, "acme")`."""
        return paging.pages(operation, *args, **kwargs)

    def with_headers(
        self, operation: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Answer[T]:
        """Make one call, and return its result with the headers of the response, such as `etag`."""
        token = _exchange.responses.set([])
        try:
            data = operation(*args, **kwargs)
            return _exchange.answer(data)
        finally:
            _exchange.responses.reset(token)

    def call(self, call: Call[T]) -> T:
        """Send a call of the generated operations, again if that may help. Raise ClioError."""
        call = _exchange.with_key(call)
        attempts = Attempts(call, self._retries)
        while True:
            try:
                return self._send(call)
            except ClioError as error:
                delay = attempts.delay_after(error)
            self._retries.sleep(delay)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _send(self, call: Call[T]) -> T:
        try:
            response = self._http.request(**_exchange.arguments(call, self._acting, self._timeout))
        except httpx.TransportError as error:
            raise _exchange.unreachable(error) from error
        return _exchange.result(call, response)

    def _twin(self, retries: Retries, acting: dict[str, str]) -> "Clio":
        twin = object.__new__(Clio)
        twin._http, twin._timeout = self._http, self._timeout
        twin._retries, twin._acting = retries, acting
        Api.__init__(twin, twin)
        return twin

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Clio({str(self._http.base_url)!r})"


class AsyncClio(AsyncApi):
    """The API of levitate-clio for asyncio. Its arguments are those of `Clio`."""

    def __init__(  # noqa: PLR0913 - each is a choice of its own, and has a default
        self,
        base_url: str,
        token: str,
        *,
        acting_user: str | None = None,
        role: str | None = None,
        timeout: float = TIMEOUT,
        retries: Retries | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url, headers=_headers(token), transport=transport
        )
        self._timeout = timeout
        self._retries = retries or Retries()
        self._acting = _exchange.acting_headers(acting_user, role)
        super().__init__(self)

    def acting_as(self, user: str | None, role: str | None = None) -> "AsyncClio":
        """Return a client that makes requests for this user. It shares the connections: close only one of both."""
        return self._twin(self._retries, _exchange.acting_headers(user, role))

    @property
    def follow(self) -> AsyncFollow:
        """Endless iterators over changes and events."""
        return AsyncFollow(self._twin(Retries(deadline=0), self._acting))

    def pages(
        self, operation: Callable[P, Awaitable[paging.Page[T]]], *args: P.args, **kwargs: P.kwargs
    ) -> AsyncIterator[T]:
        """Yield the items of all pages of a list, with `async for`."""
        return paging.async_pages(operation, *args, **kwargs)

    async def with_headers(
        self, operation: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> Answer[T]:
        """Make one call, and return its result with the headers of the response, such as `etag`."""
        token = _exchange.responses.set([])
        try:
            data = await operation(*args, **kwargs)
            return _exchange.answer(data)
        finally:
            _exchange.responses.reset(token)

    async def call(self, call: Call[T]) -> T:
        """Send a call of the generated operations, again if that may help. Raise ClioError."""
        call = _exchange.with_key(call)
        attempts = Attempts(call, self._retries)
        while True:
            try:
                return await self._send(call)
            except ClioError as error:
                delay = attempts.delay_after(error)
            await self._retries.async_sleep(delay)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _send(self, call: Call[T]) -> T:
        try:
            response = await self._http.request(
                **_exchange.arguments(call, self._acting, self._timeout)
            )
        except httpx.TransportError as error:
            raise _exchange.unreachable(error) from error
        return _exchange.result(call, response)

    def _twin(self, retries: Retries, acting: dict[str, str]) -> "AsyncClio":
        twin = object.__new__(AsyncClio)
        twin._http, twin._timeout = self._http, self._timeout
        twin._retries, twin._acting = retries, acting
        AsyncApi.__init__(twin, twin)
        return twin

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncClio({str(self._http.base_url)!r})"
