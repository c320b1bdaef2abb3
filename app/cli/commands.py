"""The `levitate-clio` command: run the service and its workers, manage database, tokens and keys, show the demo.

For a mistake in the configuration or the environment a command prints one line on stderr and exits with code 2.
"""

import asyncio
import signal
import socket
from functools import partial
from typing import Annotated

import httpx
import typer
import uvicorn
from fastapi import FastAPI
from typing_extensions import override

from app.cli.keys import keys_cli
from app.cli.startup import (
    add_keys,
    check_database,
    check_schema,
    fail,
    listen,
    prepare_now_or_later,
    read_config,
    run_async,
    running_database,
    stderr,
    with_open_database,
)
from app.cli.tokens import token_cli
from app.clio.regions import Region, origin_of
from app.config import Config
from app.demo import walkthrough
from app.demo.processes import DemoFailed
from app.loop_watch import LoopWatch
from app.main import Parts, create_app, create_worker_app, now
from app.simulator.http import sockets
from app.sync.background import Background

cli = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
cli.add_typer(token_cli, name="token")
cli.add_typer(keys_cli, name="keys")

Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on")]


def main() -> None:
    """Run the command line."""
    cli()


class _Server(uvicorn.Server):
    """A server that ends when the service must stop, and tells the service at once when the server must.

    So runs are interrupted and long polls return. uvicorn alone waits for all responses first, and a long poll takes up
    to half a minute.
    """

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    @override
    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or self._app.state.services.stopping.is_set()

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.services.stopping.set()
        await super().shutdown(sockets)


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Port = 8000,
    no_migrate: Annotated[
        bool, typer.Option("--no-migrate", help="Do not migrate the schema")
    ] = False,
    no_workers: Annotated[bool, typer.Option("--no-workers", help="Run the API only")] = False,
) -> None:
    """Run API, scheduler and workers in one process."""
    config = add_keys(read_config())
    listener = listen(host, port)
    parts = Parts(workers=not no_workers, clock=not no_workers)
    with running_database(config) as address:
        migrate_at = None if no_migrate else address
        prepare = partial(check_database, config=config, migrate_at=migrate_at)
        later = prepare_now_or_later(address, prepare)
        app = create_app(config, address, parts, later)
        _run_server(app, listener)
        _exit(app)


@cli.command()
def worker(
    host: Annotated[
        str, typer.Option(help="Address of the health checks and metrics")
    ] = "127.0.0.1",
) -> None:
    """Run scheduler and workers without the API; start as many of these as you need.

    LEVITATE_CLIO_WORKER_PORT is the port of health checks and metrics, 0 for none.
    """
    config = add_keys(read_config())
    listener = listen(host, config.worker_port) if config.worker_port else None
    with running_database(config) as address:
        later = prepare_now_or_later(address, partial(check_database, config=config))
        app = create_worker_app(config, address, Parts(), later)
        if listener is not None:
            _run_server(app, listener)
        else:
            asyncio.run(_work(app))
        _exit(app)


def _run_server(app: FastAPI, listener: socket.socket) -> None:
    """Serve until a signal arrives or the service must end."""
    serving = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=25,
        h11_max_incomplete_event_size=64 * 1024,
    )
    with app.state.start.process.loop.end_when_stuck():
        _Server(serving, app).run(sockets=[listener])


async def _work(app: FastAPI) -> None:
    """Run the lifespan of an application that listens on no port, until a signal arrives."""
    loop: LoopWatch = app.state.start.process.loop
    with loop.end_when_stuck():
        async with app.router.lifespan_context(app):
            stopping: asyncio.Event = app.state.services.stopping
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, stopping.set)
            await stopping.wait()


def _exit(app: FastAPI) -> None:
    """Exit with the code of the supervisor if it ended the process."""
    background: Background | None = getattr(app.state, "background", None)
    if background is not None and background.supervisor.exit_code:
        raise typer.Exit(background.supervisor.exit_code)


@cli.command("migrate")
def migrate_schema() -> None:
    """Migrate the database's schema to this version."""
    with running_database(read_config()) as address:
        run_async(with_open_database(address, partial(check_schema, migrate_at=address)))
    stderr.print("The schema is up to date.")


@cli.command()
def check() -> None:
    """Report what is missing or wrong in the configuration; test the database and each region's host."""
    config = read_config()
    failures = 0
    for region in Region:
        failures += not _check_region(config, region)
    if not config.regions:
        stderr.print(
            "[red]wrong[/] no region is configured: set LEVITATE_CLIO_REGIONS__US__CLIENT_ID and …__US__CLIENT_SECRET"
        )
        failures += 1
    config = add_keys(config)
    with running_database(config) as address:
        run_async(with_open_database(address, partial(check_database, config=config)))
    stderr.print(
        "[green]ok[/]    the database responds, its schema is current, the keys decrypt its secrets"
    )
    raise typer.Exit(2 if failures else 0)


def _check_region(config: Config, region: Region) -> bool:
    registered = config.regions.get(region.value)
    if registered is None:
        stderr.print(f"[dim]none[/]  region {region}: not configured (no client id and secret)")
        return True
    origin = registered.origin or origin_of(region)
    try:
        with httpx.stream("GET", origin, timeout=10, follow_redirects=False, trust_env=False):
            pass  # the body is not read: only the host is checked
    except httpx.HTTPError as error:
        stderr.print(
            f"[red]wrong[/] region {region}: {origin} cannot be reached ({type(error).__name__})"
        )
        return False
    stderr.print(f"[green]ok[/]    region {region}: {origin} responds")
    return True


@cli.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Exit after the summary")] = False,
    contacts: Annotated[int, typer.Option(min=1, help="Contacts in the simulated firm")] = 2000,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port of the service; default: a free one"),
    ] = None,
) -> None:
    """Show the service with an embedded database and a simulated firm: connect, pull, assess, serve."""
    try:
        walkthrough.run(once=once, contacts=contacts, port=port)
    except DemoFailed as error:
        fail(str(error))
    except KeyboardInterrupt:
        stderr.print("\nStopped. Nothing is left behind.")
        raise typer.Exit(130) from None


@cli.command()
def simulator(
    port: Annotated[
        int, typer.Option(help="Port of the US region; EU, CA and AU use the next three")
    ] = 9000,
    contacts: Annotated[int, typer.Option(help="Contacts in the seeded firm")] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the firm's random data")] = 1,
    redirect_uri: Annotated[
        str, typer.Option(help="The service's callback URL, as registered with Clio")
    ] = "http://127.0.0.1:8000/oauth/clio/callback",
    rate_limit: Annotated[int, typer.Option(help="Requests per minute for each token")] = 50,
    latency: Annotated[float, typer.Option(help="Seconds until each response")] = 0.0,
) -> None:
    """Run a simulated Clio, as strict as the real one, for development."""
    ports = {region.value: port + nth for nth, region in enumerate(Region)}
    for region_port in ports.values():
        listen("127.0.0.1", region_port).close()
    firms = sockets.firms(contacts=contacts, seed=seed, now=now)
    sim = sockets.Simulator(
        firms, now=now, redirect_uris=[redirect_uri], rate_limit=rate_limit, latency=latency
    )
    for region, region_port in ports.items():
        stderr.print(f"Clio {region} at http://127.0.0.1:{region_port}")
    run_async(sockets.run(sim, "127.0.0.1", ports))
