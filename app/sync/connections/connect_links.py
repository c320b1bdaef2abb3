"""Connect links: a page that a user is sent, at which the user can connect until the link ends [T3]."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.clio.regions import Region
from app.crypto import hash_secret
from app.db.accounts import accounts, audit
from app.db.accounts.audit import Actor, AuditAction
from app.db.connections import connect_links, users_logins
from app.db.connections.connect_links import ConnectLink
from app.db.connections.connections import Connection, Status
from app.db.ids import new_id
from app.db.session import transaction
from app.errors import AppError
from app.sync.checked_tokens import Purpose, may_exist, new_token
from app.sync.connections.oauth_login import end_begun
from app.sync.connections.oauth_start import (
    RegionNotOffered,
    ReturnUrlRefused,
    StartedAttempt,
    UnknownUser,
    Wish,
    check_may_connect,
    check_wish,
    start_connecting,
)
from app.sync.lookups import find_connect_link
from app.sync.services import Services


class LinkEnded(AppError):
    """The connect link does not exist, has expired or was ended."""

    status = 404
    code = "connect_link_ended"
    title = "This link has ended, or it is not complete"
    next_step = "ask the person who sent it for a new one"


@dataclass(frozen=True)
class CreatedLink:
    """A new connect link. Its address contains the token and is shown once."""

    link_id: str
    url: str
    expires_at: datetime


@dataclass(frozen=True)
class LinkPage:
    """What the page of a connect link says: the firm, the user, and the login that is connected, if one is."""

    account_name: str
    user_name: str
    region: Region
    time_zone: str
    connected: Connection | None


async def create_link(
    services: Services, account_id: str, wish: Wish, *, life: timedelta, actor: Actor
) -> CreatedLink:
    """Make a link for a user. Raises RegionNotOffered, ReturnUrlRefused, IntegrationNotEnabled, UnknownUser."""
    check_wish(services, wish)
    token, now = new_token(services, Purpose.LINK), services.now()
    link = ConnectLink(
        account_id=account_id,
        link_id=new_id("lnk", now),
        token_hash=hash_secret(token),
        user_id=wish.user_id,
        region=wish.region,
        return_url=wish.return_url,
        created_at=now,
        expires_at=now + life,
    )
    async with transaction(services.database, account_id) as session:
        await check_may_connect(session, account_id, wish.user_id)
        await connect_links.add_link(session, link)
        action = AuditAction("connect_link.created", link.link_id, {"user_id": wish.user_id})
        await audit.record(session, account_id, actor, action, now=now)
    return CreatedLink(link.link_id, f"{services.public_url}/oauth/links/{token}", link.expires_at)


async def end_link(services: Services, account_id: str, link_id: str, *, actor: Actor) -> None:
    """End a link, and what its user has begun; repeating is harmless. Raises ConnectLinkNotFound."""
    now = services.now()
    async with transaction(services.database, account_id) as session:
        await accounts.share_account(session, account_id)
        user_id = await connect_links.end_link(session, account_id, link_id, now=now)
        if user_id is None:
            return
        if login := await users_logins.find_of_user(session, account_id, user_id):
            await end_begun(session, services, account_id, login.connection_id)
        action = AuditAction("connect_link.ended", link_id)
        await audit.record(session, account_id, actor, action, now=now)


async def open_link(services: Services, token: str) -> LinkPage:
    """Return what the page of a link says; raises LinkEnded."""
    link = await _find(services, token)
    async with transaction(services.database, link.account_id) as session:
        account = await accounts.get_account(session, link.account_id)
        user = await accounts.find_user(session, link.account_id, link.user_id)
        login = await users_logins.find_of_user(session, link.account_id, link.user_id)
    if user is None:
        raise LinkEnded
    works = login is not None and login.status is Status.CONNECTED
    return LinkPage(
        account_name=account.fields.name,
        user_name=user.name,
        region=Region(link.region),
        time_zone=account.fields.time_zone,
        connected=login if works else None,
    )


async def start_from_link(services: Services, token: str, *, browser: Actor) -> StartedAttempt:
    """Begin to connect the user of a link; the audit keeps the browser's request.

    Raises LinkEnded, IntegrationNotEnabled.
    """
    link = await _find(services, token)
    wish = Wish(link.user_id, Region(link.region), link.return_url)
    try:
        return await start_connecting(
            services, link.account_id, wish, actor=browser, details={"link_id": link.link_id}
        )
    except (RegionNotOffered, ReturnUrlRefused, UnknownUser) as error:  # changed since it was sent
        raise LinkEnded from error


async def _find(services: Services, token: str) -> ConnectLink:
    if not may_exist(services, Purpose.LINK, token):
        raise LinkEnded
    link = await find_connect_link(services, hash_secret(token))
    if link is None or not link.works(services.now()):
        raise LinkEnded
    return link
