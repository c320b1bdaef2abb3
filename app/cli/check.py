"""`levitate-clio check`: what is missing or wrong before `serve` can do its work, and what will not work.

It changes nothing. It reports everything that it finds, not only the first mistake.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from app.cli.database import (
    check_database,
    running_database,
    unavailable_text,
    with_open_database,
)
from app.cli.startup import add_keys
from app.clio.regions import Region, origin_of
from app.config import Config
from app.db.accounts import service_tokens
from app.db.accounts.service_tokens import ValidTokens
from app.db.encryption import Encryption, find_encryption
from app.db.roles import Users, find_faults, find_users
from app.db.session import Database
from app.db.system import system_transaction
from app.errors import CannotStart, DatabaseUnavailable
from app.main import now

PUBLIC_URL = "LEVITATE_CLIO_PUBLIC_URL"
WRITE_DEADLINE = 30  # seconds


class Level(StrEnum):
    """The weight of a finding; each is the first word of its line."""

    OK = "ok"
    NONE = "none"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One line of the report. `serve` cannot do its work while a finding is wrong."""

    level: Level
    text: str


def find(config: Config) -> Iterator[Finding]:
    """Yield what is right, missing and wrong, in the order of the setup. Reads the database and calls each region."""
    yield from _regions(config)
    yield from _browsers(config)
    yield from _times(config)
    yield from _database(config)


def _regions(config: Config) -> Iterator[Finding]:
    if not config.regions:
        yield Finding(
            Level.WRONG,
            "no region is configured, so no user can connect: set LEVITATE_CLIO_REGIONS__US__CLIENT_ID and"
            " …__US__CLIENT_SECRET, or those of another region",
        )
    for region in Region:
        yield _region(config, region)


def _region(config: Config, region: Region) -> Finding:
    registered = config.regions.get(region.value)
    if registered is None:
        return Finding(Level.NONE, f"region {region}: not configured (no client id and secret)")
    origin = registered.origin or origin_of(region)
    try:
        with httpx.stream("GET", origin, timeout=10, follow_redirects=False, trust_env=False):
            pass  # the body is not read: only the host is checked
    except httpx.HTTPError as error:
        reason = type(error).__name__
        advice = "check the network, and LEVITATE_CLIO_REGIONS__…__ORIGIN if it is set"
        return Finding(
            Level.WRONG, f"region {region}: {origin} cannot be reached ({reason}); {advice}"
        )
    own = "" if registered.origin is None else "; it is not Clio's own host"
    return Finding(Level.OK, f"region {region}: {origin} responds{own}")


def _browsers(config: Config) -> Iterator[Finding]:
    """Yield whether browsers find the way from Clio to the service, and from there to the caller."""
    if config.return_origin_list():
        yield Finding(Level.OK, "LEVITATE_CLIO_RETURN_ORIGINS is set")
    else:
        yield Finding(
            Level.WRONG,
            "LEVITATE_CLIO_RETURN_ORIGINS is not set, so no user can connect: every `return_url` is refused. Set it to"
            " the origins of Levitate's pages",
        )
    yield _public_url(config)


def _public_url(config: Config) -> Finding:
    url, is_set = config.public_url, "public_url" in config.model_fields_set
    is_simulated = bool(config.regions) and all(
        one.origin and _is_this_machine(one.origin) for one in config.regions.values()
    )
    shown = f"{PUBLIC_URL} is {url}" if is_set else f"{PUBLIC_URL} is not set ({url})"
    if _is_this_machine(url) and not is_simulated:
        return Finding(
            Level.WRONG,
            f"{shown}, so only users of this machine can connect, and Clio's webhooks do not arrive. Set it to the"
            " https address at which browsers reach the service",
        )
    if not url.startswith("https://"):
        return Finding(
            Level.WARNING,
            f"{shown}, without https: Clio's webhooks do not arrive, so changes are pulled with the slots",
        )
    return Finding(Level.OK, shown)


def _is_this_machine(origin: str) -> bool:
    host = urlsplit(origin).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _times(config: Config) -> Iterator[Finding]:
    if config.settle_seconds < 2 * WRITE_DEADLINE:
        yield Finding(
            Level.WARNING,
            f"LEVITATE_CLIO_SETTLE_SECONDS is {config.settle_seconds:g}: below {2 * WRITE_DEADLINE} an activity may be"
            " written twice after a lost answer of Clio",
        )


def _database(config: Config) -> Iterator[Finding]:
    try:
        config = add_keys(config)
        with running_database(config) as address:
            look = partial(_look, config=config)
            yield from asyncio.run(with_open_database(address, look))
    except CannotStart as reason:
        yield Finding(Level.WRONG, f"{reason}. Tokens were not looked for")
    except DatabaseUnavailable as error:
        yield Finding(Level.WRONG, f"{unavailable_text(error)}. Tokens were not looked for")


async def _look(database: Database, config: Config) -> list[Finding]:
    """Return what is found in the database. Raises CannotStart if `serve` cannot work with it."""
    users = await find_users(database, owner=database.address.owner is not None)
    if faults := list(find_faults(users)):
        return [Finding(Level.WRONG, fault) for fault in faults]
    await check_database(database, config)
    async with system_transaction(database) as session:
        tokens = await service_tokens.read_valid(session)
    found = [
        Finding(
            Level.OK, "the database responds, its schema is current, the keys decrypt its secrets"
        ),
        _second_wall(users),
    ]
    if config.database_url is None:
        found.append(_EMBEDDED)
    else:
        found += map(_encryption, await find_encryption(database.address))
    return [*found, _token(config, tokens)]


def _token(config: Config, found: ValidTokens) -> Finding:
    has_configured = config.service_token is not None
    if has_configured and found.bootstrap_is_revoked:
        return Finding(
            Level.WARNING,
            "LEVITATE_CLIO_SERVICE_TOKEN is set, but `token revoke bootstrap` has ended it for ever: unset it, and use"
            " a token of `levitate-clio token create`",
        )
    if has_configured or any(not token.is_expired(now()) for token in found.tokens):
        return Finding(Level.OK, "there is a token for Levitate's backend")
    return Finding(
        Level.WRONG,
        "there is no token, so every call of the API is refused: run `levitate-clio token create --name backend`, or"
        " set LEVITATE_CLIO_SERVICE_TOKEN",
    )


def _second_wall(users: Users) -> Finding:
    """Return whether PostgreSQL itself keeps the accounts apart."""
    if users.system is not None and not users.are_one:
        return Finding(
            Level.OK,
            f"the database keeps accounts apart: {users.accounts.name} sees one at a time, {users.system.name} all",
        )
    return Finding(
        Level.WARNING,
        "the second wall is off: row-level security does not apply to the user of LEVITATE_CLIO_DATABASE_URL, who owns"
        " the tables or passes all policies. Set it to a user with the role levitate_run, set"
        " LEVITATE_CLIO_SYSTEM_DATABASE_URL to one with levitate_system and LEVITATE_CLIO_MIGRATE_DATABASE_URL to the"
        " owner; see Roles in docs/operations.md",
    )


def _encryption(found: Encryption) -> Finding:
    """Return whether the connections of an address are encrypted, and whether it is known who answers."""
    begin = f"{found.variable}: the connection to the {'pooler' if found.is_pooled else 'server'}"
    link = found.link
    if link.protocol is None and not link.is_local:
        return Finding(
            Level.WARNING,
            f"{begin} is not encrypted; add sslmode=verify-full and sslrootcert to the address",
        )
    if not (link.is_verified or link.is_local):
        return Finding(
            Level.WARNING,
            f"{begin} is encrypted ({link.protocol}), but nobody checks who answers; add sslmode=verify-full and"
            " sslrootcert to the address",
        )
    shown = f"is encrypted ({link.protocol})" if link.protocol else "does not leave this machine"
    if found.is_pooled:
        behind = "is encrypted" if found.reaches_server else "is not encrypted"
        return Finding(Level.OK, f"{begin} {shown}; that of the pooler to the server {behind}")
    return Finding(Level.OK, f"{begin} {shown}")


_EMBEDDED = Finding(
    Level.WARNING,
    "LEVITATE_CLIO_DATABASE_URL is not set: the embedded database is for demonstrations and development",
)
