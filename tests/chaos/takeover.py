"""Measures the time until another process continues a run whose process was killed or stopped.

    python -m tests.chaos.takeover --rounds 10 --seed 1

Two workers run with the default heartbeat. The worker that pulls a large firm is killed with kill -9 (in the second
part: stopped with SIGTERM) at a random moment. The script measures the time until the other worker has a new lease, and
until that worker has stored its first page. The ended worker is restarted after each take-over.
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

from tests.chaos.processes import Program, Stack, embedded_postgres, running_stack
from tests.support.waiting import PATIENCE

Method = Literal["kill", "stop"]
METHODS: dict[Method, Callable[[Program], object]] = {"kill": Program.kill, "stop": Program.stop}
POLL_INTERVAL = 0.02  # seconds
LISTENERS = 2  # database connections on which one worker listens


@dataclass(frozen=True)
class PullingRun:
    """A run that pulls pages, and the worker that holds its lease."""

    account_id: str
    fence: int
    holder: Program


@dataclass(frozen=True)
class Takeover:
    """Seconds from the end of one worker to the lease of the other one, and to its first stored page."""

    lease: float
    page: float


class Measurement:
    """Two workers, and the row of the run that they work on."""

    def __init__(
        self, stack: Stack, database: "asyncpg.Connection[Any]", workers: list[Program]
    ) -> None:
        self._stack = stack
        self._database = database
        self._workers = workers
        self._accounts: list[str] = []

    async def begin(self) -> None:
        """Start both workers."""
        for worker in self._workers:
            worker.spawn()

    async def pulling_run(self) -> PullingRun:
        """Wait for a run that has stored a page under its newest lease, while the other worker is ready.

        A new account is connected when the last one's run has ended.
        """
        found: list[PullingRun] = []

        async def is_pulling() -> bool:
            row = await self._row()
            if row is None or row["finished_at"] is not None:
                self._accounts.append(f"firm-{len(self._accounts)}")
                await asyncio.to_thread(self._stack.connect, self._accounts[-1])
            elif _is_pulling(row) and await self._listeners() == LISTENERS * len(self._workers):
                found.append(PullingRun(self._accounts[-1], row["fence"], self._holder(row)))
            return bool(found)

        await wait_until(is_pulling, "no run stored a page")
        return found[0]

    async def round(self, method: Method, pause: float) -> Takeover | None:
        """End the holder after a pause and measure the take-over; return None if the run had ended before."""
        run = await self.pulling_run()
        await asyncio.sleep(pause)
        row = await self._row()
        if row is None or not _is_pulling(row) or row["fence"] != run.fence:
            return None
        began = time.monotonic()
        leases: list[float] = []

        async def has_stored_a_page() -> bool:
            row = await self._row()
            assert row is not None
            if row["fence"] > run.fence and not leases:
                leases.append(time.monotonic() - began)
            return bool(leases) and _has_progress(row)

        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.to_thread(METHODS[method], run.holder))
            await wait_until(has_stored_a_page, "no worker took the run over")
            takeover = Takeover(leases[0], time.monotonic() - began)
        run.holder.spawn()
        return takeover

    def _holder(self, row: asyncpg.Record) -> Program:
        """Return the worker whose log says that it started the run with this fence."""
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


def _is_pulling(row: asyncpg.Record) -> bool:
    """Return whether a page was stored under the newest lease and the pull goes on."""
    return _has_progress(row) and row["status"] == "running" and bool(row["phase"] == "pulling")


def _has_progress(row: asyncpg.Record) -> bool:
    return bool(row["starts_without_progress"] == 0)


def _starts(worker: Program) -> set[tuple[str, int]]:
    lines = [line for line in worker.log.read_text().splitlines() if '"run_started"' in line]
    entries = [json.loads(line) for line in lines]
    return {(entry["run_id"], entry["fence"]) for entry in entries}


async def wait_until(condition: Callable[[], Coroutine[Any, Any, bool]], message: str) -> None:
    """Poll the condition until it is true; fail with the message after the timeout."""
    deadline = time.monotonic() + PATIENCE
    while not await condition():
        assert time.monotonic() < deadline, message
        await asyncio.sleep(POLL_INTERVAL)


async def measure(
    stack: Stack, dsn: str, *, method: Method, rounds: int, seed: int
) -> list[Takeover]:
    """Measure `rounds` take-overs, each from a random moment of a pull."""
    rng = random.Random(seed)  # noqa: S311
    workers = [stack.worker(f"{method}-{name}") for name in ("one", "other")]
    database = await asyncpg.connect(dsn)
    measurement = Measurement(stack, database, workers)
    takeovers: list[Takeover] = []
    try:
        await measurement.begin()
        while len(takeovers) < rounds:
            takeover = await measurement.round(method, rng.uniform(0.0, 3.0))
            if takeover is not None:
                takeovers.append(takeover)
                print(method, takeover, flush=True)  # noqa: T201
    finally:
        for worker in workers:
            worker.stop()
        await database.close()
    return takeovers


def _summary(method: Method, takeovers: list[Takeover]) -> str:
    leases, pages = [each.lease for each in takeovers], [each.page for each in takeovers]
    return (
        f"{method}, {len(takeovers)} rounds: new lease after {median(leases):.1f} s (longest {max(leases):.1f} s),"
        f" page after {median(pages):.1f} s (longest {max(pages):.1f} s)"
    )


def main() -> None:
    """Measure take-overs after kill -9 and then after SIGTERM, on an embedded PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--contacts", type=int, default=20_000)
    parser.add_argument("--latency", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    simulator: dict[str, Any] = {"latency": arguments.latency, "rate_limit": 1_000_000}
    options = {"rounds": arguments.rounds, "seed": arguments.seed}
    for method in METHODS:
        with (
            embedded_postgres("takeover") as (folder, dsn),
            running_stack(
                folder,
                dsn,
                contacts=arguments.contacts,
                environment={"LEVITATE_CLIO_HEARTBEAT_SECONDS": "10"},  # the default
                serve=["--no-workers"],
                **simulator,
            ) as stack,
        ):
            takeovers = asyncio.run(measure(stack, dsn, method=method, **options))
            print(_summary(method, takeovers), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
