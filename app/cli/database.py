"""Finds, checks and migrates the database before the work of a command, and says what is wrong with it."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TypeVar

from pydantic import SecretStr

from app import shutdown
from app.cli.startup import read_config, stderr
from app.config import Config
from app.crypto import TokenCipher
from app.db import embedded, migrate, session
from app.db.addresses import OWNER_URL, name_variable, named_variable
from app.db.connection import Address
from app.db.migrate import SchemaState
from app.db.roles import Users, check_users, find_faults, find_users
from app.db.session import Database, open_database
from app.errors import CannotStart, DatabaseUnavailable
from app.sync import key_rotation
from app.sync.background import Prepare

T = TypeVar("T")


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
    """Open the database, call `act`, close it."""
    database = open_database(address)
    try:
        return await act(database)
    finally:
        await database.dispose()


async def check_database(database: Database, config: Config, *, migrates: bool = False) -> None:
    """Raise CannotStart unless the database is ready and the keys decrypt its secrets; `migrates`: make it ready.

    A schema that is newer by one release can be used and stays as it is.
    """
    lack = await _find_lack(database)
    if lack and migrates:
        await migrate_schema(database)
    elif lack:
        raise _not_migrated(lack)
    try:
        await key_rotation.check_keys(database, TokenCipher(config.encryption_key_list()))
    except key_rotation.KeysDoNotFit:
        raise CannotStart(
            "LEVITATE_CLIO_ENCRYPTION_KEYS: none of these keys decrypts the secrets in the database;"
            " add the key that encrypted them (no user needs to connect again)"
        ) from None


async def check_schema(database: Database) -> None:
    """Raise CannotStart unless this version can use the database, its schema and the users of its addresses."""
    if lack := await _find_lack(database):
        raise _not_migrated(lack)


def _not_migrated(lack: str) -> CannotStart:
    return CannotStart(f"{lack}; run `levitate-clio migrate`")


async def migrate_schema(database: Database) -> None:
    """Bring schema, rights and policies to this version; a schema that is newer by one release stays as it is.

    Raises CannotStart if it cannot, and if the users of the addresses cannot work with what it has made.
    """
    _, schema = await _look(database, owner=True)
    if schema is SchemaState.NEWER:
        return
    address = database.address
    try:
        await migrate.migrate(address)
    except DatabaseUnavailable as failure:
        if address.owner is not None:
            name_variable(failure, OWNER_URL)
        raise
    except migrate.MigrationBlocked:
        raise CannotStart(
            "A migration could not get a lock, because another transaction uses the table. Nothing was changed."
            " Find the transaction in pg_stat_activity, wait for its end or end it, and run `levitate-clio migrate`"
            " again"
        ) from None
    for fault in find_faults(await find_users(database, owner=False)):
        raise CannotStart(f"The schema is up to date now. {fault}")


async def _find_lack(database: Database) -> str | None:
    """Return what a migration would make; None if this version can use the database as it is."""
    users, schema = await _look(database, owner=False)
    if schema is SchemaState.OLDER:
        return "The database's schema is missing or too old"
    if schema is SchemaState.CURRENT and not users.are_one:
        return await _find_difference(database)
    return None


async def _look(database: Database, *, owner: bool) -> tuple[Users, SchemaState]:
    """Return the users of the addresses, and the state of the schema. Raises CannotStart if they are of no use."""
    version = await session.server_version(database)
    if version < session.OLDEST_POSTGRESQL:
        raise CannotStart(
            f"The database is PostgreSQL {version}; levitate-clio needs {session.OLDEST_POSTGRESQL} or newer"
        )
    users = await find_users(database, owner=owner)
    check_users(users)
    schema = await migrate.compare_schema(database)
    if schema is SchemaState.TOO_NEW:
        raise CannotStart(
            "The database's schema belongs to a newer levitate-clio; start that version or a newer one"
        )
    return users, schema


async def _find_difference(database: Database) -> str | None:
    found = await migrate.find_differences(database)
    if not found:
        return None
    others = f", and {len(found) - 1} more" if found[1:] else ""
    return f"The rights or policies of the database are not those of this version ({found[0].what}{others})"


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
    return f"The database of {named_variable(error)} is not available: {session.unavailable_reason(error)}"
