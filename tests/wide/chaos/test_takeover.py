"""What a process that goes leaves undone, another does; how soon is measured by the script."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg

from tests.chaos.kills import LISTS, check_walk
from tests.chaos.processes import Program, Stage, staged
from tests.chaos.takeover import until

ACCOUNT = "hp"


@contextmanager
def beside(folder: Path, dsn: str, heartbeat: str) -> Iterator[tuple[Stage, list[Program]]]:
    """An API that does not work, and two workers that do."""
    options: dict[str, Any] = {"latency": 0.3, "rate_limit": 1_000_000}
    times = {"LEVITATE_CLIO_HEARTBEAT_SECONDS": heartbeat}
    with staged(
        folder, dsn, contacts=1200, environment=times, serve=["--no-workers"], **options
    ) as stage:
        workers = [stage.worker("one"), stage.worker("other")]
        try:
            for worker in workers:
                worker.spawn()
            yield stage, workers
        finally:
            for worker in workers:
                worker.stop()


async def pulled_by_one(stage: Stage, workers: list[Program]) -> tuple[Program, Program]:
    """The worker that pulls the account, once a page of its contacts has landed; and the other."""
    stage.connect(ACCOUNT)

    async def landed() -> bool:
        (run,) = stage.all(f"/v1/accounts/{ACCOUNT}/runs")
        return bool(run["counts"]["pulled"]["contacts"])

    await until(landed, "no page landed")
    holder, other = sorted(workers, key=lambda worker: not said(worker, "run_started"))
    assert not said(other, "run_started")
    return holder, other


def said(worker: Program, event: str) -> list[dict[str, Any]]:
    """What a worker has said in its log of one sort of event."""
    lines = worker.log.read_text().splitlines()
    return [json.loads(line) for line in lines if f'"event": "{event}"' in line]


async def test_the_run_of_a_killed_process_is_ended_by_another(tmp_path: Path, own_dsn: str):
    # S10, F1, I8: nobody starts the killed one again, and its lease must run out
    with beside(tmp_path, own_dsn, heartbeat="0.5") as (stage, workers):
        holder, other = await pulled_by_one(stage, workers)
        holder.kill()
        (run,) = stage.settled(ACCOUNT)
        assert run["status"] == "succeeded"
        assert not said(holder, "run_ended")
        assert [start["fence"] for start in said(other, "run_started")] == [2]
        assert check_walk(stage.clio_log()) <= LISTS


async def test_a_process_that_is_asked_to_end_hands_its_run_over_between_two_pages(
    tmp_path: Path, own_dsn: str
):
    # S10, F27: SIGTERM; a lease of 150 s, so that nobody could take over what was not handed over
    with beside(tmp_path, own_dsn, heartbeat="60") as (stage, workers):
        holder, other = await pulled_by_one(stage, workers)
        holder.stop()
        assert holder.process is not None
        assert holder.process.returncode == 0
        assert [end["status"] for end in said(holder, "run_ended")] == ["interrupted"]
        (run,) = stage.settled(ACCOUNT)
        assert run["status"] == "succeeded"
        assert [start["fence"] for start in said(other, "run_started")] == [2]
        assert check_walk(stage.clio_log()) <= LISTS


async def test_a_service_that_is_asked_to_end_answers_the_readers_who_wait(
    tmp_path: Path, own_dsn: str
):
    # F27, S13: else they, and the runs of that process, would be cut off when its time to end is over
    with staged(tmp_path, own_dsn, contacts=1) as stage:
        stage.create(ACCOUNT)
        path, longest = f"/v1/accounts/{ACCOUNT}/changes", {"wait": 30}
        polling = asyncio.to_thread(stage.api.get, path, params=longest)
        database = await asyncpg.connect(own_dsn)
        reads = (
            "select exists (select from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid() and query like '%json_agg%from changes%')"
        )

        async def waits() -> bool:
            return bool(await database.fetchval(reads))

        async with asyncio.TaskGroup() as group:
            poll = group.create_task(polling)
            await until(waits, "the feed was not looked at")
            await asyncio.to_thread(stage.service.stop)
        await database.close()
    assert stage.service.process is not None
    assert stage.service.process.returncode == 0
    assert poll.result().json()["data"] == []
    assert poll.result().status_code == 200
