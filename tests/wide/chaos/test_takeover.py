"""Tests of take-overs: another process ends the work of a process that stopped. A script measures the time."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def api_and_workers(
    folder: Path, dsn: str, heartbeat: str
) -> Iterator[tuple[Stack, list[Program]]]:
    """Start an API without workers, and two separate workers."""
    options: dict[str, Any] = {"latency": 0.3, "rate_limit": 1_000_000}
    times = {"LEVITATE_CLIO_HEARTBEAT_SECONDS": heartbeat}
    with running_stack(
        folder, dsn, contacts=1200, environment=times, serve=["--no-workers"], **options
    ) as stack:
        workers = [stack.worker("one"), stack.worker("other")]
        try:
            for worker in workers:
                worker.spawn()
            yield stack, workers
        finally:
            for worker in workers:
                worker.stop()


async def holder_and_other(stack: Stack, workers: list[Program]) -> tuple[Program, Program]:
    """Wait until a page of contacts is stored; return the worker that pulls the account, and the other one."""
    stack.connect(ACCOUNT)

    async def landed() -> bool:
        (run,) = stack.all(f"/v1/accounts/{ACCOUNT}/runs")
        return bool(run["counts"]["pulled"]["contacts"])

    await wait_until(landed, "no page was stored")
    holder, other = sorted(workers, key=lambda worker: not logged(worker, "run_started"))
    assert not logged(other, "run_started")
    return holder, other


def logged(worker: Program, event: str) -> list[dict[str, Any]]:
    """Return the lines of a worker's log with this event."""
    lines = worker.log.read_text().splitlines()
    return [json.loads(line) for line in lines if f'"event": "{event}"' in line]


async def test_another_process_ends_the_run_of_a_killed_process(tmp_path: Path, own_dsn: str):
    # S10, F1, I8: nobody starts the killed process again, so its lease must expire
    with api_and_workers(tmp_path, own_dsn, heartbeat="0.5") as (stack, workers):
        holder, other = await holder_and_other(stack, workers)
        holder.kill()
        (run,) = stack.wait_for_runs(ACCOUNT)
        assert run["status"] == "succeeded"
        assert not logged(holder, "run_ended")
        assert [start["fence"] for start in logged(other, "run_started")] == [2]
        assert check_page_order(stack.clio_log()) <= ON_THEIR_WAY


async def written(dsn: str) -> dict[str, Any]:
    """Return a digest of what a run writes, with the transaction that wrote each row last."""
    digest = "select md5(string_agg(t::text || t.xmin::text, ',' order by t::text)) from {} t"
    database = await asyncpg.connect(dsn)
    try:
        return {table: await database.fetchval(digest.format(table)) for table in WRITTEN}
    finally:
        await database.close()


async def test_a_process_that_wakes_up_after_a_take_over_writes_nothing(
    tmp_path: Path, own_dsn: str
):
    # I7, F13: SIGSTOP while pages are on their way; the other process takes the run over and ends it
    with api_and_workers(tmp_path, own_dsn, heartbeat="0.5") as (stack, workers):
        holder, other = await holder_and_other(stack, workers)
        pid = holder.check_running().pid
        os.kill(pid, signal.SIGSTOP)
        try:
            (run,) = await asyncio.to_thread(stack.wait_for_runs, ACCOUNT)
            assert run["status"] == "succeeded"
            assert [start["fence"] for start in logged(other, "run_started")] == [2]
            before = await written(own_dsn)
        finally:
            os.kill(pid, signal.SIGCONT)

        async def has_noticed() -> bool:
            return bool(logged(holder, "run_taken_over"))

        await wait_until(has_noticed, "the process did not notice that it lost the run")
        assert await written(own_dsn) == before
        assert not logged(holder, "run_ended")


async def test_a_process_that_is_asked_to_stop_hands_over_its_run_between_two_pages(
    tmp_path: Path, own_dsn: str
):
    # S10, F27: SIGTERM; the lease lasts 150 s, so a run that is not handed over could not be taken over
    with api_and_workers(tmp_path, own_dsn, heartbeat="60") as (stack, workers):
        holder, other = await holder_and_other(stack, workers)
        assert holder.stop() == 0
        assert [end["status"] for end in logged(holder, "run_ended")] == ["interrupted"]
        (run,) = stack.wait_for_runs(ACCOUNT)
        assert run["status"] == "succeeded"
        assert [start["fence"] for start in logged(other, "run_started")] == [2]
        assert check_page_order(stack.clio_log()) <= ON_THEIR_WAY


async def test_a_service_that_is_asked_to_stop_answers_readers_that_wait(
    tmp_path: Path, own_dsn: str
):
    # F27, S13: otherwise these requests and the runs of the process would be cut off at the deadline
    with running_stack(tmp_path, own_dsn, contacts=1) as stack:
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
