"""A firm with two logins whose runs a test does slice by slice, each within a budget."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from time import monotonic
from typing import Any

import asyncpg

from app.clio.call_budget import CallBudget
from app.db.runs import runs
from app.simulator.faults.faults import Fault
from app.simulator.firms.harlow_pike import NOW
from tests.support.postgres import MIGRATED, Server
from tests.support.sessions import as_owner
from tests.support.slices import do_slice
from tests.support.world import World, generous_simulator, harlow_and_pike, opened_world

ANN, BEN = 501, 502
MOST_ATTEMPTS = 500

NewBudget = Callable[[], CallBudget]


def within(**limits: Any) -> NewBudget:
    return lambda: CallBudget(monotonic, **{**UNLIMITED, **limits})


UNLIMITED = {"seconds": 600.0, "calls": 10_000, "records": 10_000}


class SlicedFirm:
    """A firm with two logins, whose runs are executed attempt by attempt within a budget each."""

    def __init__(self, world: World, budget: NewBudget) -> None:
        self.world = world
        self.budget = budget
        self.late = timedelta(0)
        self.waits: list[timedelta] = []

    async def attempt(self, run_id: str) -> timedelta | None:
        """Do one slice of the run; return after what time the next one is due, None when the run has ended."""
        services = self.world.app.state.services
        now = services.now
        moved = replace(services, now=lambda: now() + self.late, open_budget=self.budget)
        async with as_owner(services.database) as session:
            run = await runs.get_run(session, "hp", run_id)
        after = await do_slice(moved, run.lane)
        async with as_owner(services.database) as session:
            run = await runs.get_run(session, "hp", run_id)
        return None if run.finished_at else after

    async def finish(self, run_id: str) -> dict[str, Any]:
        """Work on a run until it ends, after its waits; check that no request was sent twice."""
        before = len(self.world.simulator.requests())
        for _ in range(MOST_ATTEMPTS):
            after = await self.attempt(run_id)
            if after is None:
                break
            self.waits.append(after)
            self.late += after
        run: dict[str, Any] = (await self.world.api.get(f"/v1/accounts/hp/runs/{run_id}")).json()
        asked = self.world.simulator.requests()[before:]
        twice = Counter((one.user_id, one.method, one.path, one.query) for one in asked)
        assert not [what for what, times in twice.items() if times > 1]
        return run

    async def ask(self, kind: str = "incremental", **more: Any) -> str:
        """Request a run; return its id."""
        key = {"Idempotency-Key": f"key-{len(await self.world.runs())}"}
        body = {"kind": kind, **more}
        asked = await self.world.api.post("/v1/accounts/hp/runs", json=body, headers=key)
        run_id: str = asked.json()["id"]
        return run_id

    async def run(self, kind: str = "incremental", **more: Any) -> dict[str, Any]:
        return await self.finish(await self.ask(kind, **more))

    async def connect(self, user_id: str, clio_user: int) -> dict[str, Any]:
        await self.world.connect(user_id, clio_user)
        (run,) = [one for one in await self.world.runs() if one["status"] == "queued"]
        return await self.finish(run["id"])

    def put(self, kind: str, minutes: int = 0, **record: Any) -> None:
        self.world.simulator.firms[0].put(kind, record, at=NOW + timedelta(minutes=minutes))

    def delete(self, kind: str, *clio_ids: int) -> None:
        for clio_id in clio_ids:
            self.world.simulator.firms[0].delete(kind, clio_id)

    def breaks(
        self, effect: str, path: str, value: str = "", *, user: int, times: int = 99
    ) -> None:
        fault = Fault(effect, path=path, value=value, user=user, times=times)  # type: ignore[arg-type]
        self.world.simulator.faults.add(fault)

    async def rows(self, query: str) -> list[dict[str, Any]]:
        connection = await asyncpg.connect(self.world.dsn)
        try:
            return [dict(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()


@asynccontextmanager
async def sliced_firm(server: Server, budget: NewBudget) -> AsyncIterator[SlicedFirm]:
    async with (
        server.database(MIGRATED) as dsn,
        opened_world(
            dsn, generous_simulator(harlow_and_pike()), clock=False, workers=False
        ) as world,
        world,
    ):
        await world.create_account()
        yield SlicedFirm(world, budget)
