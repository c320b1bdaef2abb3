"""Opens every connection to PostgreSQL: single ones, and those of engines and pools. Nothing else in `app/` opens one.

A transaction of an account says so in the round trip of its `BEGIN`. The setting `app.account` ends with it, so that it
cannot stay on a connection that somebody else gets next, not even behind a pooler.

A connection notices within ten seconds that the server's machine or the network is gone, as in a failover. Without it
such a connection waits for the deadline of its statement, up to a minute, although the database is back.

Behind a pooler in transaction mode each transaction may get another connection of the server. So a connection sends its
settings with the begin of each transaction and keeps no prepared statement. What belongs to one connection of the
server, such as LISTEN, needs the direct address.
"""

import os
import socket
import ssl
from asyncio import BaseTransport
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import partial
from ipaddress import ip_address
from time import monotonic
from typing import Any, cast

import asyncpg
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_connection, PGDialect_asyncpg
from sqlalchemy.engine.interfaces import DBAPIConnection, PoolProxiedConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import await_
from typing_extensions import override

CONNECT_SECONDS = 5.0  # the longest time to open a connection
SERVER_SECONDS = 60  # the server's limit for a statement, and for a transaction that does nothing
PREPARED_STATEMENTS = 300  # that an engine keeps on each connection
TRUSTED_SECONDS = 1.0  # after a transaction a connection is not checked before the next one
# Seconds, and milliseconds for the last: a quiet connection is probed after 5 and 7 seconds and given up after 9. What
# was sent must be confirmed within 9. Systems other than Linux lack some of these options and keep their defaults.
TCP_OPTIONS = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 2, "TCP_USER_TIMEOUT": 9000}
_NO_ENCRYPTION = "rejected SSL upgrade"  # asyncpg says it only in the text of a ConnectionError
ACCOUNT_SETTING = "app.account"  # whose transaction it is; the policies of the tables read it
SERVICE = "levitate-clio"  # the name of a connection in pg_stat_activity


@dataclass(frozen=True)
class Address:
    """The addresses of the database; they hold passwords, so they are not shown.

    `url` is for transactions of accounts. `past_pooler` is set if `url` is that of a pooler in transaction mode.
    `system` is for transactions over all accounts, through the same pooler, and `owner` that of the server itself, for
    migrations. Without them one role does everything.
    """

    url: str = field(repr=False)
    past_pooler: str | None = field(default=None, repr=False)
    system: str | None = field(default=None, repr=False)
    owner: str | None = field(default=None, repr=False)

    @property
    def direct(self) -> str:
        """The address of the server itself: for LISTEN and the queue."""
        return self.past_pooler or self.url

    @property
    def has_one_role(self) -> bool:
        """Return whether work over all accounts has the role of the transactions of accounts."""
        return self.system in (None, self.url)

    def for_system(self) -> "Address":
        """Return the address of work over all accounts."""
        return replace(self, url=self.system or self.url)

    def for_migrations(self) -> "Address":
        """Return the address of the server itself, with the role that owns the tables."""
        return Address(self.owner or self.direct)


class AddressNotUsable(Exception):
    """The driver or the server does not accept what the address says, such as a setting in `options`.

    Most faults of an address are found before (`app/db/address_options.py`).
    """


class EncryptionRefused(Exception):
    """The address demands an encrypted connection, and the server offers none."""


# The driver's error, and those of the server for a setting that does not exist, cannot be set, or has a wrong value.
_OPTION_REFUSED = (
    ValueError,
    asyncpg.UndefinedObjectError,
    asyncpg.CantChangeRuntimeParamError,
    asyncpg.InvalidParameterValueError,
)


_begins_with: ContextVar[str] = ContextVar("begins_with", default="")


@contextmanager
def beginning_for(account_id: str | None, *, durable: bool = True) -> Iterator[None]:
    """Let transactions that this task begins in the block be those of an account, or of none.

    A crash of the server may undo one that is not `durable`, if it was committed less than a second before.
    """
    account = "" if account_id is None else f"set local {ACCOUNT_SETTING} = {quoted(account_id)};"
    token = _begins_with.set(account + ("" if durable else "set local synchronous_commit = off;"))
    try:
        yield
    finally:
        _begins_with.reset(token)


def quoted(value: str) -> str:
    """Return the text as a literal of SQL, whatever it contains and whatever `standard_conforming_strings` is.

    Raises ValueError for what PostgreSQL cannot store: a NUL character, and half a surrogate pair.
    """
    if "\0" in value:
        raise ValueError("PostgreSQL has no NUL character")
    value.encode()
    return "E'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


@dataclass(frozen=True)
class Link:
    """The way to whoever answered at an address.

    `protocol` is that of its encryption, such as `TLSv1.3`, or None. `is_verified`: it was proven that the answer comes
    from the host that the address names. `is_local`: it does not leave this machine.
    """

    protocol: str | None
    is_verified: bool
    is_local: bool


class WatchedConnection(asyncpg.Connection):
    """asyncpg's connection, whose end is noticed although the server does not say it.

    A transaction begins with the account that it belongs to, in the same round trip. `answered_at` is when the last one
    ended, in seconds of the process's clock.
    """

    settings = ""  # what else each transaction begins with
    answered_at = 0.0
    link: "Link"  # how it is protected

    def __init__(self, protocol: Any, transport: BaseTransport, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        used = transport.get_extra_info("socket")
        self.link = _link(used, transport.get_extra_info("ssl_object"))
        _watch(used)

    @override
    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:
        if query.startswith("BEGIN"):  # asyncpg's own statement
            query += self.settings + _begins_with.get()
        return await super().execute(query, *args, timeout=timeout)


class PooledConnection(WatchedConnection):
    """A connection to a pooler: each transaction begins with the settings, in the same round trip."""


class Dialect(PGDialect_asyncpg):
    """SQLAlchemy's dialect for asyncpg, except for the check of a kept connection and the begin of a transaction.

    The check precedes a transaction, unless the connection has just ended another one, so it is one round trip. A
    statement without parameters is not prepared, so it works behind a pooler, too.

    A transaction begins at once. SQLAlchemy waits for its own first statement, and what pgqueuer did before on the
    driver's connection would be committed whatever follows.
    """

    supports_statement_cache = True

    @override
    def do_ping(self, dbapi_connection: DBAPIConnection) -> bool:
        connection = cast(AsyncAdapt_asyncpg_connection, dbapi_connection)
        driver = _driver_of(connection)
        if not driver.is_closed() and monotonic() - driver.answered_at < TRUSTED_SECONDS:
            return True
        try:
            connection.run_async(lambda driver: driver.execute("select 1"))
        except Exception as error:  # noqa: BLE001  # it is raised again, as the pool expects it
            connection._handle_exception(error)
        return True

    @override
    def do_begin(self, dbapi_connection: PoolProxiedConnection) -> None:
        connection = cast(AsyncAdapt_asyncpg_connection, dbapi_connection.dbapi_connection)
        try:
            await_(connection._start_transaction())  # type: ignore[no-untyped-call]  # there is no public way
        except Exception:
            # asyncpg may take the next transaction for a part of this one
            _driver_of(connection).terminate()
            raise

    @override
    def do_commit(self, dbapi_connection: PoolProxiedConnection) -> None:
        super().do_commit(dbapi_connection)  # type: ignore[no-untyped-call]
        connection = cast(AsyncAdapt_asyncpg_connection, dbapi_connection.dbapi_connection)
        _driver_of(connection).answered_at = monotonic()


def _driver_of(connection: AsyncAdapt_asyncpg_connection) -> WatchedConnection:
    return cast(WatchedConnection, connection.driver_connection)


registry.register("postgresql.levitate", __name__, Dialect.__name__)


async def connect(
    url: str, *, deadline: float | None, name: str = SERVICE, pooled: bool = False
) -> WatchedConnection:
    """Open a connection; `deadline` is the longest wait for a response in seconds.

    With None statements and transactions may take any time, on the server too. `pooled`: the address is that of a
    pooler in transaction mode. Raises AddressNotUsable for an address that cannot be used, EncryptionRefused, and
    asyncpg's errors and OSError if the database cannot be reached or refuses the connection; of these ssl.SSLError if
    its certificate is refused here.
    """
    options: dict[str, Any]
    if pooled:
        options = {"connection_class": PooledConnection, "statement_cache_size": 0}
    else:
        settings = _settings(name, limited=deadline is not None)
        options = {"connection_class": WatchedConnection, "server_settings": settings}
    try:
        opened: WatchedConnection = await asyncpg.connect(
            url, timeout=CONNECT_SECONDS, command_timeout=deadline, **options
        )
    except ssl.SSLError:  # that of a certificate is a ValueError, too
        raise
    except _OPTION_REFUSED as error:
        raise AddressNotUsable from error
    except ConnectionError as error:
        if _NO_ENCRYPTION in str(error):
            raise EncryptionRefused from error
        raise
    return opened


def new_engine(
    address: Address, *, deadline: float | None, name: str = SERVICE, **options: Any
) -> AsyncEngine:
    """Return SQLAlchemy's engine for transactions; `options` are those of `create_async_engine`."""
    pooled = address.past_pooler is not None
    connecting = {
        "async_creator_fn": partial(
            connect, address.url, deadline=deadline, name=name, pooled=pooled
        ),
        "prepared_statement_cache_size": 0 if pooled else PREPARED_STATEMENTS,
    }
    # A statement's values belong in no text of an error, in case that somebody shows it [T9].
    options = {"hide_parameters": True, **options}
    # The URL is empty: only asyncpg reads the address, because SQLAlchemy reads options such as sslmode in another way.
    return create_async_engine("postgresql+levitate://", connect_args=connecting, **options)


def new_pool(
    address: Address, *, deadline: float, kept: int, most: int
) -> "asyncpg.pool.Pool[asyncpg.Record]":
    """Return a pool of direct connections, on which the process may listen; whoever listens stops before it releases.

    A connection changes hands as it is: nobody sets anything for its session. asyncpg would reset it after each
    statement, and so double the statements of a queue that polls.
    """

    async def opened(*_: Any, **__: Any) -> asyncpg.Connection:
        return await connect(address.direct, deadline=deadline)

    async def keep(_: asyncpg.Connection) -> None:
        pass  # asyncpg itself rolls back a transaction that is open

    return asyncpg.create_pool(min_size=kept, max_size=most, connect=opened, reset=keep)


def _settings(name: str, *, limited: bool) -> dict[str, str]:
    """Return the settings of PostgreSQL for a connection."""
    limit = f"{SERVER_SECONDS}s" if limited else "0"
    return {
        "application_name": name,
        "statement_timeout": limit,
        "idle_in_transaction_session_timeout": limit,
        # A plan that was made while a table was empty would be kept, and read a whole firm for each page that lands.
        "plan_cache_mode": "force_custom_plan",
    }


PooledConnection.settings = "".join(
    f"set local {name} = '{value}';" for name, value in _settings(SERVICE, limited=True).items()
)


def _link(connected: Any, encryption: Any) -> Link:
    """Return how a connection is protected, given its socket and the SSL object of its transport."""
    family = getattr(connected, "family", socket.AF_UNIX)
    is_inet = family in (socket.AF_INET, socket.AF_INET6)
    return Link(
        protocol=encryption.version() if encryption else None,
        is_verified=encryption is not None and encryption.context.check_hostname,
        is_local=not is_inet or ip_address(connected.getpeername()[0]).is_loopback,
    )


def _watch(connected: Any) -> None:
    """Let the system probe the connection. A transport lends its socket only for reading, so its copy is used."""
    if connected is None or connected.family not in (socket.AF_INET, socket.AF_INET6):
        return
    with socket.socket(fileno=os.dup(connected.fileno())) as copy:
        copy.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in TCP_OPTIONS.items():
            if option := getattr(socket, name, None):
                copy.setsockopt(socket.IPPROTO_TCP, option, value)
