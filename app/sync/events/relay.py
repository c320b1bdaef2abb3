"""Brings events to Levitate, at least once: each to each endpoint that wants it, in the order of each subject.

Endpoints are independent: each is served by its own task with its own few posts at a time, so that a receiver that
is slow or dead holds up nobody. One that fails again and again is left alone for a while and then tried with one
event; when it is back, all that waited is due at once.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

import structlog

from app.crypto import DecryptionFailed
from app.db import issues
from app.db.events import deliveries, endpoints
from app.db.events.deliveries import Attempt, Claim, Delivery, Health, Status
from app.db.events.endpoints import EndpointNotFound
from app.db.issues import Finding
from app.db.session import Session, transaction
from app.errors import DatabaseUnavailable, Problem
from app.sync.services import Services
from app.webhook_sender import EndpointClient, Message, Outcome

PATIENCE = timedelta(days=3)  # after so long a delivery has failed, and an endpoint is disabled
PAUSES = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 1800, 3600, 7200, 14400, 21600))
TIRED = 5  # failures in a row after which an endpoint is left alone for a while
LONGEST_REST = timedelta(minutes=15)
LOT = 400  # deliveries that are looked up at the same time
AT_ONCE = 16  # posts to one endpoint at the same time
ENDPOINTS = 50  # endpoints that one process serves at the same time
CLAIM = timedelta(seconds=60)  # longer than the slowest batch
OLD_SECRET_LIFE = timedelta(days=1)
OLD_SECRETS = 4  # so many at most, should somebody rotate again and again
LOOK_AGAIN = 1.0  # seconds between two looks for something due

GONE = Problem("endpoint_gone", "The receiver answered 410: it wants no more events")
FAILING = Problem("endpoint_failing", "The receiver has taken no event for three days")
UNREADABLE = Problem(
    "secret_unreadable", "The endpoint's secret cannot be opened; rotate it, then enable it"
)

log = structlog.get_logger(__name__)


def pause(attempts: int, delivery_id: str) -> timedelta:
    """How long to wait after so many attempts: growing, and up to a fifth more or less for each delivery."""
    base = PAUSES[min(attempts, len(PAUSES)) - 1]
    seed = f"{delivery_id}/{attempts}".encode()
    share = int.from_bytes(blake2b(seed, digest_size=4).digest()) / 2**32
    return timedelta(seconds=base.total_seconds() * (0.8 + 0.4 * share))


def rest(failures: int) -> timedelta:
    """How long an endpoint is left alone after so many failures in a row."""
    if failures < TIRED:
        return timedelta(0)
    return min(timedelta(seconds=5 << min(failures - TIRED, 10)), LONGEST_REST)


def message(delivery: Delivery) -> Message:
    """The event as it is posted: thin, and the same bytes every time [API-27]."""
    at = delivery.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    document = {"type": delivery.kind, "timestamp": at, "data": delivery.data}
    body = json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
    return Message(delivery.event_id, body)


async def relay(services: Services) -> None:
    """Serve endpoints, each in its own task, until the process is asked to stop."""
    served: set[asyncio.Task[int]] = set()
    async with asyncio.TaskGroup() as group:
        while not services.stopping.is_set():
            for mine in await _claims(services, limit=ENDPOINTS - len(served)):
                task = group.create_task(_serve(services, mine))
                served.add(task)
                task.add_done_callback(served.discard)
            try:
                await asyncio.wait_for(services.stopping.wait(), LOOK_AGAIN)
            except TimeoutError:
                continue


async def deliver_due(services: Services) -> int:
    """Send all that is due now; answers how many posts that took."""
    posts = 0
    while claims := await _claims(services, limit=ENDPOINTS):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_serve(services, mine)) for mine in claims]
        posts += sum(task.result() for task in tasks)
    return posts


async def _claims(services: Services, *, limit: int) -> list[Claim]:
    if limit <= 0:
        return []
    try:
        async with transaction(services.database) as session:
            return await deliveries.claim(session, length=CLAIM, limit=limit, now=services.now())
    except DatabaseUnavailable:
        log.warning("database_unavailable")
        return []


async def _serve(services: Services, mine: Claim) -> int:
    """Send to an endpoint batch by batch while something is due; answers how many posts that took."""
    posts = 0
    try:
        async with services.notifier.to(mine.url) as courier:
            async for sent in _batches(services, mine, courier):
                posts += sent
    except DatabaseUnavailable:
        log.warning("database_unavailable")
    except EndpointNotFound:
        log.info("endpoint_deleted", endpoint_id=mine.endpoint_id)
    except Exception:  # a fault at one endpoint must not end the others
        log.exception("delivery_broke", endpoint_id=mine.endpoint_id)
    return posts


async def _batches(services: Services, mine: Claim, courier: EndpointClient) -> AsyncIterator[int]:
    """Post what is due, some at a time; yields how many that were. A lot is looked up at once, for that is dear."""
    claim: Claim | None = mine
    while claim is not None:
        lot, secrets = await _due(services, claim)
        if not lot:
            return
        for first in range(0, len(lot), AT_ONCE):
            batch = lot[first : first + AT_ONCE]
            claim = await _batch(services, claim, courier, batch, secrets)
            yield len(batch)
            if claim is None:
                return


async def _due(services: Services, mine: Claim) -> tuple[list[Delivery], list[str]]:
    """What is to be sent now, and the secrets to sign it with; gives the claim back when that is nothing."""
    limit, now = 1 if mine.rested else LOT, services.now()
    async with transaction(services.database) as session:
        lot = await deliveries.due(session, mine, limit=limit, now=now)
        if lot:
            try:
                return lot, await _secrets(session, services, mine.endpoint_id)
            except DecryptionFailed:
                await _disable(session, mine.endpoint_id, UNREADABLE, lot, now=now)
        await deliveries.release(session, mine)
    return [], []


async def _batch(
    services: Services,
    mine: Claim,
    courier: EndpointClient,
    batch: Sequence[Delivery],
    secrets: Sequence[str],
) -> Claim | None:
    """Post these; answers the claim if there may be more to do now."""
    outcomes = await _post_all(services, courier, batch, secrets)
    async with transaction(services.database) as session:
        claim = await deliveries.renew(session, mine, length=CLAIM)
        if claim is None:
            return None
        tried = list(zip(batch, outcomes, strict=True))
        fares = await _write_down(session, claim, tried, services.now())
        if fares is None or fares.rests_until is not None or services.stopping.is_set():
            await deliveries.release(session, claim)
            return None
    return replace(claim, failures=fares.failures, failing_since=fares.failing_since, rested=False)


async def rotate(session: Session, services: Services, endpoint_id: str, secret: str) -> None:
    """Give the endpoint a new secret; those that are valid now stay so for a day, however often it is rotated."""
    stored = await endpoints.secrets(session, endpoint_id, lock=True)
    row, now = endpoint_row(endpoint_id), services.now()
    known = _old_secrets(services, endpoint_id, stored)
    with suppress(DecryptionFailed):  # rotating heals what cannot be opened
        known = [services.cipher.open(stored.sealed, row=row)["secret"], *known]
    await endpoints.rotate(
        session,
        endpoint_id,
        sealed_secret=services.cipher.seal({"secret": secret}, row=row),
        sealed_old_secret=services.cipher.seal({"secret": " ".join(known[:OLD_SECRETS])}, row=row),
        old_until=now + OLD_SECRET_LIFE,
        now=now,
    )


async def _secrets(session: Session, services: Services, endpoint_id: str) -> list[str]:
    """The secrets that are valid now, the newest first; raises SealBroken where that one cannot be opened."""
    stored = await endpoints.secrets(session, endpoint_id)
    newest = services.cipher.open(stored.sealed, row=endpoint_row(endpoint_id))["secret"]
    return [newest, *_old_secrets(services, endpoint_id, stored)]


def _old_secrets(services: Services, endpoint_id: str, stored: endpoints.Secrets) -> list[str]:
    """The secrets before the newest while they are valid, the newest of them first."""
    if stored.sealed_old and stored.old_until and services.now() < stored.old_until:
        with suppress(
            DecryptionFailed
        ):  # a post is better signed with the newest alone than not made
            row = endpoint_row(endpoint_id)
            return services.cipher.open(stored.sealed_old, row=row)["secret"].split()
    return []


def endpoint_row(endpoint_id: str) -> str:
    """What an endpoint's secrets are sealed for."""
    return f"webhook_endpoints/{endpoint_id}"


async def _post_all(
    services: Services, courier: EndpointClient, batch: Sequence[Delivery], secrets: Sequence[str]
) -> list[Outcome]:
    async with asyncio.TaskGroup() as group:
        posts = [
            group.create_task(courier.post(message(delivery), secrets, now=services.now()))
            for delivery in batch
        ]
    return [post.result() for post in posts]


async def _write_down(
    session: Session,
    claim: Claim,
    tried: Sequence[tuple[Delivery, Outcome]],
    now: datetime,
) -> Health | None:
    """Store what a batch came to; answers how the endpoint fares, None when it is posted to no more."""
    attempts = [attempt(delivery, outcome, now) for delivery, outcome in tried]
    arrived = any(outcome.arrived for _, outcome in tried)
    fares = health(claim, failed=0 if arrived else len(tried), now=now)
    await deliveries.fares(session, claim.endpoint_id, fares)
    if problem := _disabling(tried, fares, now):
        await deliveries.attempted(session, [_kept_waiting(one) for one in attempts], now=now)
        batch = [delivery for delivery, _ in tried]
        await _disable(session, claim.endpoint_id, problem, batch, now=now)
        return None
    if arrived and claim.rested:
        await deliveries.hurry(session, claim.endpoint_id, now=now)
    await deliveries.attempted(session, attempts, now=now)
    return fares


async def _disable(
    session: Session,
    endpoint_id: str,
    problem: Problem,
    waiting: Sequence[Delivery],
    *,
    now: datetime,
) -> None:
    """Post to it no more, and say so to the accounts whose events these are."""
    await endpoints.disable(session, endpoint_id, problem, now=now)
    about = issues.endpoint(endpoint_id)
    finding = Finding(issues.ENDPOINT_DISABLED, problem.detail, about)
    for account_id in sorted({delivery.account_id for delivery in waiting}):
        await issues.open_issue(session, account_id, finding, now=now)
    log.warning("endpoint_disabled", endpoint_id=endpoint_id, reason=problem.code)


def attempt(delivery: Delivery, outcome: Outcome, now: datetime) -> Attempt:
    """What a delivery comes to: delivered, to be tried again, or failed after three days of trying."""
    began = delivery.first_attempt_at or now
    if outcome.arrived:
        return Attempt(delivery, Status.DELIVERED, outcome.status, None, delivery.due_at)
    if now - began >= PATIENCE:
        return Attempt(delivery, Status.FAILED, outcome.status, outcome.problem, delivery.due_at)
    again = now + pause(delivery.attempts + 1, delivery.delivery_id)
    # The last try comes when the three days are over, not a pause later.
    again = min(again, began + PATIENCE) if now < began + PATIENCE else again
    return Attempt(delivery, Status.PENDING, outcome.status, outcome.problem, again)


def _kept_waiting(tried: Attempt) -> Attempt:
    """What did not arrive at an endpoint that is disabled now waits until it is enabled again."""
    return replace(tried, status=Status.PENDING) if tried.status is Status.FAILED else tried


def health(claim: Claim, *, failed: int, now: datetime) -> Health:
    """How an endpoint fares after a batch of which so many failed and none arrived (0: some arrived)."""
    if not failed:
        return Health(0, None, None)
    failures = claim.failures + failed
    pause_of_endpoint = rest(failures)
    rests_until = now + pause_of_endpoint if pause_of_endpoint else None
    return Health(failures, claim.failing_since or now, rests_until)


def _disabling(
    tried: Sequence[tuple[Delivery, Outcome]], fares: Health, now: datetime
) -> Problem | None:
    """Why the endpoint is to be disabled, if it is."""
    if any(outcome.gone for _, outcome in tried):
        return GONE
    if fares.failing_since is not None and now - fares.failing_since >= PATIENCE:
        return FAILING
    return None
