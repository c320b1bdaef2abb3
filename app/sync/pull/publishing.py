"""Publishing beside the first pull: what a login has read completely is published as its contacts land [IS-2].

How contacts are published is not known here: `read_clio` gets a function for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from app.db.runs import leases
from app.db.session import Session
from app.sync.concurrency import Paused, run_together
from app.sync.pull.attempts import Attempt
from app.sync.pull.listings import MATTERS, RELATIONSHIPS
from app.sync.pull.reader import ConnectionReader

# Publishes some of the contacts that these logins have read; returns False when none is left for now.
Publish = Callable[[Session, Collection[str]], Awaitable[bool]]

_BEFORE_CONTACTS = (MATTERS.name, RELATIONSHIPS.name)


class Publishing:
    """Publishes beside the reading of an attempt. Without a function for it, only the reading is done."""

    def __init__(self, attempt: Attempt, publish: Publish | None) -> None:
        self._attempt = attempt
        self._publish = publish
        self._left = False  # more could be published now

    async def beside(
        self, reading: Coroutine[Any, Any, list[ConnectionReader]]
    ) -> list[ConnectionReader]:
        """Read, and publish until that is done and the time of the slice is over. Return what the reading returns."""
        if self._publish is None:
            return await reading
        readers: list[ConnectionReader] = []
        is_read = asyncio.Event()

        async def read() -> None:
            readers.extend(await reading)
            is_read.set()
            self._attempt.lander.landed.set()

        await run_together(read(), self._publish_until(is_read))
        return readers

    @contextmanager
    def without_waits(self) -> Iterator[None]:
        """Let a slice that would wait for Clio be followed at once by the next one if more can be published."""
        try:
            yield
        except Paused:
            if self._left:
                raise Paused from None
            raise

    async def _publish_until(self, is_read: asyncio.Event) -> None:
        landed, budget = self._attempt.lander.landed, self._attempt.budget
        while not is_read.is_set() or (self._left and budget.has_time_for(0.0)):
            self._left = await self._publish_next()
            if not self._left and not is_read.is_set():
                landed.clear()
                await landed.wait()

    async def _publish_next(self) -> bool:
        ready, publish = self._ready(), self._publish
        if not ready or publish is None:
            return False

        async def write(session: Session) -> bool:
            left = await publish(session, ready)
            lease, eta = self._attempt.lease, self._attempt.eta
            eta.assessed = await leases.count_assessed(session, lease)
            end = eta.end(now=self._attempt.services.now())
            await leases.store_expected_end(session, lease, end)
            return left

        return await self._attempt.lander.write(write)

    def _ready(self) -> list[str]:
        """Return the logins that have read their matters and relationships, once the small lists are read."""
        if self._attempt.unread_small_lists():
            return []
        return [
            reader.connection_id
            for reader in self._attempt.readers
            if all(name in reader.read or name in reader.login.lists for name in _BEFORE_CONTACTS)
        ]
