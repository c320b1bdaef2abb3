"""Clio's bad days, switched on by a test: which requests are hit, how often, and what happens to them."""

import re
from dataclasses import dataclass, field
from typing import Literal

Effect = Literal[
    "status",  # answer `value` (500, 502, …) with a page of HTML
    "rate_limited",  # answer 429 with Retry-After: `value`
    "unauthorized",  # answer 401, as for a dead token
    "forbidden",  # answer 403
    "slow",  # answer after `value` seconds
    "cut",  # promise the whole answer, send `value` bytes of it (or half), close the connection
    "short",  # send `value` bytes of the answer (or half) as if they were all
    "drip",  # send the answer byte by byte, `value` seconds apart
    "drop",  # close the connection without an answer; without a socket the call itself breaks
    "bomb",  # a small gzip body that unpacks to `value` megabytes (or 64)
    "html",  # a page of HTML with status 200
    "empty",  # an empty list with status 200 and no next page
    "poison",  # spoil the first record of the list: an id that is no number
    "next",  # a next page at the address `value`
    "unknown_field",  # refuse the field `value`
    "redirect",  # answer 307 to `value`
]


@dataclass
class Fault:
    """One fault. It spares the first `skip` matching requests and then hits `times` of them."""

    effect: Effect
    path: str = "."
    times: int = 1
    skip: int = 0
    value: str = ""
    hits: int = field(default=0, init=False)

    def strikes(self, path: str) -> bool:
        """Whether it hits this request; counts it."""
        if not re.search(self.path, path) or self.hits >= self.times:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.hits += 1
        return True


class Faults:
    """The faults that are switched on, in order; the first that strikes is the one that happens."""

    def __init__(self) -> None:
        self._on: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Switch a fault on."""
        self._on.append(fault)
        return fault

    def clear(self) -> None:
        """Switch all off."""
        self._on.clear()

    def strike(self, path: str) -> Fault | None:
        """The fault that hits this request, if one does."""
        return next((fault for fault in self._on if fault.strikes(path)), None)
