"""When a request is sent again: what may be repeated, after which delay, and until when."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from levitate_clio._call import Call
from levitate_clio.errors import (
    ApiError,
    ClioError,
    InProgress,
    RateLimited,
    Unavailable,
    Unreachable,
)

IDEMPOTENT = {"GET", "PUT", "DELETE"}
LONGEST_EXPONENT = 30  # more doubles nothing that is still below a maximum, and would overflow


@dataclass(frozen=True)
class Retries:
    """How often a request is sent again after a failure that can pass.

    Such failures are connection errors, 429, 502, 503, 504, and 409 `request_in_progress`, which an attempt gets whose
    predecessor was cut off. The delay is random, up to `first` seconds, then up to twice as much each time, at most
    `longest`, in addition to `Retry-After`. No attempt begins later than `deadline` seconds after the first one.
    `deadline=0` repeats nothing.
    """

    deadline: float = 60.0
    first: float = 0.5
    longest: float = 20.0
    # For tests, which do not wait.
    clock: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
    sleep: Callable[[float], None] = time.sleep
    async_sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    def delay(self, failures: int, error: ClioError) -> float:
        """Return the seconds to wait after so many failures in a row, of which this is the last."""
        ceiling = min(self.longest, self.first * 2.0 ** min(failures - 1, LONGEST_EXPONENT))
        wished = error.retry_after if isinstance(error, ApiError) else None
        return (wished or 0.0) + ceiling * self.random()


def can_pass(error: ClioError) -> bool:
    """Return whether the same request may succeed later."""
    return isinstance(error, Unreachable | RateLimited | Unavailable | InProgress)


def may_repeat(call: Call[Any]) -> bool:
    """Return whether sending a request twice does what sending it once does.

    A POST needs an idempotency key. With `If-Match` the second attempt would be refused, if the first had an effect.
    """
    if "If-Match" in call.headers:
        return False
    return call.method in IDEMPOTENT or "Idempotency-Key" in call.headers


class Attempts:
    """The attempts of one call."""

    def __init__(self, call: Call[Any], retries: Retries) -> None:
        self._retries = retries
        self._repeatable = may_repeat(call)
        self._began = retries.clock()
        self._failures = 0

    def delay_after(self, error: ClioError) -> float:
        """Return the seconds until the next attempt. Raise the error if there is none."""
        self._failures += 1
        if not self._repeatable or not can_pass(error):
            raise error
        delay = self._retries.delay(self._failures, error)
        if self._retries.clock() - self._began + delay > self._retries.deadline:
            raise error
        return delay
