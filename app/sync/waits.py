"""Waits of this process for a change that another one may make, and the places of requests that wait.

A notification of the database wakes it (`app/sync/listener.py`). Reading does not belong here: who is woken reads by
itself, and also reads now and then without being woken, because a notification can be lost. Who waits has no database
connection.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.errors import AppError

MOST_WAITING = 50  # requests of one token that may wait at once in one process


class TooManyWaiting(AppError):
    """Too many requests of this token wait in this process."""

    status = 429
    code = "too_many_waiting"
    title = f"More than {MOST_WAITING} requests of this token wait for an answer"
    next_step = "ask again after the time in Retry-After"


class Places:
    """The places of requests that wait: a token has at most `MOST_WAITING`, and none when it is no longer valid."""

    def __init__(self) -> None:
        self._of_token: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    @property
    def count(self) -> int:
        """The number of requests that wait."""
        return sum(map(len, self._of_token.values()))

    @contextmanager
    def place(self, token_id: str) -> Iterator[asyncio.Event]:
        """Count a waiting request of the token until the block ends. Raises TooManyWaiting.

        Yields an event that is set when the token is no longer valid: then the request must end.
        """
        if len(self._of_token[token_id]) >= MOST_WAITING:
            raise TooManyWaiting(headers={"Retry-After": "1"})
        ended = asyncio.Event()
        self._of_token[token_id].add(ended)
        try:
            yield ended
        finally:
            self._of_token[token_id].discard(ended)
            if not self._of_token[token_id]:
                del self._of_token[token_id]

    def end_unless(self, is_valid: Callable[[str], bool]) -> None:
        """Tell the waiting requests of each token that is not valid to end."""
        for token_id, waiting in self._of_token.items():
            if not is_valid(token_id):
                for ended in waiting:
                    ended.set()


class Waits:
    """The waits for changes of something, by its key; each has an event of its own."""

    def __init__(self) -> None:
        self._by_key: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def changes(self, key: str) -> Iterator[asyncio.Event]:
        """Yield an event that is set at each change until the block ends.

        Clear it, read, then wait for it: so a change between the two is not missed.
        """
        changed = asyncio.Event()
        self._by_key[key].add(changed)
        try:
            yield changed
        finally:
            self._by_key[key].discard(changed)
            if not self._by_key[key]:
                del self._by_key[key]

    def wake(self, key: str) -> None:
        """Wake what waits for this key."""
        for changed in self._by_key.get(key, ()):
            changed.set()

    def wake_all(self) -> None:
        """Wake everything: a notification may have been lost."""
        for key in self._by_key:
            self.wake(key)


class Readers(Places, Waits):
    """Requests that wait for changes of what they read; a token has a limited number of places."""

    def __init__(self) -> None:
        Places.__init__(self)
        Waits.__init__(self)
