"""Tokens in our public addresses: those of Clio's webhooks, and the `state` of an attempt to connect.

A token has a keyed check, so an invented one is refused without asking the database. Tokens of the release before had
none; they are looked up, not too often, until they have expired.
"""

import asyncio
import base64
import hmac
import re
import secrets
from enum import StrEnum

from app.clio import webhooks
from app.crypto import keyed_hash
from app.errors import AppError
from app.sync.request_checks import AddressKey
from app.sync.services import Services

# The release before may run for some time after the key was made, and its addresses work as long again.
UNCHECKED_TOKENS_LAST = 2 * webhooks.LIFETIME
_UNCHECKED = re.compile(r"[\w-]{43}", re.ASCII)


class TooManyLookups(AppError):
    """Too many tokens without a check are asked for, so that one that exists cannot be told from an invented one."""

    status = 503
    code = "too_many_lookups"
    title = "Too many requests at addresses of this kind; try again in a minute"


class Purpose(StrEnum):
    """What a token is for: it is invalid elsewhere. Stored tokens were made with these words: do not change them."""

    HOOK = "hook"
    STATE = "state"


def new_token(services: Services, purpose: Purpose) -> str:
    """Return a new secret token with its check. Raises DatabaseUnavailable before the key was loaded."""
    token_id = secrets.token_urlsafe(32)
    return f"{token_id}.{_check(services.request_checks.address_key(), purpose, token_id)}"


def may_exist(services: Services, purpose: Purpose, token: str) -> bool:
    """Return False for a token that was certainly invented. Call it before the token is looked up.

    Raises TooManyLookups, and DatabaseUnavailable before the key was loaded.
    """
    checks = services.request_checks
    key = checks.address_key()
    token_id, _, check = token.partition(".")
    if check:
        right = _check(key, purpose, token_id)
        return hmac.compare_digest(right.encode(), check.encode())
    if not _UNCHECKED.fullmatch(token) or services.now() > key.made_at + UNCHECKED_TOKENS_LAST:
        return False
    if not checks.lookups[purpose].take(asyncio.get_running_loop().time()):
        raise TooManyLookups(headers={"Retry-After": "60"})
    return True


def _check(key: AddressKey, purpose: Purpose, token_id: str) -> str:
    digest = keyed_hash(key.secret, f"{purpose}/{token_id}")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
