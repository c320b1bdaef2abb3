"""How long a run stands still when the process that holds it is killed, or asked to end.

    python -m tests.chaos.takeover --rounds 10 --seed 1

Two workers with the times of a service in production. Whoever pulls a large firm is killed (then: asked to end) at a
random moment; the time from there to the other's new lease, and to the first page that it lands, is measured. The
one that went is started again once the other has taken over.
"""

import argparse
import asyncio
import json
import random
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

import asyncpg

from tests.chaos.processes import PATIENCE, Program, Stage, on_embedded, staged

Ending = Literal["kill", "stop"]
ENDINGS: dict[Ending, Callable[[Program], None]] = {"kill": Program.kill, "stop": Program.stop}
LOOK = 0.02  # seconds between two looks at the run's row
LISTENERS = 2  # database connections on which one worker listens


@dataclass(frozen=True)
class Pulling:
    """A run whose pages land now, and who lands them."""

    account_id: str
    fence: int
    holder: Program


@dataclass(frozen=True)
class Standstill:
    """Seconds from the end of one process to the lease of the other, and to its first page."""

    leased: float
    landed: float


class Watch:
    """Two workers at a firm, and their run's row."""

    def __init__(
        self, stage: Stage, database: "asyncpg.Connection[Any]", workers: list[Program]
    ) -> None:
        self._stage = stage
        self._database = database
        self._workers = workers
        self._accounts: list[str] = []

    async def begin(self) -> None:
        """Both workers up."""
        for worker in self._workers:
            worker.spawn()

    async def pulling(self) -> Pulling:
        """A run that has landed a page under its newest lease, while another process stands by to take it over."""
        found: list[Pulling] = []

        async def seen() -> bool:
            row = await self._row()
            if row is None or row["finished_at"] is not None:
                self._accounts.append(f"firm-{len(self._accounts)}")
                await asyncio.to_thread(self._stage.connect, self._accounts[-1])
            elif _lands(row) and await self._listeners() == LISTENERS * len(self._workers):
                found.append(Pulling(self._accounts[-1], row["fence"], self._holder(row)))
            return bool(found)

        await until(seen, "no run landed a page")
        return found[0]

    async def round(self, ending: Ending, pause: float) -> Standstill | None:
        """End the holder after a pause, and see how soon the other goes on; None if the run had ended by then."""
        was = await self.pulling()
        await asyncio.sleep(pause)
        row = await self._row()
        if row is None or not _lands(row) or row["fence"] != was.fence:
            return None
        began = time.monotonic()
        leased: list[float] = []

        async def landed() -> bool:
            row = await self._row()
            assert row is not None
            if row["fence"] > was.fence and not leased:
                leased.append(time.monotonic() - began)
            return bool(leased) and _moved(row)

        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.to_thread(ENDINGS[ending], was.holder))
            await until(landed, "nobody took the run over")
            standstill = Standstill(leased[0], time.monotonic() - began)
        was.holder.spawn()
        return standstill

    def _holder(self, row: asyncpg.Record) -> Program:
        """The worker that says in its log that it began with this fence."""
        return next(
            worker for worker in self._workers if (row["run_id"], row["fence"]) in _starts(worker)
        )

    async def _row(self) -> asyncpg.Record | None:
        return await self._database.fetchrow(
            "select run_id, fence, phase, status, finished_at, starts_without_progress from runs"
            " where account_id = $1",
            self._accounts[-1] if self._accounts else "",
        )

    async def _listeners(self) -> int:
        query = "select count(*) from pg_stat_activity where query = 'LISTEN \"ch_pgqueuer\"'"
        return int(await self._database.fetchval(query))


def _lands(row: asyncpg.Record) -> bool:
    """Whether a page has landed under the newest lease, and more are to come."""
    return _moved(row) and row["status"] == "running" and bool(row["phase"] == "pulling")


def _moved(row: asyncpg.Record) -> bool:
    return bool(row["starts_without_progress"] == 0)


def _starts(worker: Program) -> set[tuple[str, int]]:
    lines = [line for line in worker.log.read_text().splitlines() if '"run_started"' in line]
    entries = [json.loads(line) for line in lines]
    return {(entry["run_id"], entry["fence"]) for entry in entries}


async def until(seen: Callable[[], Coroutine[Any, Any, bool]], otherwise: str) -> None:
    """Look until it is seen."""
    deadline = time.monotonic() + PATIENCE
    while not await seen():
        assert time.monotonic() < deadline, otherwise
        await asyncio.sleep(LOOK)


async def measure(
    stage: Stage, dsn: str, *, ending: Ending, rounds: int, seed: int
) -> list[Standstill]:
    """So many take-overs, each from a random moment of a pull."""
    dice = random.Random(seed)  # noqa: S311
    workers = [stage.worker(f"{ending}-{name}") for name in ("one", "other")]
    database = await asyncpg.connect(dsn)
    watch = Watch(stage, database, workers)
    found: list[Standstill] = []
    try:
        await watch.begin()
        while len(found) < rounds:
            standstill = await watch.round(ending, dice.uniform(0.0, 3.0))
            if standstill is not None:
                found.append(standstill)
                print(ending, standstill, flush=True)  # noqa: T201
    finally:
        for worker in workers:
            worker.kill()
        await database.close()
    return found


def _told(ending: Ending, found: list[Standstill]) -> str:
    leased, landed = [each.leased for each in found], [each.landed for each in found]
    return (
        f"{ending}, {len(found)} rounds: a new lease after {median(leased):.1f} s (longest {max(leased):.1f} s),"
        f" a page after {median(landed):.1f} s (longest {max(landed):.1f} s)"
    )


def main() -> None:
    """Kills, then clean ends, on an embedded PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--contacts", type=int, default=20_000)
    parser.add_argument("--latency", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    options: dict[str, Any] = {"latency": asked.latency, "rate_limit": 1_000_000}
    how = {"rounds": asked.rounds, "seed": asked.seed}
    for ending in ENDINGS:
        with (
            on_embedded("takeover") as (folder, dsn),
            staged(
                folder,
                dsn,
                contacts=asked.contacts,
                environment={"LEVITATE_CLIO_HEARTBEAT_SECONDS": "10"},  # the default
                serve=["--no-workers"],
                **options,
            ) as stage,
        ):
            found = asyncio.run(measure(stage, dsn, ending=ending, **how))
            print(_told(ending, found), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
