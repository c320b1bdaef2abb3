"""What every command stands on: configuration, keys, the database, a port; and how a mistake is told in one line."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
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
from app.db.migrate import SchemaState
from app.db.session import Database, open_database, transaction
from app.errors import DatabaseUnavailable
from app.sync import key_rotation

T = TypeVar("T")
said = Console(stderr=True, highlight=False, soft_wrap=True)


def read_config() -> Config:
    """The configuration; its mistakes end the process with a line each."""
    try:
        config = Config()
    except ValidationError as error:
        fail(*configuration.describe_errors(error))
    for name in configuration.find_unknown_variables():
        said.print(
            f"{name}: is no variable of this service; docs/operations.md lists them", markup=False
        )
    for region, registered in config.regions.items():
        _check_origin(region, registered.origin)
    logs.configure(config.log_level, config.log_format)
    return config


def _check_origin(region: str, origin: str | None) -> None:
    """An origin to which no token may go is a mistake now, not at the first call."""
    try:
        if origin is not None:
            check_origin(origin)
    except ValueError as error:
        fail(f"LEVITATE_CLIO_REGIONS__{region.upper()}__ORIGIN: {error}")


def with_keys(config: Config) -> Config:
    """The configuration with keys to seal secrets: the configured ones, or the embedded database's own."""
    if config.encryption_keys is None:
        if config.database_url is not None:
            fail(
                "LEVITATE_CLIO_ENCRYPTION_KEYS: is missing; set it to 32 random bytes in URL-safe base64,"
                f" such as a new one: {new_key()}"
            )
        try:
            embedded.launcher()
            kept = kept_key(Path(config.data_dir) / "encryption.key")
        except embedded.EmbeddedUnavailable as error:
            fail(str(error))
        except OSError as error:
            fail(
                f"LEVITATE_CLIO_DATA_DIR: {config.data_dir} cannot be written ({error.strerror});"
                " name a folder that this user may write"
            )
        config = config.model_copy(update={"encryption_keys": SecretStr(kept)})
    try:
        TokenCipher(config.encryption_key_list())
    except InvalidKey as error:
        fail(f"LEVITATE_CLIO_ENCRYPTION_KEYS: {error}")
    return config


def kept_key(path: Path) -> str:
    """The key beside the embedded database, made once, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(new_key())
    except FileExistsError:
        pass  # made at an earlier start
    return path.read_text().strip()


@contextmanager
def database(config: Config) -> Iterator[str]:
    """The database's address: the configured one, or the embedded one from start to stop."""

    def end(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(0)

    # uvicorn re-raises SIGTERM after its clean shutdown: as an exception it lets the embedded server be stopped.
    signal.signal(signal.SIGTERM, end)
    if config.database_url is not None:
        yield config.database_url.get_secret_value()
        return
    with ExitStack() as ending:
        try:
            with shutdown.defer_signals():  # ended half-way, the server would be nobody's
                server = embedded.start(Path(config.data_dir) / "pg")
                ending.callback(_stop, server)
        except embedded.EmbeddedUnavailable as error:
            fail(str(error))
        yield server.dsn


def _stop(server: embedded.EmbeddedServer) -> None:
    with shutdown.defer_signals():
        server.stop()


async def ask_database(dsn: str, act: Callable[[Database], Coroutine[Any, Any, T]]) -> T:
    """Act on the database of this address, closed again afterwards; raises DatabaseUnavailable."""
    opened = open_database(dsn)
    try:
        return await act(opened)
    finally:
        await opened.dispose()


async def ready(opened: Database, *, migrated: bool = False) -> None:
    """See that the database answers and that this version can work on it, migrating it first when wanted."""
    async with transaction(opened) as asked:
        version = await session.server_version(asked)
    if version < session.OLDEST_POSTGRESQL:
        fail(
            f"The database is PostgreSQL {version}; levitate-clio needs {session.OLDEST_POSTGRESQL} or newer"
        )
    schema = await migrate.compare_schema(opened)
    if schema is SchemaState.NEWER:
        fail(
            "The database's schema is of a newer levitate-clio; start that version, or a newer one"
        )
    if migrated:
        await migrate.migrate(opened)
    elif schema is SchemaState.OLDER:
        fail("The database's schema is not there or too old; run `levitate-clio migrate`")


async def fit_to_work(opened: Database, config: Config, *, migrated: bool = False) -> None:
    """See that the database is ready and that our keys open what it holds."""
    await ready(opened, migrated=migrated)
    try:
        await key_rotation.check_keys(opened, TokenCipher(config.encryption_key_list()))
    except key_rotation.KeysDoNotFit:
        fail(
            "LEVITATE_CLIO_ENCRYPTION_KEYS: none of these keys opens what the database holds;"
            " add the key that sealed it (nobody needs to connect again)"
        )


def with_database(act: Callable[[Database], Coroutine[Any, Any, T]]) -> T:
    """Act on the configured database, when this version can work on it."""

    async def acting(opened: Database) -> T:
        await ready(opened)
        return await act(opened)

    with database(read_config()) as dsn:
        return complete(ask_database(dsn, acting))


def complete(work: Coroutine[Any, Any, T]) -> T:
    """Do the work; a database that is down ends the process with a line."""
    try:
        return asyncio.run(work)
    except DatabaseUnavailable as error:
        fail(
            f"The database of LEVITATE_CLIO_DATABASE_URL is not available: {session.unavailable_reason(error)}"
        )


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to this place; one that is taken ends the process with a line."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except socket.gaierror as error:
        fail(f"{host} is no address to listen on ({error.strerror}); choose another with --host")
    except OSError as error:
        fail(f"{host}:{port} cannot be listened on ({error.strerror}); choose another with --port")
    return listener


def fail(*lines: str) -> NoReturn:
    """Say what is wrong and what to do, and end the process with exit code 2."""
    for line in lines:
        said.print(line, markup=False)
    raise typer.Exit(2)
