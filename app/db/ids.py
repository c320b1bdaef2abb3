"""Ids of this service: opaque to callers, with a short prefix for readers."""

import secrets
import uuid
from datetime import datetime

_NAMESPACE = uuid.UUID("6f5a4f0e-7a55-5d43-9c52-6d6c6bb1a7d1")


def new_id(prefix: str, now: datetime) -> str:
    """Return a new id; ids with one prefix sort by the time at which they were made."""
    return f"{prefix}_{int(now.timestamp() * 1000):012x}{secrets.token_hex(8)}"


def derived_id(prefix: str, *parts: str | int) -> str:
    """Return the id that follows from its parts, so that the same thing always has the same id [NC-8]."""
    return f"{prefix}_{uuid.uuid5(_NAMESPACE, '/'.join(map(str, parts))).hex}"
