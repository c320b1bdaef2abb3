"""One slice of a webhook endpoint: some posts, a few at a time, then the next endpoint has its turn.

A slice begins no new post after three seconds or after fifty posts, and every post ends within its deadline. So a slow
endpoint delays nobody but itself, and the events of one firm delay those of another by one group of posts.
"""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from app.crypto import DecryptionFailed
from app.db import issues
from app.db.events import claims, deliveries, endpoints, turns
from app.db.events.claims import Claim, EndpointHealth
from app.db.events.deliveries import Delivery
from app.db.events.endpoints import EndpointNotFound
from app.db.events.turns import NO_TURN, Turn
from app.db.issues import Finding
from app.db.session import Session
from app.db.system import system_transaction
from app.errors import DatabaseUnavailable, Problem
from app.sync.events.endpoint_secrets import valid_secrets
from app.sync.events.retries import (
    health_after,
    keep_pending,
    next_state,
    reason_to_disable,
)
from app.sync.outages import wait_for_database
from app.sync.services import Services
from app.sync.slices import Ending
from app.webhook_sender import EndpointClient, Message, Outcome

POSTS_IN_A_SLICE = 50
CONCURRENT_POSTS = 16  # to one endpoint
CLAIM_LENGTH = timedelta(seconds=20)  # longer than a group of posts takes

UNREADABLE = Problem(
    "secret_unreadable",
    "The endpoint's secret cannot be decrypted. Rotate the secret, then enable the endpoint",
)

log = structlog.get_logger(__name__)


def build_message(delivery: Delivery) -> Message:
    """Return the event as it is posted: a thin event, with the same bytes in every attempt [API-27]."""
    at = delivery.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    document = {"type": delivery.kind, "timestamp": at, "data": delivery.data}
    body = json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
    return Message(delivery.event_id, body)


async def serve_endpoint(services: Services, endpoint_id: str) -> Ending:
    """Serve one slice of an endpoint; return how the slice ends.

    Only one process at a time serves an endpoint; any other one posts nothing. Raises DatabaseUnavailable.
    """
    claim = await _claim(services, endpoint_id)
    if claim is not None:
        try:
            async with services.notifier.connect(claim.url) as client:
                claim = await _post_groups(services, claim, client)
        except EndpointNotFound:
            log.info("endpoint_deleted", endpoint_id=endpoint_id)
    return Ending(
        None,
        partial(_what_is_left, services, endpoint_id, claim),
        abandon=partial(_release_after_outage, services, claim),
    )


async def _what_is_left(
    services: Services, endpoint_id: str, claim: Claim | None, session: Session
) -> timedelta | None:
    """Release the claim; return after what time the next slice is due, None if nothing waits."""
    now = services.now()
    if claim is not None:
        await claims.release_claim(session, claim)
    due_at = await turns.next_due(session, endpoint_id, now=now)
    return None if due_at is None else max(due_at - now, timedelta(0))


async def _release_after_outage(services: Services, claim: Claim | None) -> None:
    """Release the claim when the database is back. Otherwise nobody could serve the endpoint until the claim ends."""
    if claim is not None:
        await wait_for_database(services)
        with suppress(DatabaseUnavailable):
            async with system_transaction(services.database) as session:
                await claims.release_claim(session, claim)


async def _claim(services: Services, endpoint_id: str) -> Claim | None:
    async with system_transaction(services.database) as session:
        return await claims.claim_endpoint(
            session, endpoint_id, length=CLAIM_LENGTH, now=services.now()
        )


async def _post_groups(services: Services, claim: Claim, client: EndpointClient) -> Claim | None:
    """Post what is next until the slice is over or nothing is left; return the claim, or None if it is lost."""
    budget, left = services.open_budget(), POSTS_IN_A_SLICE
    turn, secrets = NO_TURN, list[str]()
    try:
        while left and not budget.is_spent() and not services.stopping.is_set():
            if not turn.chosen:
                turn, secrets = await _next_turn(services, claim, places=left)
            if turn.is_empty:
                break
            group, turn = turn.split(CONCURRENT_POSTS)
            claim = replace(claim, served_account_id=group.last_account_id)
            if group.chosen:
                outcomes = await _post_all(services, client, group.chosen, secrets)
                renewed = await _store(services, claim, group.chosen, outcomes)
                if renewed is None or renewed.paused:
                    return renewed
                claim, left = renewed, left - len(group.chosen)
    except DatabaseUnavailable:
        await _release_after_outage(services, claim)
        raise
    return claim


async def _next_turn(services: Services, claim: Claim, *, places: int) -> tuple[Turn, list[str]]:
    """Return the deliveries that are next and the secrets that sign them; after a pause, one delivery."""
    now = services.now()
    async with system_transaction(services.database) as session:
        await turns.wake(session, claim, now=now)
        turn = await turns.next_turn(session, claim, places=1 if claim.paused else places, now=now)
        if not turn.chosen:
            return turn, []
        try:
            return turn, await valid_secrets(session, services, claim.endpoint_id)
        except DecryptionFailed:
            await _disable(session, claim.endpoint_id, UNREADABLE, turn.chosen, now=now)
            return NO_TURN, []


async def _post_all(
    services: Services, client: EndpointClient, group: Sequence[Delivery], secrets: Sequence[str]
) -> list[Outcome]:
    async with asyncio.TaskGroup() as tasks:
        posts = [
            tasks.create_task(client.post(build_message(delivery), secrets, now=services.now()))
            for delivery in group
        ]
    return [post.result() for post in posts]


async def _store(
    services: Services, claim: Claim, group: Sequence[Delivery], outcomes: Sequence[Outcome]
) -> Claim | None:
    """Store the outcomes of a group; return the renewed claim, or None if it is lost or the endpoint is off now."""
    async with system_transaction(services.database) as session:
        renewed = await claims.renew_claim(session, claim, length=CLAIM_LENGTH)
        if renewed is None:
            return None
        tried = list(zip(group, outcomes, strict=True))
        health = await _store_outcomes(session, renewed, tried, services.now())
    return renewed.with_health(health) if health else None


async def _store_outcomes(
    session: Session,
    claim: Claim,
    tried: Sequence[tuple[Delivery, Outcome]],
    now: datetime,
) -> EndpointHealth | None:
    """Store the outcomes of a group; return the endpoint's health, or None if it was disabled."""
    attempts = [next_state(delivery, outcome, now) for delivery, outcome in tried]
    succeeded = any(outcome.succeeded for _, outcome in tried)
    health = health_after(claim, succeeded=succeeded, now=now)
    await claims.record_health(session, claim.endpoint_id, health)
    if problem := reason_to_disable(tried, health, now):
        await deliveries.record_attempts(session, [keep_pending(one) for one in attempts], now=now)
        group = [delivery for delivery, _ in tried]
        await _disable(session, claim.endpoint_id, problem, group, now=now)
        return None
    if succeeded and claim.paused:
        await claims.retry_now(session, claim.endpoint_id, now=now)
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
