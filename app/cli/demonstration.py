"""The commands of the demonstration and of the simulated Clio, which are no part of the service's own wheel.

They are in a wheel of their own, which the extra `demo` installs; a checkout has both. So nothing else imports them.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated

import typer

from app.cli.database import run_async
from app.cli.options import CallbackUrl, Contacts, Host, Latency, RateLimit
from app.cli.startup import fail, listen, stderr
from app.clio.regions import Region
from app.errors import CannotStart
from app.main import now

PARTS = ("app.demo", "app.simulator")


@contextmanager
def _installed() -> Iterator[None]:
    """Raise CannotStart if the block imports what is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith(PARTS):
            raise
        raise CannotStart(
            "The demonstration and the simulator are not installed; install levitate-clio[demo]"
        ) from None


def demo(
    once: Annotated[bool, typer.Option("--once", help="Exit after the summary")] = False,
    contacts: Contacts = 2000,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port of the service; default: a free one"),
    ] = None,
    rate_limit: RateLimit = 50,
) -> None:
    """Show the service with an embedded database and a simulated firm: connect, pull, assess, serve."""
    with _installed():
        from app.demo import walkthrough
        from app.demo.processes import DemoFailed, Simulated
    try:
        walkthrough.run(Simulated(contacts, rate_limit), once=once, port=port)
    except DemoFailed as error:
        fail(str(error))
    except KeyboardInterrupt:
        stderr.print("\nStopped. Nothing is left behind.")
        raise typer.Exit(130) from None


def simulator(  # noqa: PLR0913  # the options of a command are its parameters
    port: Annotated[
        int,
        typer.Option(
            min=1, max=65_532, help="Port of the US region; EU, CA and AU use the next three"
        ),
    ] = 9000,
    contacts: Contacts = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the firm's random data")] = 1,
    redirect_uri: CallbackUrl = "http://127.0.0.1:8000/oauth/clio/callback",
    rate_limit: RateLimit = 50,
    latency: Latency = 0.0,
    host: Host = "127.0.0.1",
) -> None:
    """Run a simulated Clio, as strict as the real one, for development. Prints what to set to connect to it.

    It has no token: with another host, everybody who reaches it can change its firms.
    """
    with _installed():
        from app.simulator.http import sockets
    ports = {region.value: port + nth for nth, region in enumerate(Region)}
    for region_port in ports.values():
        listen(host, region_port).close()
    firms = sockets.firms(contacts=contacts, seed=seed, now=now)
    sim = sockets.Simulator(
        firms, now=now, redirect_uris=[redirect_uri], rate_limit=rate_limit, latency=latency
    )
    for line in _how_to_connect(host, ports, redirect_uri):
        stderr.print(line, markup=False)
    run_async(sockets.run(sim, host, ports))


def _how_to_connect(host: str, ports: Mapping[str, int], redirect_uri: str) -> Iterator[str]:
    """Yield the addresses, and the variables with which `serve` can connect a user of the simulated firms."""
    name = f"[{host}]" if ":" in host else host
    for region, port in ports.items():
        yield f"Clio {region} at http://{name}:{port}, its sandbox at http://{name}:{port}/sandbox"
    yield "Set these variables to connect the service; of the regions, those that you need:"
    from app.simulator.http.server import credentials

    for region, port in ports.items():
        client_id, client_secret = credentials(region)
        variable = f"export LEVITATE_CLIO_REGIONS__{region.upper()}__"
        yield f"{variable}CLIENT_ID={client_id}"
        yield f"{variable}CLIENT_SECRET={client_secret}"
        yield f"{variable}ORIGIN=http://{name}:{port}"
    public_url = redirect_uri.removesuffix("/oauth/clio/callback")
    yield f"export LEVITATE_CLIO_PUBLIC_URL={public_url}"
    yield f"export LEVITATE_CLIO_RETURN_ORIGINS={public_url}"
    yield "export LEVITATE_CLIO_SERVICE_TOKEN=<32 random characters or more, for your calls of the API>"
    yield f"Registered redirect URI: {redirect_uri}"
