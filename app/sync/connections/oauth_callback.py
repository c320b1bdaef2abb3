"""The return of the browser from Clio: checks it, gets tokens for the code, and finds out whose login it is [T3].

Only a browser that began the attempt spends it, and only that one goes on. The `state` is marked as used first, in its
own transaction, so that it can never be used again.
"""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

from app.clio.errors import ClioError
from app.clio.oauth import Tokens
from app.crypto import hash_secret
from app.db.accounts import accounts
from app.db.accounts.accounts import AccountNotFound, ClioAccountMismatch
from app.db.accounts.audit import Actor
from app.db.connections import attempts, connections, revocations, users_logins
from app.db.connections.attempts import OAuthAttempt
from app.db.connections.connections import ConnectionNotFound
from app.db.connections.revocations import Revocation
from app.db.session import Session, transaction
from app.errors import DatabaseUnavailable
from app.rules.attorneys import LevitateUser
from app.sync.connections.clients import clio_for_new_login, offered_region
from app.sync.connections.oauth_attempt import (
    ATTEMPT_LIFETIME,
    DECLINED,
    EXCHANGE_FAILED,
    INVALID_STATE,
    WRONG_REGION,
    AnswerUnclear,
    StateUnknown,
    StillConnecting,
    check_browser,
    check_same_browser,
    end_address,
    open_verifier,
    redirect_uri,
    return_address,
)
from app.sync.connections.oauth_login import (
    ApprovedLogin,
    Issued,
    fail,
    is_bound_to,
    store_login,
    with_outcome,
)
from app.sync.connections.tokens import seal_tokens
from app.sync.lookups import use_attempt
from app.sync.services import Services

TIME_TO_STORE = timedelta(minutes=5)  # a login that is not stored by then counts as failed


@dataclass(frozen=True)
class Callback:
    """The query parameters with which Clio sent the browser back, and the browser's cookie for this attempt.

    `browser` has the id and the address of the request, for the audit.
    """

    state: str
    code: str | None = field(repr=False)
    error: str | None
    issuer: str | None
    browser_proof: str = field(repr=False)
    browser: Actor


async def finish_connecting(services: Services, callback: Callback) -> str | None:
    """Complete an attempt and return the URL that the browser must go to, or None if a person must confirm the login.

    The same callback again ends as the first one did. Raises StateUnknown, OtherBrowser, AnswerUnclear,
    StillConnecting.
    """
    check_browser(services, callback.state, callback.browser_proof)
    if callback.code is not None and callback.error is not None:
        raise AnswerUnclear
    now = services.now()
    browser = hash_secret(callback.browser_proof)
    attempt = await use_attempt(
        services, hash_secret(callback.state), browser_hash=browser, now=now
    )
    if attempt is None:
        raise StateUnknown
    if attempt.used_at is not None:
        check_same_browser(attempt, callback.browser_proof)
        return await _repeat(services, attempt)
    if attempt.expires_at < now:
        return await _expire(services, attempt)
    if callback.issuer not in (None, offered_region(services, attempt.region).app.origin):
        text = f"The answer came from another issuer than Clio in the region {attempt.region}"
        return await fail(services, attempt, WRONG_REGION, text)
    if callback.code is None:
        outcome = DECLINED if callback.error == "access_denied" else EXCHANGE_FAILED
        return await fail(services, attempt, outcome, "Clio did not grant access")
    return await _exchange(services, attempt, callback)


async def _repeat(services: Services, attempt: OAuthAttempt) -> str | None:
    """Return where the first callback of this attempt ended."""
    if attempt.outcome is not None:
        return end_address(services, attempt)
    if attempt.answer_until is not None:
        return None
    if attempt.used_at is not None and services.now() - attempt.used_at < TIME_TO_STORE:
        raise StillConnecting
    raise StateUnknown


async def _expire(services: Services, attempt: OAuthAttempt) -> str:
    async with transaction(services.database, attempt.account_id) as session:
        await attempts.end_attempt(session, attempt, INVALID_STATE, now=services.now())
    return return_address(attempt, INVALID_STATE)


async def _exchange(services: Services, attempt: OAuthAttempt, callback: Callback) -> str | None:
    """Get tokens for the code and store the login, or have a person confirm it.

    If a step after that fails, the tokens are revoked at Clio.
    """
    is_waiting = False

    async def exchange() -> None:
        nonlocal is_waiting
        tokens = await _redeem_code(services, attempt, callback)
        owed = await _owe_issued(services, attempt, tokens)
        try:
            me = await clio_for_new_login(services, attempt.region, tokens).who_am_i()
            issued = Issued(tokens, owed, ApprovedLogin.of(attempt.region, me), callback.browser)
            confirmed_by = await _find_confirmation(services, attempt, issued)
            is_waiting = confirmed_by is None
            if confirmed_by is not None:
                await store_login(services, attempt, issued, confirmed_by=confirmed_by)
        except (ClioError, ClioAccountMismatch, AccountNotFound):
            async with transaction(services.database, attempt.account_id) as session:
                await revocations.bring_forward(session, owed, now=services.now())
            raise

    address = await with_outcome(services, attempt, exchange)
    return None if is_waiting else address


async def _redeem_code(services: Services, attempt: OAuthAttempt, callback: Callback) -> Tokens:
    return await offered_region(services, attempt.region).oauth.exchange(
        callback.code or "",
        redirect_uri=redirect_uri(services),
        code_verifier=open_verifier(services.cipher, attempt),
        now=services.now(),
    )


async def _owe_issued(services: Services, attempt: OAuthAttempt, tokens: Tokens) -> Revocation:
    """Owe Clio the revocation of new tokens until their login is stored, so that no failure in between loses them."""
    try:
        async with transaction(services.database, attempt.account_id) as session:
            stored = await connections.get_connection(
                session, attempt.account_id, attempt.connection_id
            )
            login = replace(stored, region=attempt.region, login=None)
            sealed = seal_tokens(services.cipher, login, tokens)
            return await revocations.owe(
                session, login, sealed, now=services.now(), after=TIME_TO_STORE
            )
    except (DatabaseUnavailable, ConnectionNotFound):  # this is the only chance
        with suppress(ClioError):
            await offered_region(services, attempt.region).oauth.deauthorize(tokens)
        raise


async def _find_confirmation(
    services: Services, attempt: OAuthAttempt, issued: Issued
) -> str | None:
    """Return what shows that the login belongs to the user; None if a person must say so, for which it now waits.

    Raises ClioAccountMismatch if the login is of another firm, so that nobody is asked in vain.
    """
    until, owed = services.now() + ATTEMPT_LIFETIME, issued.owed
    async with transaction(services.database, attempt.account_id) as session:
        await accounts.check_firm(session, attempt.account_id, issued.approved.firm)
        shown_by = await _what_shows_it(session, attempt, issued.approved)
        if shown_by is None:
            sealed = issued.approved.seal(services.cipher, attempt)
            await attempts.wait_for_answer(
                session, attempt, sealed, revocation_id=owed.revocation_id, until=until
            )
            await revocations.postpone(session, owed, until=until)
            await connections.extend_reconnect(session, attempt, until=until)
    return shown_by


async def _what_shows_it(
    session: Session, attempt: OAuthAttempt, approved: ApprovedLogin
) -> str | None:
    account_id = attempt.account_id
    connection = await connections.get_connection(session, account_id, attempt.connection_id)
    if is_bound_to(connection, attempt.region, approved.login):
        return "same_clio_user"
    if await users_logins.find_other_with(session, connection, approved.login) is not None:
        return None  # it is somebody else's already
    user = await accounts.find_user(session, account_id, connection.user_id)
    return "same_email" if have_same_email(approved, user) else None


def have_same_email(approved: ApprovedLogin, user: LevitateUser | None) -> bool:
    """Return whether Clio and the directory have the same address for a person; a missing one counts as different."""
    in_clio = _compared(approved.login.email)
    return in_clio != "" and in_clio == _compared(user.email if user else None)


def _compared(address: str | None) -> str:
    """Return an address without spaces around it and, if it is ASCII, without regard to case.

    Other letters would become equal to ASCII ones that are not theirs, as the long s does.
    """
    trimmed = (address or "").strip()
    return trimmed.casefold() if trimmed.isascii() else trimmed
