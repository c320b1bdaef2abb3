"""`levitate-clio`: serve, work, look after the database and the tokens, and the way in for newcomers.

Mistakes of configuration and surroundings end in one clear line on stderr and exit code 2, never in a traceback.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn, TypeVar

import httpx
import typer
import uvicorn
from pydantic import SecretStr, ValidationError
from rich.console import Console
from rich.table import Table

from app import config as configuration
from app import demo as demonstration
from app import logs
from app.clio.regions import Region, origin_of
from app.config import Config
from app.crypto import KeyInvalid, TokenCipher, new_key, new_service_token
from app.db import access, embedded, migrate
from app.db.access import ServiceToken
from app.db.session import Database, open_database, transaction
from app.errors import DatabaseUnavailable
from app.main import Parts, at_work, create_app, now, open_services
from app.simulator import serve as simulating

cli = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
token_cli = typer.Typer(no_args_is_help=True, help="Service tokens for Levitate's backend.")
cli.add_typer(token_cli, name="token")

T = TypeVar("T")
said = Console(stderr=True, highlight=False, soft_wrap=True)


def main() -> None:
    """The command line."""
    cli()


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on")] = 8000,
    no_migrate: Annotated[
        bool, typer.Option("--no-migrate", help="Leave the schema alone")
    ] = False,
    no_workers: Annotated[bool, typer.Option("--no-workers", help="The API alone")] = False,
) -> None:
    """API, clock and workers in one process."""
    config = _with_keys(_config())
    listener = _listener(host, port)
    parts = Parts(workers=not no_workers, clock=not no_workers, migrate=not no_migrate)
    with _database(config) as dsn:
        _await(_reachable(config, dsn))
        app = create_app(config, dsn, parts)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=25,
                h11_max_incomplete_event_size=64 * 1024,
            )
        )
        server.run(sockets=[listener])


@cli.command()
def worker() -> None:
    """Background work alone, in as many processes on as many machines as wanted."""
    config = _with_keys(_config())
    with _database(config) as dsn:
        _await(_reachable(config, dsn))
        _await(_work(config, dsn))


async def _work(config: Config, dsn: str) -> None:
    parts = Parts(migrate=False)
    async with open_services(config, dsn, parts) as services:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, services.stopping.set)
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, services.stopping.set)
        async with at_work(services, dsn, parts):
            await services.stopping.wait()


@cli.command("migrate")
def migrate_schema() -> None:
    """Bring the database's schema to the newest version."""
    _with_database(migrate.migrate)
    said.print("The schema is up to date.")


@cli.command()
def check() -> None:
    """Say what in the configuration is missing or wrong; try the database and each region's host."""
    config = _config()
    failures = 0
    for region in Region:
        failures += not _check_region(config, region)
    with _database(config) as dsn:
        _await(_reachable(config, dsn))
    said.print("[green]ok[/]    the database answers")
    if not config.regions:
        said.print("[red]wrong[/] no region: set LEVITATE_CLIO_REGIONS__US__CLIENT_ID and …_SECRET")
        failures += 1
    raise typer.Exit(2 if failures else 0)


def _check_region(config: Config, region: Region) -> bool:
    registered = config.regions.get(region.value)
    if registered is None:
        said.print(f"[dim]none[/]  region {region}: not offered (no client id and secret)")
        return True
    origin = registered.origin or origin_of(region)
    try:
        httpx.get(origin, timeout=10, follow_redirects=False, trust_env=False)
    except httpx.HTTPError as error:
        said.print(
            f"[red]wrong[/] region {region}: {origin} cannot be reached ({type(error).__name__})"
        )
        return False
    said.print(f"[green]ok[/]    region {region}: {origin} answers")
    return True


@token_cli.command("create")
def token_create(
    name: Annotated[str, typer.Option(help="What the token is for")],
    account: Annotated[
        list[str] | None, typer.Option(help="Only for this account; repeatable")
    ] = None,
) -> None:
    """Make a service token. It stands alone on the last line of stdout, this once."""
    token, token_id, secret_hash = new_service_token()
    ids = tuple(account) if account else None
    made = ServiceToken(token_id, name, secret_hash, ids, now(), None)

    async def add(database: Database) -> None:
        async with transaction(database) as session:
            await access.add_token(session, made)

    _with_database(add)
    said.print(
        f"Token {token_id} for {', '.join(ids) if ids else 'all accounts'}. It is shown once:"
    )
    sys.stdout.write(token + "\n")


@token_cli.command("list")
def token_list() -> None:
    """List service tokens, without their secrets."""

    async def read(database: Database) -> list[ServiceToken]:
        async with transaction(database) as session:
            return await access.list_tokens(session)

    table = Table("id", "name", "accounts", "created", "revoked")
    for token in _with_database(read):
        ids = "all" if token.account_ids is None else ", ".join(token.account_ids)
        times = [
            moment.isoformat(timespec="seconds") if moment else ""
            for moment in (token.created_at, token.revoked_at)
        ]
        table.add_row(token.token_id, token.name, ids, *times)
    Console().print(table)


@token_cli.command("revoke")
def token_revoke(token_id: str) -> None:
    """Revoke a service token at once."""

    async def revoke(database: Database) -> bool:
        async with transaction(database) as session:
            return await access.revoke_token(session, token_id, now=now())

    if not _with_database(revoke):
        _fail(f"There is no live token {token_id}; `levitate-clio token list` shows them")
    said.print(f"Token {token_id} is revoked.")


@cli.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the summary")] = False,
    contacts: Annotated[int, typer.Option(help="Contacts in the simulated firm")] = 2000,
    port: Annotated[
        int | None, typer.Option(help="Port of the service; a free one unless told")
    ] = None,
) -> None:
    """Everything on embedded defaults: a simulated firm is connected, pulled, judged and served."""
    try:
        demonstration.run(once=once, contacts=contacts, port=port)
    except demonstration.DemoFailed as error:
        _fail(str(error))


@cli.command()
def simulator(
    port: Annotated[int, typer.Option(help="Port of the US region; EU, CA and AU follow")] = 9000,
    contacts: Annotated[int, typer.Option(help="Contacts in the seeded firm")] = 2000,
    seed: Annotated[int, typer.Option(help="Another seed, another firm")] = 1,
    redirect_uri: Annotated[
        str, typer.Option(help="The service's callback, as registered")
    ] = "http://127.0.0.1:8000/oauth/clio/callback",
    rate_limit: Annotated[int, typer.Option(help="Requests a minute and token")] = 50,
    latency: Annotated[float, typer.Option(help="Seconds that each answer takes")] = 0.0,
) -> None:
    """A Clio of our own, as strict as the real one, to develop against."""
    ports = {region.value: port + nth for nth, region in enumerate(Region)}
    for region_port in ports.values():
        _listener("127.0.0.1", region_port).close()
    firms = simulating.firms(contacts=contacts, seed=seed, now=now)
    sim = simulating.Simulator(
        firms, now=now, redirect_uris=[redirect_uri], rate_limit=rate_limit, latency=latency
    )
    for region, region_port in ports.items():
        said.print(f"Clio {region} at http://127.0.0.1:{region_port}")
    _await(simulating.run(sim, "127.0.0.1", ports))


def _config() -> Config:
    """The configuration; its mistakes end the process with a line each."""
    try:
        config = Config()
    except ValidationError as error:
        _fail(*configuration.problems(error))
    logs.configure(config.log_level, config.log_format)
    return config


def _with_keys(config: Config) -> Config:
    """The configuration with keys to seal secrets: the configured ones, or the embedded database's own."""
    if config.encryption_keys is None:
        if config.database_url is not None:
            _fail(
                "LEVITATE_CLIO_ENCRYPTION_KEYS: is missing; set it to 32 random bytes in URL-safe base64,"
                f" such as a new one: {new_key()}"
            )
        kept = _kept_key(Path(config.data_dir) / "encryption.key")
        config = config.model_copy(update={"encryption_keys": SecretStr(kept)})
    try:
        TokenCipher(config.encryption_key_list())
    except KeyInvalid as error:
        _fail(f"LEVITATE_CLIO_ENCRYPTION_KEYS: {error}")
    return config


def _kept_key(path: Path) -> str:
    """The key beside the embedded database, made once, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(new_key())
    except FileExistsError:
        pass  # made at an earlier start
    return path.read_text().strip()


@contextmanager
def _database(config: Config) -> Iterator[str]:
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
        _fail(str(error))
    try:
        yield server.dsn
    finally:
        server.stop()


async def _reachable(config: Config, dsn: str) -> None:
    database = open_database(dsn.replace("postgresql://", "postgresql+asyncpg://", 1))
    try:
        async with transaction(database):
            pass
    finally:
        await database.dispose()


def _with_database(act: Callable[[Database], Coroutine[Any, Any, T]]) -> T:
    config = _config()

    async def acting(dsn: str) -> T:
        database = open_database(dsn.replace("postgresql://", "postgresql+asyncpg://", 1))
        try:
            return await act(database)
        finally:
            await database.dispose()

    with _database(config) as dsn:
        return _await(acting(dsn))


def _await(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except DatabaseUnavailable:
        _fail("The database cannot be reached; check LEVITATE_CLIO_DATABASE_URL and that it runs")


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        _fail(f"{host}:{port} cannot be listened on ({error.strerror}); choose another with --port")
    return listener


def _fail(*lines: str) -> NoReturn:
    for line in lines:
        said.print(line, markup=False)
    raise typer.Exit(2)


if __name__ == "__main__":
    main()
