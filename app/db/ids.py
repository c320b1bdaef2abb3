"""Ids of this service: opaque to callers, with a short prefix for readers."""

import secrets
import uuid
from datetime import datetime

_NAMESPACE = uuid.UUID("6f5a4f0e-7a55-5d43-9c52-6d6c6bb1a7d1")


def new_id(prefix: str, now: datetime) -> str:
    """Return a new id; ids with one prefix sort by the time at which they were made."""
    return f"{_beginning(prefix, now)}{secrets.token_hex(8)}"


def ids_since(prefix: str, moment: datetime) -> str:
    """Return a text that sorts before each id that `new_id` made in the millisecond of this moment, or later."""
    return _beginning(prefix, moment)


def ids_until(prefix: str, moment: datetime) -> str:
    """Return a text that sorts after each id that `new_id` made before this moment."""
    return _beginning(prefix, moment) + "g"


def _beginning(prefix: str, moment: datetime) -> str:
    return f"{prefix}_{max(0, int(moment.timestamp() * 1000)):012x}"


def derived_id(prefix: str, *parts: str | int) -> str:
    """Return the id that follows from its parts, so that the same thing always has the same id [NC-8]."""
    return f"{prefix}_{uuid.uuid5(_NAMESPACE, '/'.join(map(str, parts))).hex}"
