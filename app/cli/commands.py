"""The `levitate-clio` command: run the service and its workers, manage database, tokens and keys, show the demo.

For a mistake in the configuration or the environment a command prints one line on stderr and exits with code 2.
"""

import asyncio
import signal
import socket
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI
from typing_extensions import override

from app.cli import check as checks
from app.cli.check import Level
from app.cli.database import (
    check_database,
    migrate_schema,
    prepare_now_or_later,
    run_async,
    running_database,
    with_open_database,
)
from app.cli.keys import keys_cli
from app.cli.options import CallbackUrl, CommandGroup, Contacts, Host, Latency, Port
from app.cli.startup import add_keys, fail, listen, read_config, spare_collector, stderr
from app.cli.tokens import token_cli
from app.clio.regions import Region
from app.demo import walkthrough
from app.demo.processes import DemoFailed
from app.loop_watch import LoopWatch
from app.main import Parts, create_app, create_worker_app, now
from app.simulator.http import sockets
from app.simulator.http.server import credentials
from app.sync.background import Background

cli = typer.Typer(
    cls=CommandGroup, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__
)
cli.add_typer(token_cli, name="token")
cli.add_typer(keys_cli, name="keys")

COLOURS = {Level.OK: "green", Level.NONE: "dim", Level.WARNING: "yellow", Level.WRONG: "red"}


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
    host: Host = "127.0.0.1",
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
        prepare = partial(check_database, config=config, migrates=not no_migrate)
        later = prepare_now_or_later(address, prepare)
        app = create_app(config, address, parts, later)
        spare_collector()
        _run_server(app, listener)
        _exit(app)


@cli.command()
def worker(host: Host = "127.0.0.1") -> None:
    """Run scheduler and workers without the API; start as many of these as you need.

    It listens for health checks and metrics on the port LEVITATE_CLIO_WORKER_PORT, on none if that is 0.
    """
    config = add_keys(read_config())
    port, how = config.worker_port, "LEVITATE_CLIO_WORKER_PORT"
    listener = listen(host, port, how=how) if port else None
    with running_database(config) as address:
        later = prepare_now_or_later(address, partial(check_database, config=config))
        app = create_worker_app(config, address, Parts(), later)
        spare_collector()
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
def migrate() -> None:
    """Migrate the database's schema to this version."""
    with running_database(read_config()) as address:
        run_async(with_open_database(address, migrate_schema))
    stderr.print("The schema is up to date.")


@cli.command()
def check() -> None:
    """Report what is missing or wrong in the configuration; test the database and each region's host.

    Exits with 1 if something is missing that `serve` needs for its work, and with 0 if something is only recommended.
    """
    is_wrong = False
    for finding in checks.find(read_config()):
        stderr.print(f"[{COLOURS[finding.level]}]{finding.level:<8}[/]", end="")
        stderr.print(finding.text, markup=False)
        is_wrong = is_wrong or finding.level is Level.WRONG
    raise typer.Exit(1 if is_wrong else 0)


@cli.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Exit after the summary")] = False,
    contacts: Contacts = 2000,
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
        int,
        typer.Option(
            min=1, max=65_532, help="Port of the US region; EU, CA and AU use the next three"
        ),
    ] = 9000,
    contacts: Contacts = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the firm's random data")] = 1,
    redirect_uri: CallbackUrl = "http://127.0.0.1:8000/oauth/clio/callback",
    rate_limit: Annotated[int, typer.Option(min=1, help="Requests per minute for each token")] = 50,
    latency: Latency = 0.0,
) -> None:
    """Run a simulated Clio, as strict as the real one, for development. Prints what to set to connect to it."""
    ports = {region.value: port + nth for nth, region in enumerate(Region)}
    for region_port in ports.values():
        listen("127.0.0.1", region_port).close()
    firms = sockets.firms(contacts=contacts, seed=seed, now=now)
    sim = sockets.Simulator(
        firms, now=now, redirect_uris=[redirect_uri], rate_limit=rate_limit, latency=latency
    )
    for line in _how_to_connect(ports, redirect_uri):
        stderr.print(line, markup=False)
    run_async(sockets.run(sim, "127.0.0.1", ports))


def _how_to_connect(ports: Mapping[str, int], redirect_uri: str) -> Iterator[str]:
    """Yield the addresses, and the variables with which `serve` can connect a user of the simulated firms."""
    for region, port in ports.items():
        yield f"Clio {region} at http://127.0.0.1:{port}"
    yield "Set these variables to connect the service; of the regions, those that you need:"
    for region, port in ports.items():
        client_id, client_secret = credentials(region)
        name = f"export LEVITATE_CLIO_REGIONS__{region.upper()}__"
        yield f"{name}CLIENT_ID={client_id}"
        yield f"{name}CLIENT_SECRET={client_secret}"
        yield f"{name}ORIGIN=http://127.0.0.1:{port}"
    public_url = redirect_uri.removesuffix("/oauth/clio/callback")
    yield f"export LEVITATE_CLIO_PUBLIC_URL={public_url}"
    yield f"export LEVITATE_CLIO_RETURN_ORIGINS={public_url}"
    yield "export LEVITATE_CLIO_SERVICE_TOKEN=<16 characters or more, for your calls of the API>"
    yield f"Registered redirect URI: {redirect_uri}"
