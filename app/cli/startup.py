"""The shared parts of the commands: configuration, keys, database, port, and the report of a mistake in one line."""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TypeVar

import typer
from pydantic import SecretStr, ValidationError
from rich.console import Console

from app import config as configuration
from app import logs, shutdown
from app.clio.regions import check_origin
from app.config import Config
from app.crypto import InvalidKey, TokenCipher, new_key
from app.db import embedded, migrate, session
from app.db.connection import CONNECT_SECONDS, Address, connect
from app.db.failures import sorted_failures
from app.db.migrate import SchemaState
from app.db.session import Database, open_database, transaction
from app.errors import CannotStart, DatabaseUnavailable
from app.sync import key_rotation
from app.sync.background import Prepare

T = TypeVar("T")
stderr = Console(stderr=True, highlight=False, soft_wrap=True)
POOLED, DIRECT = "LEVITATE_CLIO_DATABASE_URL", "LEVITATE_CLIO_DIRECT_DATABASE_URL"


def read_config() -> Config:
    """Return the configuration; for mistakes print one line each and exit with code 2."""
    try:
        config = Config()
    except ValidationError as error:
        fail(*configuration.describe_errors(error))
    for name in configuration.find_unknown_variables():
        stderr.print(
            f"{name}: unknown variable; docs/operations.md lists all variables", markup=False
        )
    for region, registered in config.regions.items():
        _check_origin(region, registered.origin)
    logs.configure(config.log_level, config.log_format)
    return config


def _check_origin(region: str, origin: str | None) -> None:
    """Refuse an origin to which no token may be sent now, and not at the first request."""
    try:
        if origin is not None:
            check_origin(origin)
    except ValueError as error:
        fail(f"LEVITATE_CLIO_REGIONS__{region.upper()}__ORIGIN: {error}")


def add_keys(config: Config) -> Config:
    """Return the configuration with its encryption keys; the embedded database has a key of its own."""
    if config.encryption_keys is None:
        if config.database_url is not None:
            fail(
                "LEVITATE_CLIO_ENCRYPTION_KEYS: not set; set it to 32 random bytes in URL-safe base64,"
                f" for example this new key: {new_key()}"
            )
        try:
            embedded.launcher()
            key = load_or_create_key(Path(config.data_dir) / "encryption.key")
        except embedded.EmbeddedUnavailable as error:
            fail(str(error))
        except OSError as error:
            fail(
                f"LEVITATE_CLIO_DATA_DIR: {config.data_dir} is not writable ({error.strerror});"
                " set it to a folder that this user may write"
            )
        config = config.model_copy(update={"encryption_keys": SecretStr(key)})
    try:
        TokenCipher(config.encryption_key_list())
    except InvalidKey as error:
        fail(f"LEVITATE_CLIO_ENCRYPTION_KEYS: {error}")
    return config


def load_or_create_key(path: Path) -> str:
    """Return the embedded database's key. It is created once and only its owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(new_key())
    except FileExistsError:
        pass  # created at an earlier start
    return path.read_text().strip()


@contextmanager
def running_database(config: Config) -> Iterator[Address]:
    """Yield the database's address; start the embedded database first, and stop it at the end."""

    def end(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(0)

    # uvicorn raises SIGTERM again after its shutdown. As an exception it lets the embedded server stop.
    signal.signal(signal.SIGTERM, end)
    if config.database_url is not None:
        direct = config.direct_database_url
        yield Address(
            config.database_url.get_secret_value(), direct.get_secret_value() if direct else None
        )
        return
    with ExitStack() as stack:
        try:
            with shutdown.defer_signals():  # a half-started server would never be stopped
                server = embedded.start(Path(config.data_dir) / "pg")
                stack.callback(_stop, server)
        except embedded.EmbeddedUnavailable as error:
            fail(str(error))
        yield Address(server.dsn)


def _stop(server: embedded.EmbeddedServer) -> None:
    with shutdown.defer_signals():
        server.stop()


async def with_open_database(address: Address, act: Callable[[Database], Awaitable[T]]) -> T:
    """Open the database, call `act`, close it. Raises DatabaseUnavailable, also if only the direct address fails."""
    if address.past_pooler is not None:
        await _check_direct(address)
    database = open_database(address)
    try:
        return await act(database)
    finally:
        await database.dispose()


async def _check_direct(address: Address) -> None:
    """Raise DatabaseUnavailable, with a note that names the variable, unless the direct address works."""
    try:
        with sorted_failures():
            connection = await connect(address.direct, deadline=CONNECT_SECONDS)
            await connection.close()
    except DatabaseUnavailable as failure:
        failure.add_note(DIRECT)
        raise


async def check_schema(database: Database, *, migrate_at: Address | None = None) -> None:
    """Raise CannotStart unless this version can use the database; migrate it first if its address is given.

    A schema that is newer by one release can be used and stays as it is.
    """
    async with transaction(database) as connection:
        version = await session.server_version(connection)
    if version < session.OLDEST_POSTGRESQL:
        raise CannotStart(
            f"The database is PostgreSQL {version}; levitate-clio needs {session.OLDEST_POSTGRESQL} or newer"
        )
    schema = await migrate.compare_schema(database)
    if schema is SchemaState.TOO_NEW:
        raise CannotStart(
            "The database's schema belongs to a newer levitate-clio; start that version or a newer one"
        )
    if migrate_at is not None and schema is not SchemaState.NEWER:
        await _migrate(migrate_at)
    elif schema is SchemaState.OLDER:
        raise CannotStart(
            "The database's schema is missing or too old; run `levitate-clio migrate`"
        )


async def _migrate(address: Address) -> None:
    try:
        await migrate.migrate(address)
    except migrate.MigrationBlocked:
        raise CannotStart(
            "A migration could not get a lock, because another transaction uses the table. Nothing was changed."
            " Find the transaction in pg_stat_activity, wait for its end or end it, and run `levitate-clio migrate`"
            " again"
        ) from None


async def check_database(
    database: Database, config: Config, *, migrate_at: Address | None = None
) -> None:
    """Raise CannotStart unless the database is ready and the keys decrypt its secrets."""
    await check_schema(database, migrate_at=migrate_at)
    try:
        await key_rotation.check_keys(database, TokenCipher(config.encryption_key_list()))
    except key_rotation.KeysDoNotFit:
        raise CannotStart(
            "LEVITATE_CLIO_ENCRYPTION_KEYS: none of these keys decrypts the secrets in the database;"
            " add the key that encrypted them (no user needs to connect again)"
        ) from None


def prepare_now_or_later(address: Address, prepare: Prepare) -> Prepare | None:
    """Prepare the database; return the function that must be called later if the database is away.

    A process starts also while the database is away, and works as soon as it is back. Exits with a message if the
    process cannot work with this database.
    """
    try:
        asyncio.run(with_open_database(address, prepare))
    except CannotStart as reason:
        fail(str(reason))
    except DatabaseUnavailable as error:
        if session.is_misconfigured(error):
            fail(_unavailable(error))
        stderr.print(f"{_unavailable(error)}. This process waits for it", markup=False)
        return prepare
    return None


def run_with_database(act: Callable[[Database], Coroutine[Any, Any, T]]) -> T:
    """Call `act` with the configured database, if this version can use it."""

    async def check_and_act(database: Database) -> T:
        await check_schema(database)
        return await act(database)

    with running_database(read_config()) as address:
        return run_async(with_open_database(address, check_and_act))


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run the coroutine; exit with a message when the database is not available or cannot be used."""
    try:
        return asyncio.run(work)
    except CannotStart as reason:
        fail(str(reason))
    except DatabaseUnavailable as error:
        fail(_unavailable(error))


def _unavailable(error: DatabaseUnavailable) -> str:
    (variable,) = getattr(error, "__notes__", [POOLED])
    return f"The database of {variable} is not available: {session.unavailable_reason(error)}"


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to this address; exit with a message when it cannot be bound."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except socket.gaierror as error:
        fail(
            f"{host} is not an address to listen on ({error.strerror}); choose another with --host"
        )
    except OSError as error:
        fail(f"Cannot listen on {host}:{port} ({error.strerror}); choose another port with --port")
    return listener


def fail(*lines: str) -> NoReturn:
    """Print the lines on stderr and exit with code 2."""
    for line in lines:
        stderr.print(line, markup=False)
    raise typer.Exit(2)
