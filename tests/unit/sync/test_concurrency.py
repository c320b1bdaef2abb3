"""Tests of concurrent steps: all steps end first, and one of their failures is raised."""

import asyncio
from datetime import timedelta

import pytest

from app.clio.errors import ClioRetryLater, ClioUnreadable
from app.errors import RunTakenOver
from app.sync.concurrency import Stopping, run_together, run_while_renewing, run_with_companion


async def fails(error: BaseException, *, after: int = 0) -> None:
    for _ in range(after):
        await asyncio.sleep(0)
    raise error


async def fails_when_cancelled(error: BaseException) -> None:
    """Raise the error while it is being cancelled."""
    try:
        await asyncio.Event().wait()
    finally:
        raise error


async def test_all_steps_run_at_the_same_time_and_to_their_end():
    met = asyncio.Barrier(3)

    async def step() -> None:
        await met.wait()

    async with asyncio.timeout(60):
        await run_together(step(), step(), step())
    await run_together()


async def test_when_one_step_fails_the_others_are_cancelled_before_the_error_is_raised():
    ended: list[str] = []

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("slow")

    with pytest.raises(ClioUnreadable):
        await run_together(slow(), fails(ClioUnreadable("x"), after=2))
    assert ended == ["slow"]


@pytest.mark.parametrize("order", [1, -1])
async def test_losing_the_lease_outranks_every_other_failure(order: int):
    # F13: a worker that lost the lease must not write any more
    steps = [fails(ClioUnreadable("x")), fails(RunTakenOver("lost")), fails(Stopping())][::order]
    with pytest.raises(RunTakenOver):
        await run_together(*steps)
    with pytest.raises(RunTakenOver):
        await run_together(fails(ClioUnreadable("x")), fails_when_cancelled(RunTakenOver("lost")))
    with pytest.raises(RunTakenOver):
        await run_together(
            run_together(fails(ClioUnreadable("x")), fails(RunTakenOver("lost"))),
            fails_when_cancelled(Stopping()),
        )


async def test_a_failure_keeps_its_own_cause():
    cause = OSError("the wire")

    async def step() -> None:
        raise ClioUnreadable("x") from cause

    for work in (
        run_together(step(), fails_when_cancelled(Stopping())),
        run_with_companion(fails_when_cancelled(Stopping()), step()),
    ):
        with pytest.raises(ClioUnreadable) as raised:
            await work
        assert raised.value.__cause__ is cause


async def test_a_companion_ends_with_its_step():
    ended: list[str] = []

    async def companion() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("companion")

    await run_with_companion(asyncio.sleep(0), companion())
    assert ended == ["companion"]
    with pytest.raises(ClioUnreadable):
        await run_with_companion(fails(ClioUnreadable("x"), after=2), companion())
    assert ended == ["companion"] * 2


async def test_a_companion_that_fails_ends_the_step_and_one_that_returns_does_not():
    async def forever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RunTakenOver):
        await run_with_companion(forever(), fails(RunTakenOver("lost"), after=2))
    returned: list[int] = []
    done: list[int] = []

    async def step() -> None:
        while not returned:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        done.append(1)

    async def companion() -> None:
        returned.append(1)

    await run_with_companion(step(), companion())
    assert done == [1]


@pytest.mark.parametrize("shape", ["together", "during"])
async def test_a_cancellation_from_outside_cancels_all_steps_and_raises_no_other_error(shape: str):
    running: list[int] = []

    async def forever() -> None:
        running.append(1)
        try:
            await asyncio.Event().wait()
        finally:
            running.pop()

    work = (
        run_together(forever(), forever())
        if shape == "together"
        else run_with_companion(forever(), forever())
    )
    task = asyncio.ensure_future(work)
    while len(running) < 2:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert running == []


async def test_the_error_of_a_long_wait_has_its_duration():
    with pytest.raises(ClioRetryLater) as raised:
        await run_together(fails(ClioRetryLater("x", after=timedelta(minutes=3))))
    assert raised.value.after == timedelta(minutes=3)


async def test_a_lease_is_renewed_as_long_as_the_step_runs():
    # S10, I8
    renewed = asyncio.Semaphore(0)

    async def renew() -> None:
        renewed.release()

    async def step() -> None:
        for _ in range(3):
            await renewed.acquire()

    async with asyncio.timeout(60):
        await run_while_renewing(step(), renew, lease=timedelta(milliseconds=3))


async def test_a_lost_lease_ends_the_step():
    # F13
    async def renew() -> None:
        raise RunTakenOver("lost")

    async def step() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RunTakenOver):
        await run_while_renewing(step(), renew, lease=timedelta(milliseconds=3))
