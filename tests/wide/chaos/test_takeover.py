"""Tests of take-overs: another process ends the work of a process that stopped. A script measures the time."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg

from tests.chaos.kills import ON_THEIR_WAY, check_page_order
from tests.chaos.processes import Program, Stack, running_stack
from tests.chaos.takeover import wait_until

ACCOUNT = "hp"
WRITTEN = (
    *("runs", "pulls", "listed", "run_logins", "mirror_contacts", "mirror_matters"),
    *("mirror_relationships", "sightings", "catalog_items", "contacts", "changes"),
)


@dataclass(frozen=True)
class Workers:
    """An API without workers, two worker processes that are not started yet, and the row of the only run."""

    stack: Stack
    first: Program
    other: Program
    dsn: str

    async def begin(self) -> None:
        """Let the first worker pull the account until a page of contacts is stored."""
        self.first.spawn()
        self.stack.connect(ACCOUNT)

        async def landed() -> bool:
            (run,) = self.stack.all(f"/v1/accounts/{ACCOUNT}/runs")
            return bool(run["counts"]["pulled"]["contacts"])

        await wait_until(landed, "no page was stored")

    async def run(self) -> asyncpg.Record:
        """Return the status and fence of the run, whether a worker has its lease, and whether a transaction is open."""
        database = await asyncpg.connect(self.dsn)
        query = (
            "select status, fence, leased_until > clock_timestamp() as leased,"
            " exists (select from pg_stat_activity where datname = current_database()"
            "  and xact_start is not null and pid <> pg_backend_pid()) as in_transaction from runs"
        )
        (row,) = await database.fetch(query)
        await database.close()
        return row

    async def end(self) -> None:
        """Let the other worker end the run, and check that no page that was stored is read again."""
        self.other.spawn()
        (run,) = self.stack.wait_for_runs(ACCOUNT)
        assert run["status"] == "succeeded"
        assert not logged(self.first, "run_ended")
        assert [end["status"] for end in logged(self.other, "run_ended")] == ["succeeded"]
        assert check_page_order(self.stack.clio_log()) <= ON_THEIR_WAY


@contextmanager
def api_and_workers(folder: Path, dsn: str, heartbeat: str) -> Iterator[Workers]:
    """Start an API without workers."""
    options: dict[str, Any] = {"latency": 0.3, "rate_limit": 1_000_000}
    times = {"LEVITATE_CLIO_HEARTBEAT_SECONDS": heartbeat}
    with running_stack(
        folder, dsn, contacts=1200, environment=times, serve=["--no-workers"], **options
    ) as stack:
        workers = Workers(stack, stack.worker("first"), stack.worker("other"), dsn)
        try:
            yield workers
        finally:
            workers.first.stop()
            workers.other.stop()


def logged(worker: Program, event: str) -> list[dict[str, Any]]:
    """Return the lines of a worker's log with this event."""
    lines = worker.log.read_text().splitlines()
    return [json.loads(line) for line in lines if f'"event": "{event}"' in line]


async def test_another_process_ends_the_run_of_a_killed_process(tmp_path: Path, dsn: str):
    # S10, F1, I8: nobody starts the killed process again, so its lease must expire
    with api_and_workers(tmp_path, dsn, heartbeat="2") as workers:
        await workers.begin()
        workers.first.kill()
        while not (killed := await workers.run())["leased"]:  # it was between two slices
            assert killed["status"] == "running"
            workers.first.spawn()
            await wait_until(partial(is_leased, workers), "the run does not go on")
            workers.first.kill()
        await workers.end()
        assert (await workers.run())["fence"] > killed["fence"]


async def is_leased(workers: Workers) -> bool:
    return bool((await workers.run())["leased"])


async def written(dsn: str) -> dict[str, Any]:
    """Return a digest of what a run writes, with the transaction that wrote each row last."""
    digest = "select md5(string_agg(t::text || t.xmin::text, ',' order by t::text)) from {} t"
    database = await asyncpg.connect(dsn)
    try:
        return {table: await database.fetchval(digest.format(table)) for table in WRITTEN}
    finally:
        await database.close()


async def test_a_process_that_wakes_up_after_a_take_over_writes_nothing(tmp_path: Path, dsn: str):
    # I7, F13: SIGSTOP while pages are on their way; the other process takes the run over and ends it
    with api_and_workers(tmp_path, dsn, heartbeat="2") as workers:
        await workers.begin()
        pid = workers.first.check_running().pid
        os.kill(pid, signal.SIGSTOP)
        # A transaction would keep the row of the run locked; without a lease it was between two slices.
        while (stopped := await workers.run())["in_transaction"] or not stopped["leased"]:
            os.kill(pid, signal.SIGCONT)
            await wait_until(partial(is_leased, workers), "the run does not go on")
            os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.to_thread(workers.other.spawn)
            (run,) = await asyncio.to_thread(workers.stack.wait_for_runs, ACCOUNT)
            assert run["status"] == "succeeded"
            before = await written(dsn)
        finally:
            os.kill(pid, signal.SIGCONT)

        async def has_noticed() -> bool:
            return bool(logged(workers.first, "slice_taken_over"))

        await wait_until(has_noticed, "the process did not notice that it lost the run")
        assert await written(dsn) == before
        assert not logged(workers.first, "run_ended")


async def test_a_process_that_is_asked_to_stop_hands_over_its_run_between_two_pages(
    tmp_path: Path, dsn: str
):
    # S10, F27: SIGTERM; the lease lasts 150 s, so a run that is not handed over could not be taken over
    with api_and_workers(tmp_path, dsn, heartbeat="60") as workers:
        await workers.begin()
        assert workers.first.stop() == 0
        stopped = await workers.run()
        assert (stopped["status"], stopped["leased"]) == ("running", None)
        await workers.end()


async def test_a_service_that_is_asked_to_stop_answers_readers_that_wait(tmp_path: Path, dsn: str):
    # F27, S13: otherwise these requests and the runs of the process would be cut off at the deadline
    with running_stack(tmp_path, dsn, contacts=1) as stack:
        stack.create(ACCOUNT)
        path, longest = f"/v1/accounts/{ACCOUNT}/changes", {"wait": 30}
        polling = asyncio.to_thread(stack.api.get, path, params=longest)

        async def waits() -> bool:
            metrics = await asyncio.to_thread(stack.api.get, "/metrics")
            return "levitate_clio_waiting_readers 1.0" in metrics.text

        async with asyncio.TaskGroup() as group:
            poll = group.create_task(polling)
            await wait_until(waits, "nobody read the feed")
            assert await asyncio.to_thread(stack.service.stop) == 0
    assert poll.result().json()["data"] == []
    assert poll.result().status_code == 200
