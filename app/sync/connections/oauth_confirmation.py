"""The question whether a Clio login belongs to the user, and its answer [T3].

It is asked where Clio and the directory do not have the same e-mail address. Until the answer, only the sealed attempt
and the revocation that is owed are stored.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from app.clio.errors import ClioReauthRequired
from app.db.accounts import accounts
from app.db.accounts.audit import Actor
from app.db.connections import attempts, connections, revocations, users_logins
from app.db.connections.attempts import OAuthAttempt
from app.db.connections.connections import Connection
from app.db.session import Session, transaction
from app.db.system import system_transaction
from app.sync.checked_tokens import form_token, is_form_token
from app.sync.connections.oauth_attempt import (
    DECLINED,
    OtherBrowser,
    StateUnknown,
    check_browser,
    check_same_browser,
    end_address,
    get_attempt,
    origin_of,
)
from app.sync.connections.oauth_login import ApprovedLogin, Issued, fail, store_login, with_outcome
from app.sync.connections.tokens import open_tokens
from app.sync.services import Services

BATCH_SIZE = 100  # attempts ended in one tick
_NOT_CONFIRMED = "Nobody confirmed that this Clio login belongs to the user"


@dataclass(frozen=True)
class Question:
    """The names of those who are about to be connected, None where missing; the time for an answer ends at `until`."""

    account_name: str
    clio_name: str | None
    clio_email: str | None
    clio_firm: str | None
    user_name: str
    user_email: str | None
    other_user: str | None  # who has connected this login before
    until: datetime
    return_origin: str
    form_token: str


async def ask_person(services: Services, state: str, browser_proof: str) -> Question:
    """Return the question of an attempt that waits for an answer; raises StateUnknown if it does not wait."""
    attempt = await get_attempt(services, state)
    if attempt.answer_until is None:
        raise StateUnknown
    approved = ApprovedLogin.open(services.cipher, attempt)
    async with transaction(services.database, attempt.account_id) as session:
        account = await accounts.get_account(session, attempt.account_id)
        connection = await connections.get_connection(
            session, attempt.account_id, attempt.connection_id
        )
        user = await accounts.find_user(session, attempt.account_id, connection.user_id)
        other = await users_logins.find_other_with(session, connection, approved.login)
        other_user = await _name_of(session, other) if other else None
    return Question(
        account_name=account.fields.name,
        clio_name=approved.login.name,
        clio_email=approved.login.email,
        clio_firm=approved.firm.name,
        user_name=user.name if user else connection.user_id,
        user_email=user.email if user else None,
        other_user=other_user,
        until=attempt.answer_until,
        return_origin=origin_of(attempt.return_url),
        form_token=form_token(services, state, browser_proof),
    )


async def _name_of(session: Session, connection: Connection) -> str:
    user = await accounts.find_user(session, connection.account_id, connection.user_id)
    return user.name if user else connection.user_id


@dataclass(frozen=True)
class Answer:
    """A person's answer, the token of the form that it came with, and the browser's cookie for this attempt.

    `browser` has the id and the address of the request, for the audit.
    """

    state: str
    is_yes: bool
    form_token: str
    browser_proof: str
    browser: Actor


async def answer_question(services: Services, answer: Answer) -> str:
    """Connect the login or revoke it, and return the URL that the browser must go to.

    The same answer again ends as the first one did. Raises OtherBrowser, StateUnknown.
    """
    check_browser(services, answer.state, answer.browser_proof)
    if not is_form_token(services, answer.state, answer.browser_proof, answer.form_token):
        raise OtherBrowser
    attempt = await get_attempt(services, answer.state)
    check_same_browser(attempt, answer.browser_proof)
    if attempt.answer_until is None:
        return end_address(services, attempt)
    if not answer.is_yes or attempt.answer_until < services.now():
        return await fail(services, attempt, DECLINED, _NOT_CONFIRMED)
    return await with_outcome(
        services, attempt, partial(_store_confirmed, services, attempt, answer)
    )


async def _store_confirmed(services: Services, attempt: OAuthAttempt, answer: Answer) -> None:
    approved = ApprovedLogin.open(services.cipher, attempt)
    async with transaction(services.database, attempt.account_id) as session:
        owed = await revocations.find_owed(session, attempt.account_id, attempt.revocation_id or "")
    if owed is None:
        raise ClioReauthRequired(
            "Connecting took too long; the user must start it once more from Levitate"
        )
    tokens = open_tokens(services.cipher, owed, owed.sealed_tokens)
    issued = Issued(tokens, owed, approved, answer.browser)
    await store_login(services, attempt, issued, confirmed_by="person")


async def decline_unanswered(services: Services) -> int:
    """End attempts for which nobody has answered in time, as if a person had refused; return how many.

    The scheduler calls it.
    """
    async with system_transaction(services.database) as session:
        overdue = await attempts.list_unanswered(session, limit=BATCH_SIZE, now=services.now())
    for attempt in overdue:
        await fail(services, attempt, DECLINED, _NOT_CONFIRMED)
    return len(overdue)
