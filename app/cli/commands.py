"""The `levitate-clio` command: run the service and its workers, manage database, tokens and keys, show the demo.

For a mistake in the configuration or the environment a command prints one line on stderr and exits with code 2.
"""

import asyncio
import signal
import socket
from functools import partial
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI
from typing_extensions import override

from app import logs
from app.cli import check as checks
from app.cli import demonstration
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
from app.cli.options import CommandGroup, Host, Port
from app.cli.startup import add_keys, listen, read_config, spare_collector, stderr
from app.cli.tokens import token_cli
from app.loop_watch import LoopWatch
from app.main import Parts, create_app, create_worker_app
from app.sync.background import Background

cli = typer.Typer(
    cls=CommandGroup, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__
)
cli.add_typer(token_cli, name="token")
cli.add_typer(keys_cli, name="keys")

MAX_HEADER_BYTES = 64 * 1024  # of a request: its first line and its headers
COLOURS = {Level.OK: "green", Level.NONE: "dim", Level.WARNING: "yellow", Level.WRONG: "red"}


def main() -> None:
    """Run the command line."""
    logs.log_what_python_prints()
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
    with app.state.start.process.loop.end_when_stuck():
        _Server(server_config(app), app).run(sockets=[listener])


def server_config(app: FastAPI) -> uvicorn.Config:
    """Return how the application is served. Only a trusted proxy may say from where a request comes.

    The parser is h11, because it limits the size of a request's headers; the faster httptools does not [T12].
    """
    proxies = app.state.start.config.trusted_proxy_list()
    return uvicorn.Config(
        app,
        http="h11",
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=25,
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
    )


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


cli.command()(demonstration.demo)
cli.command()(demonstration.simulator)
