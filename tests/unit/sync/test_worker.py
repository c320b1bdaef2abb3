"""Tests of the wrapper around the step of a job."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job

from app.errors import DatabaseUnavailable
from app.sync import worker

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


async def test_a_job_that_loses_the_database_is_returned_to_the_queue():
    # F14: pgqueuer drops a job that raises any other error
    async def step(names: dict[str, Any]) -> timedelta | None:
        raise DatabaseUnavailable

    with pytest.raises(RetryRequested) as returned:
        await worker._job(step)(job())
    assert returned.value.delay == worker.RETRY_AFTER_DATABASE_LOSS


async def test_a_job_that_is_done_is_not_returned_to_the_queue():
    async def step(names: dict[str, Any]) -> timedelta | None:
        return None

    await worker._job(step)(job())
