"""A test of a webhook endpoint: one event of type `ping`, posted at once and stored nowhere."""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from time import monotonic

from app.crypto import DecryptionFailed
from app.db.accounts import audit
from app.db.accounts.audit import Actor, AuditAction
from app.db.events import claims, endpoints
from app.db.ids import new_id
from app.db.system import system_transaction
from app.sync.events.endpoint_secrets import valid_secrets
from app.sync.services import Services
from app.webhook_sender import Message, Outcome

UNREADABLE = "secret_unreadable"


@dataclass(frozen=True)
class Pinged:
    """The outcome of a test, and after how many milliseconds it came."""

    event_id: str
    outcome: Outcome
    milliseconds: int


async def ping(
    services: Services, endpoint_id: str, *, token_id: str | None, actor: Actor
) -> Pinged:
    """Post the event, signed like every other one. A post that fails is an outcome. Raises EndpointNotFound.

    One that succeeds ends a pause of the endpoint: events that wait are sent now.
    """
    now = services.now()
    event_id, secrets = new_id("evt", now), list[str]()
    async with system_transaction(services.database) as session:
        endpoint = await endpoints.get_endpoint(session, endpoint_id, token_id=token_id)
        action = AuditAction("endpoint.tested", endpoint_id)
        await audit.record_of_service(session, actor, action, now=now)
        with suppress(DecryptionFailed):
            secrets = await valid_secrets(session, services, endpoint_id)
    if not secrets:
        return Pinged(event_id, Outcome(None, UNREADABLE), 0)
    at = now.astimezone(UTC).isoformat().replace("+00:00", "Z")
    document = {"type": "ping", "timestamp": at, "data": {"endpoint_id": endpoint.endpoint_id}}
    body = json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
    began = monotonic()
    async with services.notifier.connect(endpoint.url) as client:
        outcome = await client.post(Message(event_id, body), secrets, now=now)
    if outcome.succeeded:
        async with system_transaction(services.database) as session:
            await claims.end_pause(session, endpoint_id, now=services.now())
    return Pinged(event_id, outcome, round((monotonic() - began) * 1000))
