"""Faults of Clio that a test switches on: which requests they hit, how often, and with what effect."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Literal, TypeVar

Effect = Literal[
    "status",  # return status `value` (500, 502, …) with an HTML page, as a proxy does
    "refused",  # return status `value` with Clio's error object
    "body",  # return status 200 with the body `value`
    "rate_limited",  # return 429 with Retry-After: `value`
    "unauthorized",  # return 401, as for an invalid token
    "forbidden",  # return 403
    "slow",  # wait `value` seconds before the response
    "cut",  # announce the whole body, send `value` bytes of it (or half), close the connection
    "short",  # send `value` bytes of the body (or half) as if they were all
    "drip",  # send the body byte by byte, `value` seconds apart
    "drop",  # close the connection without a response; without a socket, raise ConnectionResetError
    "bomb",  # a small gzip body that unpacks to `value` megabytes (or 64)
    "html",  # an HTML page with status 200
    "empty",  # an empty list with status 200 and no next page
    "poison",  # give the first record of the answer an id that is not a number
    "next",  # name `value` as the address of the next page
    "unknown_field",  # refuse the field `value`
    "redirect",  # return 307 to `value`
    "lost_cursor",  # return 422, as for a `page_token` that Clio no longer knows
]
WriteEffect = Literal[
    "lost",  # write, then break off in the middle of the response
    "bad_gateway",  # write, then return 502
    "slow",  # write, then respond after `value` seconds
    "late",  # return 504 at once and write `value` seconds later
    "unwritten",  # return status `value` (or 503) with an HTML page and write nothing
]

E = TypeVar("E", Effect, WriteEffect)


@dataclass
class _Counted(Generic[E]):
    """Hits the next `times` matching requests after the first `skip` of them. `path` is a regular expression.

    With `user` it hits only the requests of that Clio user, with `until` only those before that time.
    """

    effect: E
    path: str = "."
    times: int = 1
    skip: int = 0
    value: str = ""
    user: int | None = None
    until: datetime | None = None
    hits: int = field(default=0, init=False)

    def matches(self, path: str, user: int | None, now: datetime) -> bool:
        """Return whether it hits this request, and count it."""
        if self.until is not None and now >= self.until:
            return False
        if not re.search(self.path, path) or self.user not in (None, user):
            return False
        if self.hits >= self.times:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.hits += 1
        return True


class Fault(_Counted[Effect]):
    """A fault that hits requests of any kind."""


class WriteFault(_Counted[WriteEffect]):
    """A fault that hits writes only, so that the search after a lost response succeeds."""


F = TypeVar("F", Fault, WriteFault)


class Faults:
    """The active faults, in order. The first that matches a request takes effect."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._faults: list[Fault] = []
        self._write_faults: list[WriteFault] = []
        self.late_writes: set[asyncio.Task[None]] = set()

    def add(self, fault: F) -> F:
        """Switch a fault on, and return it."""
        if isinstance(fault, WriteFault):
            self._write_faults.append(fault)
        else:
            self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Switch a fault off, if it is still on."""
        self._faults = [one for one in self._faults if one is not fault]

    def clear(self) -> None:
        """Switch all faults off."""
        self._faults.clear()
        self._write_faults.clear()

    def match(self, path: str, user: int | None = None) -> Fault | None:
        """Return the fault that hits this request of a Clio user, if any."""
        now = self._now()
        return next((fault for fault in self._faults if fault.matches(path, user, now)), None)

    def match_write(self, path: str) -> WriteFault | None:
        """Return the fault that hits this write, if any."""
        now = self._now()
        return next((fault for fault in self._write_faults if fault.matches(path, None, now)), None)
