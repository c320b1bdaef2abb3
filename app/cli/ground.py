"""What every command stands on: configuration, keys, the database, a port; and how a mistake is told in one line."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TypeVar

import typer
from pydantic import SecretStr, ValidationError
from rich.console import Console

from app import config as configuration
from app import logs
from app.config import Config
from app.crypto import KeyInvalid, TokenCipher, new_key
from app.db import embedded
from app.db.session import Database, open_database, transaction
from app.errors import DatabaseUnavailable

T = TypeVar("T")
said = Console(stderr=True, highlight=False, soft_wrap=True)


def read_config() -> Config:
    """The configuration; its mistakes end the process with a line each."""
    try:
        config = Config()
    except ValidationError as error:
        fail(*configuration.problems(error))
    for name in configuration.unknown_variables():
        said.print(
            f"{name}: is no variable of this service; docs/operations.md lists them", markup=False
        )
    logs.configure(config.log_level, config.log_format)
    return config


def with_keys(config: Config) -> Config:
    """The configuration with keys to seal secrets: the configured ones, or the embedded database's own."""
    if config.encryption_keys is None:
        if config.database_url is not None:
            fail(
                "LEVITATE_CLIO_ENCRYPTION_KEYS: is missing; set it to 32 random bytes in URL-safe base64,"
                f" such as a new one: {new_key()}"
            )
        kept = kept_key(Path(config.data_dir) / "encryption.key")
        config = config.model_copy(update={"encryption_keys": SecretStr(kept)})
    try:
        TokenCipher(config.encryption_key_list())
    except KeyInvalid as error:
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
    try:
        server = embedded.start(Path(config.data_dir) / "pg")
    except embedded.EmbeddedUnavailable as error:
        fail(str(error))
    try:
        yield server.dsn
    finally:
        server.stop()


async def ask_database(dsn: str, act: Callable[[Database], Coroutine[Any, Any, T]]) -> T:
    """Act on the database of this address, closed again afterwards; raises DatabaseUnavailable."""
    opened = open_database(dsn)
    try:
        return await act(opened)
    finally:
        await opened.dispose()


async def greet(opened: Database) -> None:
    """See that the database answers."""
    async with transaction(opened):
        pass


def with_database(act: Callable[[Database], Coroutine[Any, Any, T]]) -> T:
    """Act on the configured database."""
    with database(read_config()) as dsn:
        return complete(ask_database(dsn, act))


def complete(work: Coroutine[Any, Any, T]) -> T:
    """Do the work; a database that is down ends the process with a line."""
    try:
        return asyncio.run(work)
    except DatabaseUnavailable:
        fail("The database cannot be reached; check LEVITATE_CLIO_DATABASE_URL and that it runs")


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to this place; one that is taken ends the process with a line."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        fail(f"{host}:{port} cannot be listened on ({error.strerror}); choose another with --port")
    return listener


def fail(*lines: str) -> NoReturn:
    """Say what is wrong and what to do, and end the process with exit code 2."""
    for line in lines:
        said.print(line, markup=False)
    raise typer.Exit(2)
