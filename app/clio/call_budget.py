"""`CallBudget`: the calls to Clio that one attempt of a run may still begin, over all its logins together. No I/O.

A *slice* of a run works for a few seconds and then leaves its place to other firms. Rate limits do not belong here:
they say when Clio accepts a call, a budget says how much of the run's work is done now.
"""

from dataclasses import dataclass, field

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
    """What may still begin: calls, within some seconds from the first one, and records that are asked for by their ids.

    Each id counts, in `get_one` and in `get_many`. Times are seconds of the transport's clock.
    """

    seconds: float = SECONDS
    calls: int = CALLS
    records: int = RECORDS
    _ends: float | None = field(default=None, init=False)
    _asked_for: int = field(default=0, init=False)

    def begin_call(self, now: float) -> None:
        """Count a call that begins now. Raise BudgetSpent if it may not."""
        if self._ends is None:
            self._ends = now + self.seconds
        if self.calls <= 0 or now >= self._ends:
            raise BudgetSpent
        self.calls -= 1

    def give_back(self) -> None:
        """Take back a counted call that was not sent."""
        self.calls += 1

    def begin_records(self, count: int) -> None:
        """Count the records that a request names by their ids. Raise BudgetSpent if a later one names too many."""
        if self._asked_for and self._asked_for + count > self.records:
            raise BudgetSpent
        self._asked_for += count

    def has_time_for(self, wait: float, now: float) -> bool:
        """Return whether a call may begin after waiting so many seconds."""
        return self._ends is None or now + wait < self._ends
