"""Pure functions: what follows from an attempt to deliver, for the delivery and for the endpoint's health."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b

from app.db.events.claims import Claim, EndpointHealth
from app.db.events.deliveries import Delivery, DeliveryAttempt, Status
from app.errors import Problem
from app.webhook_sender import Outcome

GIVE_UP_AFTER = timedelta(days=3)  # then a delivery has failed, and a failing endpoint is disabled
RETRY_DELAYS = tuple(
    timedelta(seconds=s) for s in (5, 30, 120, 600, 1800, 3600, 7200, 14400, 21600)
)
FAILURES_BEFORE_PAUSE = 5  # groups of posts in a row, of which none succeeded
MAX_PAUSE = timedelta(minutes=15)

GONE = Problem(
    "endpoint_gone",
    "The endpoint responded with 410: it wants no more events. Enable it again if it does, or delete it",
)
FAILING = Problem(
    "endpoint_failing",
    "The endpoint has accepted no event for three days. Mend the receiver, then enable the endpoint",
)


def retry_delay(attempts: int, delivery_id: str) -> timedelta:
    """Return the backoff after a number of attempts: growing, with a jitter of a fifth that is fixed per delivery."""
    base = RETRY_DELAYS[min(attempts, len(RETRY_DELAYS)) - 1]
    seed = f"{delivery_id}/{attempts}".encode()
    share = int.from_bytes(blake2b(seed, digest_size=4).digest()) / 2**32
    return timedelta(seconds=base.total_seconds() * (0.8 + 0.4 * share))


def endpoint_pause(failures: int) -> timedelta:
    """Return how long an endpoint is paused after a number of groups of posts in a row that failed."""
    if failures < FAILURES_BEFORE_PAUSE:
        return timedelta(0)
    return min(timedelta(seconds=5 << min(failures - FAILURES_BEFORE_PAUSE, 10)), MAX_PAUSE)


def next_state(delivery: Delivery, outcome: Outcome, now: datetime) -> DeliveryAttempt:
    """Return the delivery's state after an attempt: delivered, to be retried, or failed after three days."""
    began = delivery.first_attempt_at or now
    if outcome.succeeded:
        return DeliveryAttempt(delivery, Status.DELIVERED, outcome.status, None, delivery.due_at)
    if now - began >= GIVE_UP_AFTER:
        return DeliveryAttempt(
            delivery, Status.FAILED, outcome.status, outcome.problem, delivery.due_at
        )
    due_at = now + retry_delay(delivery.attempts + 1, delivery.delivery_id)
    # The last attempt is made when the three days are over, not a delay later.
    due_at = min(due_at, began + GIVE_UP_AFTER) if now < began + GIVE_UP_AFTER else due_at
    return DeliveryAttempt(delivery, Status.PENDING, outcome.status, outcome.problem, due_at)


def keep_pending(tried: DeliveryAttempt) -> DeliveryAttempt:
    """Return a failed attempt as pending: at a disabled endpoint it waits until the endpoint is enabled again."""
    return replace(tried, status=Status.PENDING) if tried.status is Status.FAILED else tried


def health_after(claim: Claim, *, succeeded: bool, now: datetime) -> EndpointHealth:
    """Return an endpoint's health after a group of posts, of which one succeeded or none.

    The posts of a group are open at the same time, so an outage of a moment makes all of them fail: it counts once.
    """
    if succeeded:
        return EndpointHealth(0, None, None)
    failures = claim.failures + 1
    pause = endpoint_pause(failures)
    return EndpointHealth(failures, claim.failing_since or now, now + pause if pause else None)


def reason_to_disable(
    tried: Sequence[tuple[Delivery, Outcome]], health: EndpointHealth, now: datetime
) -> Problem | None:
    """Return why the endpoint must be disabled, or None."""
    if any(outcome.endpoint_gone for _, outcome in tried):
        return GONE
    if health.failing_since is not None and now - health.failing_since >= GIVE_UP_AFTER:
        return FAILING
    return None
