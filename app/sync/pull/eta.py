"""Pure: what is left of a pull, and when it will be done [IS-2]."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

from app.clio.client import ClioClient
from app.db.runs.checkpoints import Pull

PAGE = 200  # records on one of Clio's pages


def expected_end(clio: ClioClient, known: Sequence[Pull], *, now: datetime) -> datetime | None:
    """When the pull will be done, by the pages left and what the token's budget allows; None when unknown."""
    left = pages_left(known)
    if left is None:
        return None
    longest = max(left, default=0)
    return now + timedelta(seconds=clio.expected_seconds(sum(left), in_a_row=longest))


def pages_left(known: Sequence[Pull]) -> list[int] | None:
    """Pages still to come of each list; None while an unfinished one has not told its length."""
    unfinished = [pull for pull in known if not pull.complete]
    if any(pull.total is None for pull in unfinished):
        return None
    return [ceil(max((pull.total or 0) - pull.met, 0) / PAGE) for pull in unfinished]
