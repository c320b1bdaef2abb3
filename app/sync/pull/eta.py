"""The ETA of a pull: the work that is left, and when it will have been done [IS-2]. It does no I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from app.clio.client import ClioClient
from app.db.runs.checkpoints import Pull

PAGE = 200  # records on one of Clio's pages
# To assess the people of a page takes as long as to read and store so many pages (benchmarks/one_firm.py).
PAGES_OF_ASSESSMENT = 12
KEPT = 0.75  # weight of what was expected before a slice: the pace of a single one varies
MEASURED = 12.0  # pages of work, after which the pace of a slice is known


@dataclass(frozen=True)
class Slice:
    """The beginning of a slice of a first run: the moment, the work that was done, and the end that was expected."""

    began: datetime
    done: float
    expected_end: datetime | None


@dataclass
class Eta:
    """Estimates when a run has read its lists, and in a slice of a first run also when everybody is assessed.

    `clients` are those of the run's logins: each has a rate limit of its own. `pulls` are the lists of the run, by
    login and name, as they are stored, and `assessed` is the number of people that it has assessed.
    """

    first: Slice | None = None
    clients: dict[str, ClioClient] = field(default_factory=dict)
    pulls: dict[tuple[str, str], Pull] = field(default_factory=dict)
    assessed: int = 0

    def note(self, pulls: Iterable[Pull]) -> None:
        """Note how far these lists were read."""
        self.pulls.update({(pull.connection_id, pull.resource): pull for pull in pulls})

    def end(self, *, now: datetime) -> datetime | None:
        """Return when the work will be done; None when that is unknown.

        In a first run the rate limits bound how soon it can be read, and the pace of its slices how soon it can be
        stored and assessed. A run waits for a rate limit between its slices, so that they show what the machine can do.
        """
        pulls = list(self.pulls.values())
        end = self._latest_end(pulls, now=now)
        if end is None or self.first is None:
            return end
        done, left = work(pulls, assessed=self.assessed)
        in_slice, before = done - self.first.done, self.first.expected_end
        if in_slice < MEASURED:
            return max(end, before or end)
        by_pace = now + (now - self.first.began) * left / in_slice
        return max(end, by_pace if before is None else by_pace + KEPT * (before - by_pace))

    def _latest_end(self, pulls: Sequence[Pull], *, now: datetime) -> datetime | None:
        ends = [
            expected_end(clio, [pull for pull in pulls if pull.connection_id == login], now=now)
            for login, clio in self.clients.items()
        ]
        known = [end for end in ends if end is not None]
        return max(known) if known and len(known) == len(ends) else None


def work(pulls: Sequence[Pull], *, assessed: int) -> tuple[float, float]:
    """Return the work of a first run that is done and that is left, in pages. No list's length may be unknown."""
    people = max((pull.total or 0 for pull in pulls if pull.resource == "contacts"), default=0)
    done = sum(pull.pages for pull in pulls) + PAGES_OF_ASSESSMENT * assessed / PAGE
    left = sum(pages_left(pulls) or [0]) + PAGES_OF_ASSESSMENT * max(people - assessed, 0) / PAGE
    return done, left


def expected_end(clio: ClioClient, pulls: Sequence[Pull], *, now: datetime) -> datetime | None:
    """Return when the pulls will be done at the pace that the rate limit allows; None when unknown."""
    left = pages_left(pulls)
    if left is None:
        return None
    longest = max(left, default=0)
    return now + timedelta(seconds=clio.expected_seconds(sum(left), in_a_row=longest))


def pages_left(pulls: Sequence[Pull]) -> list[int] | None:
    """Return the number of pages left of each unfinished list; None while the length of one is unknown."""
    unfinished = [pull for pull in pulls if not pull.complete]
    if any(pull.total is None for pull in unfinished):
        return None
    return [ceil(max((pull.total or 0) - pull.met, 0) / PAGE) for pull in unfinished]
