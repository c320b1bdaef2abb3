"""`CallBudget`: the calls to Clio that one slice of work may still begin, over all its logins together. No I/O.

A *slice* works for a few seconds and then leaves its place to other firms. Rate limits do not belong here: they say
when Clio accepts a call, a budget says how much of the work is done now.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from app.clio.errors import ClioError

SECONDS, CALLS, RECORDS = 3.0, 50, 50


class BudgetSpent(Exception):
    """The attempt may begin no further call; the work goes on in the next one. It is no failure of Clio.

    `failure` is what a call failed with that can be tried again only after the budget's end.
    """

    def __init__(self, failure: ClioError | None = None) -> None:
        super().__init__("The budget of this attempt is spent")
        self.failure = failure


@dataclass
class CallBudget:
    """The calls that may still begin, within some seconds from now, and the records that may be asked for by their ids.

    Each id counts, in `get_one` and in `get_many`. The first call may begin however late it is and however many records
    it names: otherwise a slice could do nothing, again and again. `clock` counts the seconds.
    """

    clock: Callable[[], float]
    seconds: float = SECONDS
    calls: int = CALLS
    records: int = RECORDS

    def __post_init__(self) -> None:
        self._ends = self.clock() + self.seconds
        self._has_begun = self._has_named = False

    def begin_call(self) -> None:
        """Count a call that begins now. Raise BudgetSpent if it may not."""
        if self._has_begun and self.is_spent():
            raise BudgetSpent
        self._has_begun = True
        self.calls -= 1

    def without_end(self) -> "CallBudget":
        """Return a budget for a step that has begun: it may make its calls, however long each takes."""
        return CallBudget(self.clock, seconds=inf)

    def give_back(self) -> None:
        """Take back a counted call that was not sent."""
        self.calls += 1

    def begin_records(self, count: int) -> None:
        """Count records that are asked for by their ids. Raise BudgetSpent if there are too many."""
        if self._has_named and count > self.records:
            raise BudgetSpent
        self._has_named = True
        self.records -= count

    def is_spent(self) -> bool:
        """Return whether no further call may begin."""
        return self.calls <= 0 or not self.has_time_for(0.0)

    def has_time_for(self, wait: float) -> bool:
        """Return whether a call may begin after waiting so many seconds."""
        return self.clock() + wait < self._ends
