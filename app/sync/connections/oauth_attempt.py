"""Errors, outcomes and checks that the steps of an attempt to connect share, and the address at its end [AU-2].

The steps are `oauth_start`, `oauth_callback` and `oauth_confirmation`; `oauth_login` stores the login.
"""

import hmac
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from app.crypto import TokenCipher, hash_secret
from app.db.connections.attempts import OAuthAttempt
from app.errors import AppError
from app.sync.checked_tokens import Purpose, is_browser_proof, may_exist
from app.sync.lookups import find_attempt
from app.sync.services import Services

ATTEMPT_LIFETIME = timedelta(minutes=10)  # also the time for an answer, and for repeating the end
CONNECTED = "connected"
DECLINED = "declined"
MISMATCH = "clio_account_mismatch"
EXCHANGE_FAILED = "exchange_failed"
WRONG_REGION = "wrong_region"
INVALID_STATE = "invalid_state"
_VERIFIER = "sealed_verifier"


class StateUnknown(AppError):
    """The `state` is unknown, has expired or was used before. Nothing was sent to Clio [AU-2]."""

    status = 400
    code = "invalid_state"
    title = "This link is not valid, has expired or was used before"
    next_step = "go back to Levitate and start there to connect to Clio"


class OtherBrowser(AppError):
    """The browser did not begin this attempt. Nothing was used up, and nothing was sent to Clio [T3, RFC 9700]."""

    status = 400
    code = "other_browser"
    title = "This browser did not begin to connect"
    next_step = (
        "finish in the browser in which you began, and allow its cookies, or go back to Levitate and start there to"
        " connect to Clio"
    )


class AnswerUnclear(AppError):
    """Clio's answer is ambiguous: a parameter occurs twice, or it has a code and an error. Nothing was used up."""

    status = 400
    code = "answer_unclear"
    title = "Clio's answer contradicts itself, so nothing was connected"
    next_step = "go back to Levitate and start there to connect to Clio"


class StillConnecting(AppError):
    """The same answer of Clio is being handled by another request."""

    status = 409
    code = "still_connecting"
    title = "This login is being connected"
    next_step = "the page loads again by itself; wait for it"


def check_browser(services: Services, state: str, proof: str) -> None:
    """Raise StateUnknown for an invented state, and OtherBrowser unless the browser began this attempt.

    It asks no database.
    """
    if not may_exist(services, Purpose.STATE, state):
        raise StateUnknown
    if not is_browser_proof(services, state, proof):
        raise OtherBrowser


def check_same_browser(attempt: OAuthAttempt, proof: str) -> None:
    """Raise OtherBrowser unless this browser has used the attempt.

    Somebody who has opened its address, too, has a valid cookie of it, but must not answer for the login of another.
    """
    if not hmac.compare_digest(attempt.browser_hash or "", hash_secret(proof)):
        raise OtherBrowser


async def get_attempt(services: Services, state: str) -> OAuthAttempt:
    """Return the attempt of this state; raises StateUnknown."""
    attempt = await find_attempt(services, hash_secret(state))
    if attempt is None:
        raise StateUnknown
    return attempt


def end_address(services: Services, attempt: OAuthAttempt) -> str:
    """Return where an attempt that has ended sends its browser again; raises StateUnknown after ten minutes."""
    if attempt.outcome is None or attempt.ended_at is None:
        raise StateUnknown
    if services.now() - attempt.ended_at > ATTEMPT_LIFETIME:
        raise StateUnknown
    return return_address(attempt, attempt.outcome)


def return_address(attempt: OAuthAttempt, outcome: str) -> str:
    """Return the caller's URL with the outcome as its only parameter `clio`."""
    parts = urlsplit(attempt.return_url)
    own = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode([*(one for one in own if one[0] != "clio"), ("clio", outcome)])
    return urlunsplit(parts._replace(query=query))


def seal_verifier(cipher: TokenCipher, state_hash: str, verifier: str) -> str:
    """Return the PKCE verifier, sealed for the row of this attempt. Attempts that wait contain its place."""
    return cipher.seal({"verifier": verifier}, row=state_hash, column=_VERIFIER)


def open_verifier(cipher: TokenCipher, attempt: OAuthAttempt) -> str:
    """Return the PKCE verifier of an attempt. Raises DecryptionFailed if no key fits."""
    opened = cipher.open(attempt.sealed_verifier, row=attempt.state_hash, column=_VERIFIER)
    return opened["verifier"]


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def redirect_uri(services: Services) -> str:
    """Return the address to which Clio sends the browser back; it is registered with Clio."""
    return f"{services.public_url}/oauth/clio/callback"
