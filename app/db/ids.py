"""How our ids are made: opaque to callers, a short prefix for the eye."""

import secrets
import uuid
from datetime import datetime

_NAMESPACE = uuid.UUID("6f5a4f0e-7a55-5d43-9c52-6d6c6bb1a7d1")


def new_id(prefix: str, now: datetime) -> str:
    """A new id; ids of one prefix sort by the time of their making."""
    return f"{prefix}_{int(now.timestamp() * 1000):012x}{secrets.token_hex(8)}"


def derived_id(prefix: str, *parts: str | int) -> str:
    """The id that follows from what it names, so that the same thing has the same id for ever [NC-8]."""
    return f"{prefix}_{uuid.uuid5(_NAMESPACE, '/'.join(map(str, parts))).hex}"
