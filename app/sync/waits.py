"""The requests of this process that wait, and who wakes those that wait for a change of an account's feed.

Reading the feed does not belong here: a request that is woken reads it by itself. A request that waits has no database
connection.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import AppError

MOST_WAITING = 50  # requests of one token that may wait at once in one process


class TooManyWaiting(AppError):
    """Too many requests of this token wait in this process."""

    status = 429
    code = "too_many_waiting"
    title = f"More than {MOST_WAITING} requests of this token wait for an answer; ask again later"


class Places:
    """The places of requests that wait: a token has at most `MOST_WAITING`."""

    def __init__(self) -> None:
        self._of_token: Counter[str] = Counter()

    @property
    def count(self) -> int:
        """The number of requests that wait."""
        return sum(self._of_token.values())

    @contextmanager
    def place(self, token_id: str) -> Iterator[None]:
        """Count a waiting request of the token until the block ends. Raises TooManyWaiting."""
        if self._of_token[token_id] >= MOST_WAITING:
            raise TooManyWaiting(headers={"Retry-After": "1"})
        self._of_token[token_id] += 1
        try:
            yield
        finally:
            self._of_token[token_id] -= 1
            if not self._of_token[token_id]:
                del self._of_token[token_id]


class FeedWaits(Places):
    """The requests that wait for each account's feed; each has an event of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._of_account: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def changes(self, account_id: str) -> Iterator[asyncio.Event]:
        """Yield an event that is set at each change of the account's feed until the block ends.

        Clear it, read the feed, then wait for it: so a change between the two is not missed.
        """
        changed = asyncio.Event()
        self._of_account[account_id].add(changed)
        try:
            yield changed
        finally:
            self._of_account[account_id].discard(changed)
            if not self._of_account[account_id]:
                del self._of_account[account_id]

    def wake(self, account_id: str) -> None:
        """Wake the requests that wait for the feed of this account."""
        for changed in self._of_account.get(account_id, ()):
            changed.set()

    def wake_all(self) -> None:
        """Wake every waiting request: a notification may have been lost."""
        for account_id in self._of_account:
            self.wake(account_id)
