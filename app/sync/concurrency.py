"""Run coroutines at the same time and raise one failure out of several."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from datetime import timedelta
from typing import Any

from app.clio.call_budget import CallBudget
from app.errors import RunTakenOver
from app.shutdown import wait_for_stop


class Stopping(Exception):
    """The process must end: stop the work between two pages or batches. It continues in another process."""


class Paused(Exception):
    """The slice must end between two pages or batches; the work continues after `after`, in the next slice."""

    def __init__(self, after: timedelta = timedelta(0)) -> None:
        super().__init__("The slice is over")
        self.after = after


def check_pause(stopping: asyncio.Event, budget: CallBudget) -> None:
    """Raise Stopping if the process must end, Paused if the slice is over. Call it between two steps of a slice."""
    if stopping.is_set():
        raise Stopping
    if budget.is_spent():
        raise Paused


async def sleep_or_stop(stopping: asyncio.Event, seconds: float) -> None:
    """Wait this time. Raises Stopping as soon as the process must end: no wait may delay that [F27]."""
    await wait_for_stop(stopping, seconds)
    if stopping.is_set():
        raise Stopping


async def wait_or_stop(stopping: asyncio.Event, event: asyncio.Event, seconds: float) -> None:
    """Wait until the event is set, not longer than so many seconds. Raises Stopping as soon as the process must end."""
    await comes_first(event.wait(), stopping.wait(), seconds=seconds)
    if stopping.is_set():
        raise Stopping


async def run_together(*steps: Coroutine[Any, Any, None]) -> None:
    """Run all steps at once. When one fails, cancel the others and raise its failure."""
    failure: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(step)
    except BaseExceptionGroup as failures:
        failure = _most_important(failures)
    if failure is not None:  # raised outside the `except`, so that it keeps its own cause
        raise failure


async def run_with_companion(
    step: Coroutine[Any, Any, None], companion: Coroutine[Any, Any, None]
) -> None:
    """Run a step, and a companion for as long as the step runs. When one fails, cancel both and raise its failure."""

    async def step_then_cancel(beside: asyncio.Task[None]) -> None:
        try:
            await step
        finally:
            beside.cancel()

    failure: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(step_then_cancel(group.create_task(companion)))
    except BaseExceptionGroup as failures:
        failure = _most_important(failures)
    if failure is not None:
        raise failure


async def run_while_renewing(
    step: Coroutine[Any, Any, None], renew: Callable[[], Awaitable[None]], *, lease: timedelta
) -> None:
    """Run a step and renew its lease three times in the lease's length; a failure of `renew` cancels the step."""

    async def keep_renewing() -> None:
        while True:
            await asyncio.sleep(lease.total_seconds() / 3)
            await renew()

    await run_with_companion(step, keep_renewing())


async def comes_first(
    condition: Coroutine[Any, Any, object], *others: Coroutine[Any, Any, object], seconds: float
) -> bool:
    """Wait for the first of the conditions, not longer than so many seconds; return whether it is `condition`."""
    async with asyncio.TaskGroup() as group:
        waits = [group.create_task(wait) for wait in (condition, *others)]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        came = waits[0].done()
        for wait in waits:
            wait.cancel()
    return came


def _most_important(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return `RunTakenOver` if it is among the failures, else the first: a worker without a lease must not write."""
    leaves = list(_leaves(failures))
    return next((leaf for leaf in leaves if isinstance(leaf, RunTakenOver)), leaves[0])


def _leaves(failures: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for failure in failures.exceptions:
        if isinstance(failure, BaseExceptionGroup):
            yield from _leaves(failure)
        else:
            yield failure
