"""`Lane`: the lanes of work. A request to Clio and a slice of background work belong to the same lane.

Between requests to Clio the lanes are priorities (`app/clio/shared_rate_limit.py`). Between slices they are places: a
process has places of its own for each lane (`app/sync/worker.py`). Which work belongs to a lane is not decided here.
"""

from enum import IntEnum


class Lane(IntEnum):
    """A lane. The first five have requests to Clio, and their order is the priority of these.

    A slice of housekeeping sends its requests in one of them.
    """

    PERSON = 0  # a person waits for the result
    WRITE_BACK = 1
    INCREMENTAL = 2
    INITIAL = 3
    RECONCILE = 4
    DELIVERIES = 5
    HOUSEKEEPING = 6

    @property
    def label(self) -> str:
        """The name in the queue, in metrics and in health checks."""
        return self.name.lower()

    @property
    def is_urgent(self) -> bool:
        """Return whether it gets single requests when it needs them, not several in advance."""
        return self <= Lane.WRITE_BACK


RUN_LANES = (Lane.PERSON, Lane.INCREMENTAL, Lane.INITIAL, Lane.RECONCILE)
CLIO_LANES = (*RUN_LANES, Lane.WRITE_BACK)

ERASURE = "erasure"
RETENTION = "retention"
DEAUTHORISATION = "deauthorisation"
SUBSCRIPTIONS = "subscriptions"
ENDPOINT_DELETION = "endpoint"
REDELIVERY = "redelivery"


def housekeeping_key(task: str, subject: str) -> str:
    """Return the key of a job of the lane of housekeeping: a task and its subject."""
    return f"{task}:{subject}"
