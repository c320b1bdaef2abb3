"""The shared parts of the commands: configuration, keys, database, port, and the report of a mistake in one line."""

import asyncio
import gc
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
from app.db.roles import check_roles
from app.db.session import Database, open_database
from app.errors import CannotStart, DatabaseUnavailable
from app.sync import key_rotation
from app.sync.background import Prepare

T = TypeVar("T")
stderr = Console(stderr=True, highlight=False, soft_wrap=True)
OF_A_REGION = (
    "those of a region are LEVITATE_CLIO_REGIONS__US__CLIENT_ID, …__CLIENT_SECRET and …__ORIGIN,"
    " likewise with EU, CA and AU"
)
YOUNG_OBJECTS = 50_000  # that the garbage collector lets a process make before it looks at them
POOLED, DIRECT = "LEVITATE_CLIO_DATABASE_URL", "LEVITATE_CLIO_DIRECT_DATABASE_URL"
OWNER = "LEVITATE_CLIO_MIGRATE_DATABASE_URL"


def read_config() -> Config:
    """Return the configuration; for mistakes print one line each and exit with code 2."""
    _report_unknown_variables()
    try:
        config = Config()
    except ValidationError as error:
        fail(*configuration.describe_errors(error))
    for region, registered in config.regions.items():
        _check_origin(region, registered.origin)
    logs.configure(config.log_level, config.log_format)
    return config


def _report_unknown_variables() -> None:
    """Print a line for each unknown variable; refuse those that were meant for a region."""
    unknown = configuration.find_unknown_variables()
    refused = [name for name in unknown if configuration.is_about_a_region(name)]
    for name in sorted(set(unknown) - set(refused)):
        stderr.print(
            f"{name}: unknown variable; docs/operations.md lists all variables", markup=False
        )
    if refused:
        fail(*(f"{name}: unknown variable; {OF_A_REGION}" for name in refused))


def _check_origin(region: str, origin: str | None) -> None:
    """Refuse an origin to which no token may be sent now, and not at the first request."""
    try:
        if origin is not None:
            check_origin(origin)
    except ValueError as error:
        fail(f"LEVITATE_CLIO_REGIONS__{region.upper()}__ORIGIN: {error}")


def add_keys(config: Config) -> Config:
    """Return the configuration with its encryption keys; the embedded database has a key of its own.

    Raises CannotStart if there is no key, or one that cannot be used.
    """
    source = "LEVITATE_CLIO_ENCRYPTION_KEYS"
    if config.encryption_keys is None:
        config = config.model_copy(update={"encryption_keys": SecretStr(_own_key(config))})
        source = str(_key_file(config))
    try:
        TokenCipher(config.encryption_key_list())
    except InvalidKey as error:
        raise CannotStart(f"{source}: {error}") from None
    return config


def _key_file(config: Config) -> Path:
    return Path(config.data_dir) / "encryption.key"


def _own_key(config: Config) -> str:
    """Return the key of the embedded database. Raises CannotStart if another database is configured."""
    if config.database_url is not None:
        raise CannotStart(
            "LEVITATE_CLIO_ENCRYPTION_KEYS: not set; set it to 32 random bytes in URL-safe base64,"
            f" for example this new key: {new_key()}"
        )
    embedded.launcher()
    try:
        return load_or_create_key(_key_file(config))
    except OSError as error:
        raise CannotStart(
            f"LEVITATE_CLIO_DATA_DIR: {config.data_dir} is not writable ({error.strerror});"
            " set it to a folder that this user may write"
        ) from None


def load_or_create_key(path: Path) -> str:
    """Return the embedded database's key. It is created once and only its owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(new_key())
    except FileExistsError:
        pass  # created at an earlier start
    return path.read_text(errors="replace").strip()


@contextmanager
def running_database(config: Config) -> Iterator[Address]:
    """Yield the database's address; start the embedded database first, and stop it at the end.

    Raises CannotStart if the embedded database cannot run here.
    """

    def end(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(0)

    # uvicorn raises SIGTERM again after its shutdown. As an exception it lets the embedded server stop.
    signal.signal(signal.SIGTERM, end)
    if config.database_url is not None:
        yield Address(
            config.database_url.get_secret_value(),
            past_pooler=_given(config.direct_database_url),
            system=_given(config.system_database_url),
            owner=_given(config.migrate_database_url),
        )
        return
    with ExitStack() as stack:
        with shutdown.defer_signals():  # a half-started server would never be stopped
            server = embedded.start(Path(config.data_dir) / "pg")
            stack.callback(_stop, server)
        yield server.address


def _given(url: SecretStr | None) -> str | None:
    return url.get_secret_value() if url else None


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
    version = await session.server_version(database)
    if version < session.OLDEST_POSTGRESQL:
        raise CannotStart(
            f"The database is PostgreSQL {version}; levitate-clio needs {session.OLDEST_POSTGRESQL} or newer"
        )
    await check_roles(database)
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
    except DatabaseUnavailable as failure:
        if address.owner is not None:
            failure.add_note(OWNER)
        raise
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

    A process starts also while the database is away, and works as soon as it is back. Raises CannotStart if the process
    cannot work with this database.
    """
    try:
        asyncio.run(with_open_database(address, prepare))
    except DatabaseUnavailable as error:
        if session.is_misconfigured(error):
            raise CannotStart(unavailable_text(error)) from None
        stderr.print(f"{unavailable_text(error)}. This process waits for it", markup=False)
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
    """Run the coroutine. Raises CannotStart when the database is not available or cannot be used."""
    try:
        return asyncio.run(work)
    except DatabaseUnavailable as error:
        raise CannotStart(unavailable_text(error)) from None


def unavailable_text(error: DatabaseUnavailable) -> str:
    """Return which address does not work, why, and what to do."""
    (variable,) = getattr(error, "__notes__", [POOLED])
    return f"The database of {variable} is not available: {session.unavailable_reason(error)}"


def spare_collector() -> None:
    """Let the garbage collector leave alone what exists now, and look for garbage less often.

    Imports make 200,000 objects that live as long as the process. Records and results of the rules hold no cycles and
    are no garbage of the collector, so it finds little.
    """
    # The collector calls what waits for the end of objects, and Python ignores an exception there, that of SIGTERM too.
    with shutdown.defer_signals():
        gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)


def listen(host: str, port: int, *, how: str = "--port") -> socket.socket:
    """Return a socket bound to this address. Raises CannotStart if it cannot be bound; `how` the port is chosen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, UnicodeError) as error:
        listener.close()
        raise CannotStart(_cannot_listen(host, port, how, error)) from None
    return listener


def _cannot_listen(host: str, port: int, how: str, error: OSError | UnicodeError) -> str:
    reason = getattr(error, "strerror", None) or "it is no host name"
    if isinstance(error, socket.gaierror | UnicodeError):
        return f"{host} is not an address to listen on ({reason}); choose another with --host"
    return f"Cannot listen on {host}:{port} ({reason}); choose another port with {how}"


def fail(*lines: str) -> NoReturn:
    """Print the lines on stderr and exit with code 2."""
    for line in lines:
        stderr.print(line, markup=False)
    raise typer.Exit(2)
