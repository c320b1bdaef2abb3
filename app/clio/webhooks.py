"""Clio's webhooks: subscriptions, among the few writes that Clio gets from us, and whether a signature is Clio's.

One subscription for each connection and model, because what Clio posts names no model (clio.md §15).
"""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict

from app.clio import pagination
from app.clio.client import ClioClient
from app.clio.errors import ClioRefused
from app.clio.responses import ClioResponse

WATCHED_FIELDS = {
    "contact": "id,etag",
    "matter": "id,etag",
}  # what is watched: any change moves the etag
EVENTS = ["created", "updated", "deleted"]
LIFETIME = timedelta(days=3)  # of 31 at most; at half of it we also learn whether Clio suspended it
PATH = "/api/v4/webhooks"
FIELDS = "id,status,expires_at,shared_secret"


class WebhookSubscription(BaseModel):
    """A subscription as Clio tells of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    status: str | None = None
    expires_at: AwareDatetime | None = None
    shared_secret: str | None = None


def is_signed(body: bytes, signature: str, secret: str) -> bool:
    """Whether the signature is Clio's: lower-case hex of HMAC-SHA256 over the raw bytes; compared in constant time."""
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())


async def subscribe(
    clio: ClioClient, url: str, model: str, *, now: datetime
) -> WebhookSubscription:
    """Ask for what happens to a model; Clio shakes hands with the address before or after it answers."""
    document = {"url": url, "model": model, "events": EVENTS, "fields": WATCHED_FIELDS[model]}
    wanted = {**document, "expires_at": _expiry(now)}
    return _subscription(await clio.write("POST", f"{PATH}.json", wanted, fields=FIELDS))


async def renew(clio: ClioClient, hook_id: int, *, now: datetime) -> WebhookSubscription | None:
    """Let a subscription live on; None when it is gone, suspended or was never confirmed: then make another."""
    longer = {"expires_at": _expiry(now)}
    try:
        hook = _subscription(
            await clio.write("PATCH", f"{PATH}/{hook_id}.json", longer, fields=FIELDS)
        )
    except ClioRefused as error:
        if error.status in (403, 404, 422):
            return None
        raise
    return hook if hook.status == "enabled" else None


async def unsubscribe(clio: ClioClient, hook_id: int) -> None:
    """End a subscription; one that is gone already is as good."""
    try:
        await clio.write("DELETE", f"{PATH}/{hook_id}.json")
    except ClioRefused as error:
        if error.status != 404:
            raise


def _expiry(now: datetime) -> str:
    return (now + LIFETIME).astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _subscription(answer: ClioResponse) -> WebhookSubscription:
    hook: WebhookSubscription = pagination.parse_one(WebhookSubscription, answer.body)
    return hook
