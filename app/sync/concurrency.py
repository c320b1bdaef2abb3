"""Running steps at the same time, and one failure out of many."""

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any

from app.errors import Fenced


class Stopping(Exception):
    """The process is asked to end: lay the work down between two pages."""


async def together(*steps: Coroutine[Any, Any, None]) -> None:
    """Run all steps at once to their end; when one fails the others are cancelled and its failure is raised."""
    failure: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(step)
    except BaseExceptionGroup as failures:
        failure = _telling(failures)
    if failure is not None:  # raised out here it keeps its own cause
        raise failure


async def during(step: Coroutine[Any, Any, None], companion: Coroutine[Any, Any, None]) -> None:
    """Run a step with a companion that lasts as long as it; the failure of either ends both."""

    async def to_its_end(beside: asyncio.Task[None]) -> None:
        try:
            await step
        finally:
            beside.cancel()

    failure: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(to_its_end(group.create_task(companion)))
    except BaseExceptionGroup as failures:
        failure = _telling(failures)
    if failure is not None:
        raise failure


def _telling(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """The failure that says most: losing the lease outranks all, for whoever lost it must write no more."""
    leaves = list(_leaves(failures))
    return next((leaf for leaf in leaves if isinstance(leaf, Fenced)), leaves[0])


def _leaves(failures: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for failure in failures.exceptions:
        if isinstance(failure, BaseExceptionGroup):
            yield from _leaves(failure)
        else:
            yield failure
