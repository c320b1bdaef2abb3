"""Tests of the wrapper around the step of a job."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast
from uuid import uuid4

import pytest
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job

from app.errors import DatabaseUnavailable
from app.sync import outages, worker
from app.sync.concurrency import Stopping
from app.sync.services import Services

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def job() -> Job:
    times = dict.fromkeys(("created", "updated", "heartbeat", "execute_after"), NOW)
    return Job(
        id=1,
        priority=0,
        status="picked",
        entrypoint="run",
        payload=b"{}",
        queue_manager_id=uuid4(),
        headers=None,
        **times,
    )


@pytest.fixture
def refusals(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the transactions that were refused: the database is away for the first two."""
    refused: list[int] = []

    async def ping(_database: object) -> None:
        if len(refused) < 2:
            refused.append(len(refused) + 1)
            raise DatabaseUnavailable

    monkeypatch.setattr(outages, "ping", ping)
    monkeypatch.setattr(outages, "DATABASE_CHECK_SECONDS", 0.0)
    return refused


def handler_of(failure: Exception | None) -> Callable[[Job], Awaitable[None]]:
    """Return the handler of a job whose step ends with this failure."""

    async def step(_: Job) -> None:
        if failure is not None:
            raise failure

    services = cast(Services, SimpleNamespace(stopping=asyncio.Event(), database=None))
    return worker._surviving_outages(services, step)


async def test_a_job_that_lost_the_database_is_queued_again_when_it_is_back(refusals: list[int]):
    # F14: pgqueuer drops a job that raises any other error, and cannot queue it again while the database is away
    with pytest.raises(RetryRequested) as returned:
        await handler_of(DatabaseUnavailable())(job())
    assert returned.value.delay == worker.RETRY_AFTER_DATABASE_LOSS
    assert refusals == [1, 2]


async def test_a_job_that_met_another_transaction_is_queued_again_at_once(refusals: list[int]):
    with pytest.raises(RetryRequested) as returned:
        await handler_of(DatabaseUnavailable(retry_now=True))(job())
    assert (returned.value.delay, refusals) == (timedelta(0), [])


async def test_a_job_that_is_done_is_not_queued_again(refusals: list[int]):
    await handler_of(None)(job())
    assert refusals == []


async def test_a_job_that_a_stop_interrupts_is_queued_again_at_once(refusals: list[int]):
    # F27
    with pytest.raises(RetryRequested) as returned:
        await handler_of(Stopping())(job())
    assert returned.value.delay == timedelta(0)


async def test_a_job_that_fails_for_another_reason_is_not_queued_again_at_once(
    refusals: list[int],
):
    # pgqueuer holds it, and the clock queues the work
    with pytest.raises(LookupError):
        await handler_of(LookupError())(job())
    assert refusals == []
