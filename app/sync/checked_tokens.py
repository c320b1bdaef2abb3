"""Tokens in our public addresses and cookies: of Clio's webhooks, of links, of attempts, of sessions of the console.

A token has a keyed check, so an invented one is refused without asking the database. Addresses for webhooks that an
earlier release made had none; they are looked up, not too often, until they have expired.
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
    title = "Too many requests at addresses of this kind"
    next_step = "try again in a minute"


class Purpose(StrEnum):
    """What a token is for: it is invalid elsewhere. Stored tokens were made with these words: do not change them."""

    HOOK = "hook"
    STATE = "state"
    LINK = "link"
    CONSOLE = "console"
    SESSION = "session"


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
    is_unchecked_hook = purpose is Purpose.HOOK and _UNCHECKED.fullmatch(token)
    if not is_unchecked_hook or services.now() > key.made_at + UNCHECKED_TOKENS_LAST:
        return False
    if not checks.lookups[purpose].take(asyncio.get_running_loop().time()):
        raise TooManyLookups(headers={"Retry-After": "60"})
    return True


def new_browser_proof(services: Services, state: str) -> str:
    """Return what a browser keeps in a cookie while it connects: it proves later that it began this attempt [T3].

    Each browser gets another one. Raises DatabaseUnavailable before the key was loaded.
    """
    nonce = secrets.token_urlsafe(16)
    return f"{nonce}.{_proof_check(services, nonce, state)}"


def is_browser_proof(services: Services, state: str, proof: str) -> bool:
    """Return whether the browser with this cookie began the attempt."""
    nonce, _, check = proof.partition(".")
    return hmac.compare_digest(_proof_check(services, nonce, state).encode(), check.encode())


def form_token(services: Services, state: str, proof: str) -> str:
    """Return what a form for this browser contains, so that no other site can send the form (CSRF)."""
    return _check(services.request_checks.address_key(), "form", f"{proof}/{state}")


def is_form_token(services: Services, state: str, proof: str, token: str) -> bool:
    """Return whether the form was made for this browser."""
    return hmac.compare_digest(form_token(services, state, proof).encode(), token.encode())


def _proof_check(services: Services, nonce: str, state: str) -> str:
    return _check(services.request_checks.address_key(), "browser", f"{nonce}/{state}")


def _check(key: AddressKey, purpose: str, token_id: str) -> str:
    digest = keyed_hash(key.secret.get_secret_value(), f"{purpose}/{token_id}")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
