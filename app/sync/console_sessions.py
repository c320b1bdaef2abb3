"""Links to the console, and the sessions that begin with them.

A link works once and for five minutes. Its session lasts eight hours, ends when it is signed out of, and never outlives
the service token that made the link.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.crypto import hash_secret
from app.db.accounts import accounts, audit, console_sessions
from app.db.accounts.audit import Actor, AuditAction
from app.db.accounts.console_sessions import ConsoleSession
from app.db.session import transaction
from app.db.system import system_transaction
from app.errors import AppError
from app.sync.checked_tokens import Purpose, may_exist, new_token
from app.sync.services import Services

LINK_LIFE = timedelta(minutes=5)
SESSION_LIFE = timedelta(hours=8)


class ConsoleLinkUnknown(AppError):
    """There is no such link to the console."""

    status = 404
    code = "console_link_unknown"
    title = "This link to the console is not complete, or it does not exist"
    next_step = "open the console again from Levitate"


class ConsoleLinkUsed(AppError):
    """The link was opened before, in this browser or in another one."""

    status = 410
    code = "console_link_used"
    title = "This link was already used"
    next_step = "open the console again from Levitate; each link opens it once, in one browser"


class ConsoleLinkExpired(AppError):
    """The five minutes of the link are over."""

    status = 410
    code = "console_link_expired"
    title = "This link has expired"
    next_step = "open the console again from Levitate; a link works for 5 minutes"


@dataclass(frozen=True)
class Visitor:
    """The person for whom a link is made: the id and the role that Levitate's backend asserts, and a name to show."""

    user_id: str
    role: str
    name: str | None = None


@dataclass(frozen=True)
class CreatedConsoleLink:
    """A new link to the console. Its address contains the token and is shown once."""

    url: str
    expires_at: datetime


@dataclass(frozen=True)
class OpenedConsole:
    """A session that began: what its cookie contains, and the account at which it begins (None: all of the token)."""

    cookie: str
    account_id: str | None


async def create_account_link(
    services: Services, account_id: str, visitor: Visitor, *, actor: Actor
) -> CreatedConsoleLink:
    """Make a link to the console of one account, and audit it. Raises AccountNotFound."""
    token, link = _new_link(services, account_id, visitor, actor)
    async with transaction(services.database, account_id) as session:
        await accounts.share_account(session, account_id)
        await console_sessions.add_link(session, link)
        action = AuditAction("console_link.created", visitor.user_id, {"role": visitor.role})
        await audit.record(session, account_id, actor, action, now=services.now())
    return _created(services, token, link)


async def create_fleet_link(
    services: Services, visitor: Visitor, *, actor: Actor
) -> CreatedConsoleLink:
    """Make a link to the console of all accounts that the caller's token may see, and audit it."""
    token, link = _new_link(services, None, visitor, actor)
    async with system_transaction(services.database) as session:
        await console_sessions.add_link(session, link)
        action = AuditAction("console_link.created", visitor.user_id, {"role": visitor.role})
        await audit.record_of_service(session, actor, action, now=services.now())
    return _created(services, token, link)


async def open_console(services: Services, token: str) -> OpenedConsole:
    """Use a link up and begin its session. Raises ConsoleLinkUnknown, ConsoleLinkUsed or ConsoleLinkExpired."""
    if not may_exist(services, Purpose.CONSOLE, token):
        raise ConsoleLinkUnknown
    now, link_hash, cookie = (
        services.now(),
        hash_secret(token),
        new_token(services, Purpose.SESSION),
    )
    async with system_transaction(services.database) as session:
        link = await console_sessions.find_link(session, link_hash)
        if link is None or not services.request_checks.is_valid(link.token_id, now=now):
            raise ConsoleLinkUnknown
        if link.opened_at is not None:
            raise ConsoleLinkUsed
        if link.link_expires_at <= now:
            raise ConsoleLinkExpired
        until = now + SESSION_LIFE
        await console_sessions.open_session(
            session, link_hash, hash_secret(cookie), now=now, until=until
        )
    return OpenedConsole(cookie, link.only_account_id)


async def find_session(services: Services, cookie: str) -> ConsoleSession | None:
    """Return the session of a cookie if it works and its service token is still valid."""
    if not may_exist(services, Purpose.SESSION, cookie):
        return None
    now = services.now()
    async with system_transaction(services.database) as session:
        found = await console_sessions.find_by_cookie(session, hash_secret(cookie))
    if found is None or not found.works(now):
        return None
    return found if services.request_checks.is_valid(found.token_id, now=now) else None


async def sign_out(services: Services, cookie: str) -> None:
    """End the session of a cookie."""
    async with system_transaction(services.database) as session:
        await console_sessions.end_session(session, hash_secret(cookie), now=services.now())


def _new_link(
    services: Services, account_id: str | None, visitor: Visitor, actor: Actor
) -> tuple[str, ConsoleSession]:
    token = new_token(services, Purpose.CONSOLE)
    until = services.now() + LINK_LIFE
    link = ConsoleSession(
        only_account_id=account_id,
        link_hash=hash_secret(token),
        token_id=actor.token_id or "",
        user_id=visitor.user_id,
        user_name=visitor.name,
        role=visitor.role,
        link_expires_at=until,
        expires_at=until,
    )
    return token, link


def _created(services: Services, token: str, link: ConsoleSession) -> CreatedConsoleLink:
    url = f"{services.public_url}/console/open/{token}"
    return CreatedConsoleLink(url, link.link_expires_at)
