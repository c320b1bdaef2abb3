"""Measures the time until another process continues a run whose process was killed or stopped.

    python -m tests.chaos.takeover --rounds 10 --seed 1

Two workers run with the default heartbeat. One of them is suspended while the other one pulls a large firm, so that it
takes no slice. The worker that pulls is killed with kill -9 (in the second part: stopped with SIGTERM) at a random
moment, and the suspended one goes on. The script measures the time until that one has a new lease, and until it has
stored its first page. Then the run is cancelled, the ended worker is restarted, and they change places.
"""

import argparse
import asyncio
import random
import signal
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

import asyncpg

from tests.chaos.processes import Program, Stack, embedded_postgres, running_stack
from tests.support.waiting import PATIENCE

Method = Literal["kill", "stop"]
METHODS: dict[Method, Callable[[Program], object]] = {"kill": Program.kill, "stop": Program.stop}
POLL_INTERVAL = 0.02  # seconds


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

    async def round(self, method: Method, pause: float) -> Takeover | None:
        """End the worker that pulls a new account after a pause, and measure the take-over.

        Return None if the worker had no lease when it was ended: it was between two slices.
        """
        holder, other = self._workers
        await wait_until(self._both_listen, "a worker did not start")
        async with asyncio.TaskGroup() as group:
            with suspended(other):
                await asyncio.to_thread(self._connect)
                await wait_until(self._is_pulling, "no run stored a page")
                await asyncio.sleep(pause)
                row, began = await self._row(), time.monotonic()
                group.create_task(asyncio.to_thread(METHODS[method], holder))
            takeover = await self._takeover(row["fence"], began)
        await asyncio.to_thread(self._cancel)
        holder.spawn()
        self._workers.reverse()
        return takeover if row["leased_until"] is not None else None

    async def _takeover(self, fence: int, began: float) -> Takeover:
        """Wait until a worker has a newer lease, and until it has stored a page; return when that was."""
        leased: list[float] = []

        async def has_stored_a_page() -> bool:
            row = await self._row()
            if row["fence"] > fence and not leased:
                leased.append(time.monotonic() - began)
            return bool(leased) and _has_progress(row)

        await wait_until(has_stored_a_page, "no worker took the run over")
        return Takeover(leased[0], time.monotonic() - began)

    def _connect(self) -> None:
        self._accounts.append(f"firm-{len(self._accounts)}")
        self._stack.connect(self._accounts[-1])

    def _cancel(self) -> None:
        account = f"/v1/accounts/{self._accounts[-1]}"
        for run in self._stack.all(f"{account}/runs"):
            self._stack.api.post(f"{account}/runs/{run['id']}/cancel")

    async def _is_pulling(self) -> bool:
        """Return whether a page was stored under the newest lease and the pull goes on."""
        row = await self._row()
        return _has_progress(row) and row["status"] == "running" and bool(row["phase"] == "pulling")

    async def _row(self) -> asyncpg.Record:
        query = "select * from runs where account_id = $1"
        row: asyncpg.Record | None = await self._database.fetchrow(query, self._accounts[-1])
        assert row is not None
        return row

    async def _both_listen(self) -> bool:
        query = "select count(*) from pg_stat_activity where query = 'LISTEN \"ch_pgqueuer\"'"
        return int(await self._database.fetchval(query)) == len(self._workers)


@contextmanager
def suspended(worker: Program) -> Iterator[None]:
    """Suspend a worker while the block runs."""
    process = worker.check_running()
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def _has_progress(row: asyncpg.Record) -> bool:
    return bool(row["starts_without_progress"] == 0)


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
