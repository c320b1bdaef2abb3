"""Follows the change feed and the events without end, over restarts and outages of both sides.

Every item comes at least once, in the order of the service. Two ways keep the place: a cursor store, or the cursor of
each batch, which the caller stores in the transaction of its own changes.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from levitate_clio._generated.api import Api, AsyncApi
from levitate_clio._generated.models import Change, Event, EventKind
from levitate_clio._generated.types import UNSET
from levitate_clio.cursors import CursorStore
from levitate_clio.errors import (
    ClioError,
    CursorExpired,
    RateLimited,
    ServerError,
    Unreachable,
)
from levitate_clio.retries import Retries

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
OUTAGES = (Unreachable, RateLimited, ServerError)  # these pass; other errors need a person

log = logging.getLogger("levitate_clio")


def log_outage(error: ClioError, delay: float) -> None:
    """Log that following waits for the service, and why."""
    log.warning("following waits %.1f seconds for the service: %s", delay, error)


@dataclass(frozen=True)
class Following:
    """How a feed is followed.

    `wait` is how many seconds one request waits for something new (0 to 30), `limit` how many items one batch has at
    most. `on_outage` is called before each delay while the service cannot be reached, with the error and the seconds.
    `on_expired` is called when the cursor is no longer valid, and following begins again without one; without it
    CursorExpired is raised.
    """

    wait: int = 25
    limit: int = 200
    on_outage: Callable[[ClioError, float], None] = log_outage
    on_expired: Callable[[CursorExpired], None] | None = None
    retries: Retries = field(default_factory=Retries)  # the delays; following has no deadline


DEFAULTS = Following()


@dataclass(frozen=True)
class Batch(Generic[T]):
    """Some items in order, and the cursor behind them. `items` can be empty: store the cursor then, too.

    `has_more` is false when everything that the service has now was read.
    """

    items: Sequence[T]
    cursor: str
    has_more: bool


class _Page(Protocol[T_co]):
    @property
    def data(self) -> Sequence[T_co]: ...
    @property
    def next_cursor(self) -> str: ...
    @property
    def has_more(self) -> bool: ...


class _Place(Generic[T]):
    """Where a follower is, and what it does after a page or an error."""

    def __init__(self, cursor: str | None, options: Following) -> None:
        self.cursor = cursor
        self._options = options
        self._failures = 0
        self._caught_up = False

    def after_page(self, page: _Page[T]) -> Batch[T] | None:
        """Return what the caller gets, or None if nothing is new. The end of what there is now is new, too."""
        self._failures = 0
        if not page.data and page.next_cursor == self.cursor and self._caught_up:
            return None
        self.cursor, self._caught_up = page.next_cursor, not page.has_more
        return Batch(page.data, page.next_cursor, page.has_more)

    def after_error(self, error: ClioError) -> float:
        """Return the seconds to wait before the next request. Raise the error if waiting does not help."""
        restart = self._options.on_expired
        if isinstance(error, CursorExpired) and restart and self.cursor is not None:
            restart(error)
            self.cursor, self._caught_up = None, False
            return 0.0
        if not isinstance(error, OUTAGES):
            raise error
        self._failures += 1
        delay = self._options.retries.delay(self._failures, error)
        self._options.on_outage(error, delay)
        return delay


class Follow:
    """Follows for `Clio`. Each method is an endless iterator. It ends within `wait` seconds after `stop` was set."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def changes(
        self,
        account_id: str,
        store: CursorStore,
        *,
        stop: threading.Event | None = None,
        options: Following = DEFAULTS,
    ) -> Iterator[Change]:
        """Yield every change of an account's contacts. The store keeps the cursor behind the changes that were used."""
        batches = self.change_batches(account_id, store.load(), stop=stop, options=options)
        return _items(batches, store)

    def change_batches(
        self,
        account_id: str,
        cursor: str | None,
        *,
        stop: threading.Event | None = None,
        options: Following = DEFAULTS,
    ) -> Iterator[Batch[Change]]:
        """Yield the changes after the cursor in batches. Store the cursor of each batch with what you make of it."""

        def read(after: str | None) -> _Page[Change]:
            return self._api.changes.list_changes(
                account_id, cursor=after or UNSET, limit=options.limit, wait=options.wait
            )

        return _batches(read, _Place(cursor, options), stop or threading.Event())

    def events(
        self,
        store: CursorStore,
        *,
        type_: EventKind | None = None,
        account_id: str | None = None,
        stop: threading.Event | None = None,
        options: Following = DEFAULTS,
    ) -> Iterator[Event]:
        """Yield every event of all accounts of the token, or those of one type or account."""
        batches = self.event_batches(
            store.load(), type_=type_, account_id=account_id, stop=stop, options=options
        )
        return _items(batches, store)

    def event_batches(
        self,
        cursor: str | None,
        *,
        type_: EventKind | None = None,
        account_id: str | None = None,
        stop: threading.Event | None = None,
        options: Following = DEFAULTS,
    ) -> Iterator[Batch[Event]]:
        """Yield the events after the cursor in batches. A cursor is valid for the same type and account only."""

        def read(after: str | None) -> _Page[Event]:
            return self._api.events.list_events(
                type_=type_ or UNSET,
                account_id=account_id or UNSET,
                cursor=after or UNSET,
                limit=options.limit,
                wait=options.wait,
            )

        return _batches(read, _Place(cursor, options), stop or threading.Event())


def _batches(
    read: Callable[[str | None], _Page[T]], place: _Place[T], stop: threading.Event
) -> Iterator[Batch[T]]:
    while not stop.is_set():
        try:
            batch = place.after_page(read(place.cursor))
        except ClioError as error:
            stop.wait(place.after_error(error))
            continue
        if batch is not None:
            yield batch


def _items(batches: Iterator[Batch[T]], store: CursorStore) -> Iterator[T]:
    """Yield the items one by one. Save the cursor of a batch when the caller asks for what follows its last item."""
    for batch in batches:
        yield from batch.items
        store.save(batch.cursor)


class AsyncFollow:
    """Follows for `AsyncClio`. Each method is an endless iterator that ends at once when `stop` is set."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    def changes(
        self,
        account_id: str,
        store: CursorStore,
        *,
        stop: asyncio.Event | None = None,
        options: Following = DEFAULTS,
    ) -> AsyncIterator[Change]:
        """Yield every change of an account's contacts. The store keeps the cursor behind the changes that were used."""
        batches = self.change_batches(account_id, store.load(), stop=stop, options=options)
        return _async_items(batches, store)

    def change_batches(
        self,
        account_id: str,
        cursor: str | None,
        *,
        stop: asyncio.Event | None = None,
        options: Following = DEFAULTS,
    ) -> AsyncIterator[Batch[Change]]:
        """Yield the changes after the cursor in batches. Store the cursor of each batch with what you make of it."""

        async def read(after: str | None) -> _Page[Change]:
            return await self._api.changes.list_changes(
                account_id, cursor=after or UNSET, limit=options.limit, wait=options.wait
            )

        return _async_batches(read, _Place(cursor, options), stop or asyncio.Event())

    def events(
        self,
        store: CursorStore,
        *,
        type_: EventKind | None = None,
        account_id: str | None = None,
        stop: asyncio.Event | None = None,
        options: Following = DEFAULTS,
    ) -> AsyncIterator[Event]:
        """Yield every event of all accounts of the token, or those of one type or account."""
        batches = self.event_batches(
            store.load(), type_=type_, account_id=account_id, stop=stop, options=options
        )
        return _async_items(batches, store)

    def event_batches(
        self,
        cursor: str | None,
        *,
        type_: EventKind | None = None,
        account_id: str | None = None,
        stop: asyncio.Event | None = None,
        options: Following = DEFAULTS,
    ) -> AsyncIterator[Batch[Event]]:
        """Yield the events after the cursor in batches. A cursor is valid for the same type and account only."""

        async def read(after: str | None) -> _Page[Event]:
            return await self._api.events.list_events(
                type_=type_ or UNSET,
                account_id=account_id or UNSET,
                cursor=after or UNSET,
                limit=options.limit,
                wait=options.wait,
            )

        return _async_batches(read, _Place(cursor, options), stop or asyncio.Event())


async def _async_batches(
    read: Callable[[str | None], Awaitable[_Page[T]]], place: _Place[T], stop: asyncio.Event
) -> AsyncIterator[Batch[T]]:
    while not stop.is_set():
        try:
            page = await _unless_stopped(read(place.cursor), stop)
        except ClioError as error:
            await _unless_stopped(asyncio.sleep(place.after_error(error)), stop)
            continue
        batch = None if page is None else place.after_page(page)
        if batch is not None:
            yield batch


async def _async_items(batches: AsyncIterator[Batch[T]], store: CursorStore) -> AsyncIterator[T]:
    async for batch in batches:
        for item in batch.items:
            yield item
        store.save(batch.cursor)


async def _unless_stopped(work: Awaitable[T], stop: asyncio.Event) -> T | None:
    """Return the result of the work, or None if `stop` was set before. Nothing of it goes on after this returns."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        working.cancel()
        stopping.cancel()
        await asyncio.wait({working, stopping})
