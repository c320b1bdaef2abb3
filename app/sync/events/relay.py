"""The relay: posts each event to each subscribed webhook endpoint, at least once, and in the order of each subject.

Endpoints are independent: each has its own task with a few posts at a time, so that a slow or dead receiver delays no
other. An endpoint that fails again and again is paused, then tried with one event. When it is back, everything that
waited is due at once.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

import structlog

from app.crypto import DecryptionFailed
from app.db import issues
from app.db.events import deliveries, endpoints
from app.db.events.deliveries import Claim, Delivery, DeliveryAttempt, EndpointHealth, Status
from app.db.events.endpoints import EndpointNotFound
from app.db.issues import Finding
from app.db.session import Session, transaction
from app.errors import DatabaseUnavailable, Problem
from app.sync.events.endpoint_secrets import valid_secrets
from app.sync.services import Services
from app.sync.supervisor import Part, Supervisor
from app.webhook_sender import EndpointClient, Message, Outcome

GIVE_UP_AFTER = timedelta(days=3)  # then a delivery has failed, and a failing endpoint is disabled
RETRY_DELAYS = tuple(
    timedelta(seconds=s) for s in (5, 30, 120, 600, 1800, 3600, 7200, 14400, 21600)
)
FAILURES_BEFORE_PAUSE = 5  # in a row
MAX_PAUSE = timedelta(minutes=15)
BATCH_SIZE = 400  # deliveries that are loaded together
CONCURRENT_POSTS = 16  # to one endpoint
CONCURRENT_ENDPOINTS = 50  # in one process
CLAIM_LENGTH = timedelta(seconds=60)  # longer than the slowest posts take
POLL_SECONDS = 1.0  # between two queries for due deliveries

GONE = Problem("endpoint_gone", "The endpoint responded with 410: it wants no more events")
FAILING = Problem("endpoint_failing", "The endpoint has accepted no event for three days")
UNREADABLE = Problem(
    "secret_unreadable",
    "The endpoint's secret cannot be decrypted. Rotate the secret, then enable the endpoint",
)

log = structlog.get_logger(__name__)


def retry_delay(attempts: int, delivery_id: str) -> timedelta:
    """Return the backoff after a number of attempts: growing, with a jitter of a fifth that is fixed per delivery."""
    base = RETRY_DELAYS[min(attempts, len(RETRY_DELAYS)) - 1]
    seed = f"{delivery_id}/{attempts}".encode()
    share = int.from_bytes(blake2b(seed, digest_size=4).digest()) / 2**32
    return timedelta(seconds=base.total_seconds() * (0.8 + 0.4 * share))


def endpoint_pause(failures: int) -> timedelta:
    """Return how long an endpoint is paused after a number of failures in a row."""
    if failures < FAILURES_BEFORE_PAUSE:
        return timedelta(0)
    return min(timedelta(seconds=5 << min(failures - FAILURES_BEFORE_PAUSE, 10)), MAX_PAUSE)


def build_message(delivery: Delivery) -> Message:
    """Return the event as it is posted: a thin event, with the same bytes in every attempt [API-27]."""
    at = delivery.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    document = {"type": delivery.kind, "timestamp": at, "data": delivery.data}
    body = json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
    return Message(delivery.event_id, body)


async def relay_events(services: Services, supervisor: Supervisor, part: Part) -> None:
    """Serve endpoints, each in its own task, until the process must stop."""
    served: set[asyncio.Task[int]] = set()
    async with asyncio.TaskGroup() as group:

        async def serve_due() -> None:
            for claim in await _claims(services, limit=CONCURRENT_ENDPOINTS - len(served)):
                task = group.create_task(_serve(services, claim))
                served.add(task)
                task.add_done_callback(served.discard)

        await supervisor.repeat(part, serve_due, every=POLL_SECONDS)


async def deliver_due(services: Services) -> int:
    """Post everything that is due now and return the number of posts."""
    posts = 0
    while claims := await _claims(services, limit=CONCURRENT_ENDPOINTS):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_serve(services, claim)) for claim in claims]
        posts += sum(task.result() for task in tasks)
    return posts


async def _claims(services: Services, *, limit: int) -> list[Claim]:
    if limit <= 0:
        return []
    async with transaction(services.database) as session:
        return await deliveries.claim_endpoints(
            session, length=CLAIM_LENGTH, limit=limit, now=services.now()
        )


async def _serve(services: Services, claim: Claim) -> int:
    """Post to an endpoint while something is due; return the number of posts."""
    posts = 0
    try:
        async with services.notifier.connect(claim.url) as client:
            async for sent in _post_due(services, claim, client):
                posts += sent
    except DatabaseUnavailable:
        pass  # the claim ends by itself; the relay reports the database
    except EndpointNotFound:
        log.info("endpoint_deleted", endpoint_id=claim.endpoint_id)
    except Exception:  # a fault at one endpoint must not end the others
        log.exception("delivery_crashed", endpoint_id=claim.endpoint_id)
    return posts


async def _post_due(services: Services, claim: Claim, client: EndpointClient) -> AsyncIterator[int]:
    """Post what is due and yield the number of posts of each group.

    Many deliveries are loaded at a time, because the query is expensive; a few are posted at a time.
    """
    current: Claim | None = claim
    while current is not None:
        batch, secrets = await _load_due(services, current)
        if not batch:
            return
        for first in range(0, len(batch), CONCURRENT_POSTS):
            group = batch[first : first + CONCURRENT_POSTS]
            current = await _post_group(services, current, client, group, secrets)
            yield len(group)
            if current is None:
                return


async def _load_due(services: Services, claim: Claim) -> tuple[list[Delivery], list[str]]:
    """Return the due deliveries and the secrets that sign them; release the claim if nothing is due."""
    limit, now = 1 if claim.paused else BATCH_SIZE, services.now()
    async with transaction(services.database) as session:
        batch = await deliveries.list_due(session, claim, limit=limit, now=now)
        if batch:
            try:
                return batch, await valid_secrets(session, services, claim.endpoint_id)
            except DecryptionFailed:
                await _disable(session, claim.endpoint_id, UNREADABLE, batch, now=now)
        await deliveries.release_claim(session, claim)
    return [], []


async def _post_group(
    services: Services,
    claim: Claim,
    client: EndpointClient,
    group: Sequence[Delivery],
    secrets: Sequence[str],
) -> Claim | None:
    """Post these deliveries and store the outcomes; return the renewed claim, or None if nothing more can be done."""
    outcomes = await _post_all(services, client, group, secrets)
    async with transaction(services.database) as session:
        renewed = await deliveries.renew_claim(session, claim, length=CLAIM_LENGTH)
        if renewed is None:
            return None
        tried = list(zip(group, outcomes, strict=True))
        health = await _store_outcomes(session, renewed, tried, services.now())
        if health is None or health.rests_until is not None or services.stopping.is_set():
            await deliveries.release_claim(session, renewed)
            return None
    return replace(
        renewed, failures=health.failures, failing_since=health.failing_since, paused=False
    )


async def _post_all(
    services: Services, client: EndpointClient, group: Sequence[Delivery], secrets: Sequence[str]
) -> list[Outcome]:
    async with asyncio.TaskGroup() as tasks:
        posts = [
            tasks.create_task(client.post(build_message(delivery), secrets, now=services.now()))
            for delivery in group
        ]
    return [post.result() for post in posts]


async def _store_outcomes(
    session: Session,
    claim: Claim,
    tried: Sequence[tuple[Delivery, Outcome]],
    now: datetime,
) -> EndpointHealth | None:
    """Store the outcomes of a group; return the endpoint's health, or None if it was disabled."""
    attempts = [next_state(delivery, outcome, now) for delivery, outcome in tried]
    succeeded = any(outcome.succeeded for _, outcome in tried)
    health = health_after(claim, failed=0 if succeeded else len(tried), now=now)
    await deliveries.record_health(session, claim.endpoint_id, health)
    if problem := _reason_to_disable(tried, health, now):
        await deliveries.record_attempts(session, [_keep_pending(one) for one in attempts], now=now)
        group = [delivery for delivery, _ in tried]
        await _disable(session, claim.endpoint_id, problem, group, now=now)
        return None
    if succeeded and claim.paused:
        await deliveries.retry_now(session, claim.endpoint_id, now=now)
    await deliveries.record_attempts(session, attempts, now=now)
    return health


async def _disable(
    session: Session,
    endpoint_id: str,
    problem: Problem,
    waiting: Sequence[Delivery],
    *,
    now: datetime,
) -> None:
    """Disable an endpoint and open an issue in the accounts of the waiting events."""
    await endpoints.disable_endpoint(session, endpoint_id, problem, now=now)
    subject = issues.endpoint_subject(endpoint_id)
    finding = Finding(issues.ENDPOINT_DISABLED, problem.detail, subject)
    for account_id in sorted({delivery.account_id for delivery in waiting}):
        await issues.open_issue(session, account_id, finding, now=now)
    log.warning("endpoint_disabled", endpoint_id=endpoint_id, reason=problem.code)


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


def _keep_pending(tried: DeliveryAttempt) -> DeliveryAttempt:
    """Return a failed attempt as pending: at a disabled endpoint it waits until the endpoint is enabled again."""
    return replace(tried, status=Status.PENDING) if tried.status is Status.FAILED else tried


def health_after(claim: Claim, *, failed: int, now: datetime) -> EndpointHealth:
    """Return an endpoint's health after a group of posts. `failed` is 0 if one of them succeeded."""
    if not failed:
        return EndpointHealth(0, None, None)
    failures = claim.failures + failed
    pause = endpoint_pause(failures)
    return EndpointHealth(failures, claim.failing_since or now, now + pause if pause else None)


def _reason_to_disable(
    tried: Sequence[tuple[Delivery, Outcome]], health: EndpointHealth, now: datetime
) -> Problem | None:
    """Return why the endpoint must be disabled, or None."""
    if any(outcome.endpoint_gone for _, outcome in tried):
        return GONE
    if health.failing_since is not None and now - health.failing_since >= GIVE_UP_AFTER:
        return FAILING
    return None
