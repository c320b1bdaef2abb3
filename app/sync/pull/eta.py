"""The ETA of a pull: the pages that are left, and when they will have been read [IS-2]. It does no I/O."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil

from app.clio.client import ClioClient
from app.db.runs.checkpoints import Pull

PAGE = 200  # records on one of Clio's pages


def latest_end(
    clients: Mapping[str, ClioClient], pulls: Iterable[Pull], *, now: datetime
) -> datetime | None:
    """Return when the last of these logins will be done: each has a rate limit of its own. None when unknown."""
    found = list(pulls)
    ends = [
        expected_end(clio, [pull for pull in found if pull.connection_id == login], now=now)
        for login, clio in clients.items()
    ]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


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
