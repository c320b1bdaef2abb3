"""The simulator on real sockets: one port for each region, with control endpoints for other processes.

- `POST /_simulator/faults` switches a fault on; DELETE switches all faults off.
- `POST /_simulator/write-faults` switches a fault of writes on.
- `POST /_simulator/quirks` sets the switches of `Quirks`.
- `POST /_simulator/mutations` changes records (`{"op": "put"|"delete"|"restrict_matter"|"revoke_user"|"expire", …}`).
- `GET /_simulator/records/{kind}` returns all records of a kind, such as `note`.
- `GET /_simulator/log` and `GET /_simulator/stats` return the requests that were received.

Beside them is the sandbox for people and programs (`app/simulator/sandbox`). Neither has a token; both refuse what a
page of another site sends.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import uvicorn
from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override

from app.simulator.faults.apply import TRANSPORT
from app.simulator.faults.faults import Effect, Fault, WriteEffect, WriteFault
from app.simulator.faults.quirks import Quirks
from app.simulator.firms.harlow_pike import harlow_pike
from app.simulator.firms.seeded import seeded_firm
from app.simulator.http.server import REGIONS, Simulator, log_entry_json
from app.simulator.sandbox import routes as sandbox_routes
from app.simulator.sandbox.guard import only_from_here
from app.simulator.store.firm import Firm

__all__ = ["Simulator", "firms", "run"]

SMALL_FIRM = 200  # contacts of a firm outside the US
WEBHOOK_INTERVAL = 0.5  # seconds between deliveries


class _FaultFields(BaseModel):
    """The fields of every fault beside its effect."""

    model_config = ConfigDict(extra="forbid")

    path: str = "."
    times: int = 1
    skip: int = 0
    value: str = ""


class FaultIn(_FaultFields):
    """A fault to switch on. With `user` it hits only the requests of that Clio user."""

    effect: Effect
    user: int | None = None


class WriteFaultIn(_FaultFields):
    """A fault of writes to switch on."""

    effect: WriteEffect


class Mutation(BaseModel):
    """A change to a firm of a region (`firm`: its position), or to its users' tokens."""

    model_config = ConfigDict(extra="forbid")

    op: str
    region: str = "us"
    firm: int = 0
    kind: str = "contact"
    record: dict[str, Any] = {}
    id: int = 0
    users: list[int] | None = None


def firms(*, contacts: int, seed: int, now: Callable[[], datetime]) -> list[Firm]:
    """Return the built-in firms: in the US a seeded one of any size and Harlow & Pike, in other regions small ones.

    Ids are unique within a region only; firms of different regions share them.
    """
    small = min(contacts, SMALL_FIRM)
    return [
        seeded_firm(contacts=contacts, seed=seed, now=now),
        harlow_pike(now),
        *(
            seeded_firm(contacts=small, seed=seed, region=region, now=now)
            for region in REGIONS
            if region != "us"
        ),
    ]


class _Server(uvicorn.Server):
    """A uvicorn server that does not handle signals; the caller does."""

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _WithTransport:
    """Gives the faults access to the socket of a request, which some of them close."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cycle = getattr(
            send, "__self__", None
        )  # uvicorn's request cycle, in both of its HTTP protocols
        if scope["type"] == "http" and cycle is not None:
            scope["extensions"] = {**scope.get("extensions", {}), TRANSPORT: cycle.transport}
        await self._app(scope, receive, send)


async def run(simulator: Simulator, host: str, ports: Mapping[str, int]) -> None:
    """Serve the regions until cancelled."""
    sandbox = sandbox_routes.Sandbox(simulator)
    async with asyncio.TaskGroup() as group:
        group.create_task(_post_webhooks(simulator))
        for region, port in ports.items():
            app = simulator.app(region)
            app.include_router(_control(simulator, host))
            app.include_router(sandbox_routes.router(sandbox, region, host))
            config = uvicorn.Config(
                _WithTransport(app),
                host=host,
                port=port,
                log_level="error",
                access_log=False,
                lifespan="off",
            )
            group.create_task(_serve(_Server(config)))


async def _post_webhooks(simulator: Simulator) -> None:
    """Deliver webhooks until cancelled."""
    while True:
        await asyncio.sleep(WEBHOOK_INTERVAL)
        await simulator.webhooks.deliver()


async def _serve(server: _Server) -> None:
    """Serve until cancelled; then close the port and the open requests."""
    try:
        await server.serve()
    finally:
        if server.started:
            server.force_exit = True
            await server.shutdown()


def _control(simulator: Simulator, host: str) -> APIRouter:
    router = APIRouter(
        prefix="/_simulator",
        route_class=sandbox_routes.SafeRoute,
        dependencies=[Depends(only_from_here(host))],
    )
    _add_write_endpoints(router, simulator)

    @router.post("/faults", status_code=204)
    async def add_fault(fault: FaultIn) -> None:
        simulator.faults.add(Fault(**fault.model_dump()))

    @router.delete("/faults", status_code=204)
    async def clear_faults() -> None:
        simulator.faults.clear()

    @router.post("/quirks", status_code=204)
    async def set_quirks(quirks: Quirks) -> None:
        simulator.quirks = quirks

    @router.post("/mutations", status_code=204)
    async def mutate(mutation: Mutation) -> None:
        _mutate(simulator, mutation)

    @router.get("/log")
    async def log(after: int = 0) -> list[dict[str, Any]]:
        return [log_entry_json(entry) for entry in list(simulator.log)[after:]]

    @router.get("/stats")
    async def stats() -> dict[str, Any]:
        paths = Counter(entry.path for entry in simulator.log)
        return {
            "requests": len(simulator.log),
            "refused": simulator.limits.refused,
            "paths": dict(paths),
        }

    return router


def _add_write_endpoints(router: APIRouter, simulator: Simulator) -> None:
    @router.post("/write-faults", status_code=204)
    async def add_write_fault(fault: WriteFaultIn) -> None:
        simulator.faults.add(WriteFault(**fault.model_dump()))

    @router.get("/records/{kind}")
    async def records(kind: str) -> list[dict[str, Any]]:
        return simulator.records(kind)


def _mutate(simulator: Simulator, mutation: Mutation) -> None:
    oauth = simulator.oauth[mutation.region]
    firm = oauth.firms[mutation.firm]
    match mutation.op:
        case "put":
            firm.put(mutation.kind, mutation.record)
        case "delete":
            firm.delete(mutation.kind, mutation.id)
        case "restrict_matter":
            firm.restrict_matter(mutation.id, mutation.users)
        case "revoke_user":
            oauth.revoke_user(mutation.id)
        case "expire":
            oauth.expire_access_tokens()
        case _:
            raise ValueError(f"no such operation: {mutation.op}")
