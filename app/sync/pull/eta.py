"""The ETA of a pull: the work that is left, and when it will have been done [IS-2]. It does no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from app.clio.client import ClioClient
from app.db.runs.checkpoints import Pull

PAGE = 200  # records on one of Clio's pages
PAGES_OF_ASSESSMENT = 3  # to assess the people of a page takes as long as to read so many pages


@dataclass
class Eta:
    """Estimates when a run has read its lists, and a first run (begun at `first_since`) has also assessed everybody.

    `clients` are those of the run's logins: each has a rate limit of its own.
    """

    first_since: datetime | None = None
    clients: dict[str, ClioClient] = field(default_factory=dict)

    def end(self, pulls: Sequence[Pull], *, assessed: int, now: datetime) -> datetime | None:
        """Return when the work will be done; None when that is unknown.

        In a first run the rate limits bound how soon it can be read, and the pace so far how soon it can be stored and
        assessed.
        """
        end = self._latest_end(pulls, now=now)
        if end is None or self.first_since is None:
            return end
        done, left = work(pulls, assessed=assessed)
        return max(end, now + (now - self.first_since) * left / max(done, 1))

    def _latest_end(self, pulls: Sequence[Pull], *, now: datetime) -> datetime | None:
        ends = [
            expected_end(clio, [pull for pull in pulls if pull.connection_id == login], now=now)
            for login, clio in self.clients.items()
        ]
        known = [end for end in ends if end is not None]
        return max(known) if known and len(known) == len(ends) else None


def work(pulls: Sequence[Pull], *, assessed: int) -> tuple[float, float]:
    """Return the work of a first run that is done and that is left, in pages to read. No list's length is unknown."""
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
