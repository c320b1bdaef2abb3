"""Subscriptions to Clio's webhooks; the signature of a webhook, and the record that it names.

Each connection has one subscription per model, because Clio's webhooks do not name the model (clio.md §15).
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from app.clio import pagination
from app.clio.client import ClioClient
from app.clio.errors import ClioRefused
from app.clio.models import WebhookSubscription
from app.clio.resources import WEBHOOKS

WATCHED_FIELDS = {
    "contact": "id,etag",
    "matter": "id,etag",
}  # every change of a record changes its etag
DELETED = "deleted"
EVENTS = ["created", "updated", DELETED]
LIFETIME = timedelta(
    days=3
)  # up to 31 allowed; the renewal at half of it also shows a suspended subscription
PATH = "/api/v4/webhooks"
FIELDS = "id,status,expires_at,shared_secret"


def is_signed(body: bytes, signature: str, secret: str) -> bool:
    """Return whether the signature is the lower-case hex HMAC-SHA256 of the raw body. Compares in constant time."""
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())


@dataclass(frozen=True)
class Named:
    """The record that a webhook names, and whether it says that the record was deleted. It is a hint."""

    clio_id: int
    deleted: bool


def named_record(body: bytes) -> Named | None:
    """Return the record that a webhook names; None if it names none that Clio can have."""
    try:
        found = _Body.model_validate_json(body)
    except ValidationError:
        return None
    event = found.meta.get("event") if isinstance(found.meta, dict) else None
    return Named(found.data.id, event == DELETED)


class _Named(BaseModel):
    id: Annotated[int, Field(strict=True, gt=0, lt=2**63)]


class _Body(BaseModel):
    data: _Named
    meta: Any = None


async def subscribe(
    clio: ClioClient, url: str, model: str, *, now: datetime
) -> WebhookSubscription:
    """Subscribe to the events of a model. Clio's handshake with the URL comes before or after its response."""
    document = {"url": url, "model": model, "events": EVENTS, "fields": WATCHED_FIELDS[model]}
    body = {**document, "expires_at": _expiry(now)}
    return _subscription(await clio.write("POST", f"{PATH}.json", body, fields=FIELDS))


async def find(clio: ClioClient, has_url: Callable[[str], bool]) -> int | None:
    """Return the id of the user's subscription with such a URL, or None."""
    async for page in clio.pages(WEBHOOKS):
        for hook in page.items:
            if has_url(hook.url or ""):
                return hook.id
    return None


async def renew(clio: ClioClient, hook_id: int, *, now: datetime) -> WebhookSubscription | None:
    """Extend a subscription, or return None if it is gone, suspended or not confirmed: then subscribe again."""
    body = {"expires_at": _expiry(now)}
    try:
        hook = _subscription(
            await clio.write("PATCH", f"{PATH}/{hook_id}.json", body, fields=FIELDS)
        )
    except ClioRefused as error:
        if error.status in (403, 404, 422):
            return None
        raise
    return hook if hook.status == "enabled" else None


async def unsubscribe(clio: ClioClient, hook_id: int) -> None:
    """Delete a subscription. A subscription that no longer exists is no error."""
    try:
        await clio.delete(f"{PATH}/{hook_id}.json")
    except ClioRefused as error:
        if error.status != 404:
            raise


def _expiry(now: datetime) -> str:
    return (now + LIFETIME).astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _subscription(record: dict[str, Any]) -> WebhookSubscription:
    return pagination.read_record(WebhookSubscription, record)
