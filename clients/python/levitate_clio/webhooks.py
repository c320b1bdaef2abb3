"""Verifies and reads the webhooks of the service, which are signed as in Standard Webhooks."""

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping, Sequence
from datetime import datetime

from levitate_clio._generated.models import Event
from levitate_clio.errors import InvalidSignature, Unreadable

TOLERANCE = 300  # seconds that the clocks of both sides may differ, the way of the request included
PREFIX = "whsec_"
VERSION = "v1"


def verify(
    body: bytes,
    headers: Mapping[str, str],
    secrets: str | Sequence[str],
    *,
    now: datetime | None = None,
    tolerance: float = TOLERANCE,
) -> Event:
    """Return the event of a webhook. Raise InvalidSignature if the service did not sign it with one of the secrets.

    `body` is what came over the network, byte for byte: JSON that is parsed and written again has another signature.
    Give two secrets while one is being replaced. The event's `id` is the `webhook-id`, the same for every attempt:
    handle each id once. An unknown type is returned like any other. `tolerance` is in seconds; `now` is for tests.
    Raise Unreadable if what was signed is not an event, and ValueError if a secret is not one.
    """
    if not isinstance(body, bytes):
        raise TypeError("the body must be the bytes of the request")
    given = {name.lower(): value for name, value in headers.items()}
    event_id = given.get("webhook-id", "")
    timestamp = given.get("webhook-timestamp", "")
    signatures = given.get("webhook-signature", "")
    if not (event_id and timestamp and signatures):
        raise InvalidSignature("a header is missing: webhook-id, -timestamp or -signature")
    _check_time(timestamp, time.time() if now is None else now.timestamp(), tolerance)
    known = [secrets] if isinstance(secrets, str) else secrets
    expected = [signature(secret, event_id, timestamp, body) for secret in known]
    if not _any_equal(signatures.split(), expected):
        raise InvalidSignature("no signature is that of a known secret")
    return _event(event_id, body)


def sign(body: bytes, secret: str, event_id: str, now: datetime) -> dict[str, str]:
    """Return the headers with which the service would send a body. For the tests of a receiver."""
    timestamp = str(int(now.timestamp()))
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature(secret, event_id, timestamp, body),
    }


def signature(secret: str, event_id: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a body. Raise ValueError, without the secret, if that is not a secret."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("a webhook secret is not valid base64") from None
    if not key:
        raise ValueError("a webhook secret is empty")
    signed = f"{event_id}.{timestamp}.".encode("utf-8", "replace") + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return f"{VERSION},{base64.b64encode(digest).decode()}"


def _check_time(timestamp: str, now: float, tolerance: float) -> None:
    """Refuse what was recorded and is sent again, and what is from the future."""
    if not re.fullmatch(r"[0-9]{1,15}", timestamp):
        raise InvalidSignature("webhook-timestamp is not a number")
    if abs(now - int(timestamp)) > tolerance:
        raise InvalidSignature("webhook-timestamp is too far from the time of this machine")


def _any_equal(given: Sequence[str], expected: Sequence[str]) -> bool:
    """Compare each pair in constant time, and all of them: how long it takes says nothing about a signature."""
    matches = [
        hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())
        for one in given
        for other in expected
    ]
    return any(matches)


def _event(event_id: str, body: bytes) -> Event:
    try:
        return Event.from_dict({**json.loads(body), "id": event_id})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unreadable("the body of a signed webhook is not an event") from error
