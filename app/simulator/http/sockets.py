"""The simulator on real sockets: one port for each region, and a way to steer it from another process.

Steering, beside Clio's own addresses: `POST /_simulator/faults` switches a fault on (DELETE: all off),
Steering, beside Clio's own addresses: `POST /_simulator/faults` switches a fault on (DELETE: all off),
`POST /_simulator/write-faults` a bad day of writing, `POST /_simulator/habits` sets the switches of `Habits`,
`POST /_simulator/mutations` changes records (`{"op": "put"|"delete"|"restrict_matter"|"revoke_user"|"expire", …}`).
`GET /_simulator/writings/note|communication` tells what was written, `GET /_simulator/log` and
`GET /_simulator/stats` what was asked.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import uvicorn
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override

from app.simulator.faults.apply import TRANSPORT
from app.simulator.faults.faults import Effect, Fault
from app.simulator.faults.quirks import Habits
from app.simulator.faults.writings import Effect as WriteEffect
from app.simulator.faults.writings import WriteFault
from app.simulator.firms.harlow_pike import harlow_pike
from app.simulator.firms.seeded import seeded_firm
from app.simulator.http.server import REGIONS, Simulator, logged
from app.simulator.store.firm import Firm

__all__ = ["Simulator", "firms", "run"]

SMALL = 200  # contacts of a firm outside the US


POSTED_EVERY = 0.5  # seconds


class FaultIn(BaseModel):
    """A fault to switch on."""

    model_config = ConfigDict(extra="forbid")

    effect: Effect
    path: str = "."
    times: int = 1
    skip: int = 0
    value: str = ""


class WriteFaultIn(BaseModel):
    """A bad day of writing to switch on."""

    model_config = ConfigDict(extra="forbid")

    effect: WriteEffect
    path: str = "."
    times: int = 1
    skip: int = 0
    value: str = "0"


class Mutation(BaseModel):
    """A change of the first firm of a region, or of its users' tokens."""

    model_config = ConfigDict(extra="forbid")

    op: str
    region: str = "us"
    firm: int = 0
    kind: str = "contact"
    record: dict[str, Any] = {}
    id: int = 0
    users: list[int] | None = None


def firms(*, contacts: int, seed: int, now: Callable[[], datetime]) -> list[Firm]:
    """The firms that ship with the simulator: in the US a seeded one of any size and the fixture, elsewhere small ones.

    Ids are unique within a region only, so the small ones share theirs with the first.
    """
    small = min(contacts, SMALL)
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
    """A server that leaves signals to the one who runs it."""

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _OnSockets:
    """Hands the socket under a request to those faults that break it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cycle = getattr(send, "__self__", None)  # uvicorn's own, in both of its HTTP protocols
        if scope["type"] == "http" and cycle is not None:
            scope["extensions"] = {**scope.get("extensions", {}), TRANSPORT: cycle.transport}
        await self._app(scope, receive, send)


async def run(simulator: Simulator, host: str, ports: Mapping[str, int]) -> None:
    """Serve the regions until cancelled."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_post_webhooks(simulator))
        for region, port in ports.items():
            app = simulator.app(region)
            app.include_router(_steering(simulator))
            config = uvicorn.Config(
                _OnSockets(app),
                host=host,
                port=port,
                log_level="error",
                access_log=False,
                lifespan="off",
            )
            group.create_task(_serve(_Server(config)))


async def _post_webhooks(simulator: Simulator) -> None:
    """Post what happened, until cancelled."""
    while True:
        await asyncio.sleep(POSTED_EVERY)
        await simulator.webhooks.deliver()


async def _serve(server: _Server) -> None:
    """Serve until cancelled; then let go of the port and of whoever still waits for an answer."""
    try:
        await server.serve()
    finally:
        if server.started:
            server.force_exit = True
            await server.shutdown()


def _steering(simulator: Simulator) -> APIRouter:
    router = APIRouter(prefix="/_simulator")
    _steer_writing(router, simulator)

    @router.post("/faults", status_code=204)
    async def add_fault(fault: FaultIn) -> None:
        simulator.faults.add(Fault(**fault.model_dump()))

    @router.delete("/faults", status_code=204)
    async def clear_faults() -> None:
        simulator.faults.clear()

    @router.post("/habits", status_code=204)
    async def turn(habits: Habits) -> None:
        simulator.habits = habits

    @router.post("/mutations", status_code=204)
    async def mutate(mutation: Mutation) -> None:
        _mutate(simulator, mutation)

    @router.get("/log")
    async def log(after: int = 0) -> list[dict[str, Any]]:
        return [logged(entry) for entry in list(simulator.log)[after:]]

    @router.get("/stats")
    async def stats() -> dict[str, Any]:
        paths = Counter(entry.path for entry in simulator.log)
        return {
            "requests": len(simulator.log),
            "refused": simulator.limits.refused,
            "paths": dict(paths),
        }

    return router


def _steer_writing(router: APIRouter, simulator: Simulator) -> None:
    @router.post("/write-faults", status_code=204)
    async def add_write_fault(fault: WriteFaultIn) -> None:
        simulator.writings.faults.append(WriteFault(**fault.model_dump()))

    @router.get("/writings/{kind}")
    async def written(kind: str) -> list[dict[str, Any]]:
        return simulator.writings.of(kind)


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
