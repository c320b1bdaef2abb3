"""The lander: writes in order, each in one transaction; nothing is lost at a stop, and nothing hangs at a failure."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.errors import DatabaseUnavailable, RunTakenOver
from app.sync.concurrency import Stopping, run_together
from app.sync.pull import lander as landing
from app.sync.pull.lander import WAITING, Lander, run_with_lander

PATIENCE = 60.0


class Transactions:
    """Stands for the database: what was written in each transaction that was committed."""

    def __init__(self) -> None:
        self.committed: list[list[str]] = []
        self.failure: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()

    @asynccontextmanager
    async def fenced(self, *_: Any) -> AsyncIterator[list[str]]:
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        written: list[str] = []
        yield written
        self.committed.append(written)

    @property
    def pages(self) -> list[str]:
        return [page for written in self.committed for page in written]


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Transactions:
    found = Transactions()
    monkeypatch.setattr(landing, "fenced_transaction", found.fenced)
    return found


def page(name: str) -> Callable[[Any], Awaitable[str]]:
    async def write(session: list[str]) -> str:
        session.append(name)
        return name.upper()

    return write


async def landed(read: Callable[[Lander], Awaitable[None]]) -> None:
    nothing: Any = None
    lander = Lander(nothing, nothing)
    async with asyncio.timeout(PATIENCE):
        await run_with_lander(lander, lambda: read(lander))


async def put_many(lander: Lander, name: str, count: int = 3 * WAITING) -> None:
    for nth in range(count):
        await lander.put(page(f"{name}{nth}"))


async def test_pages_of_several_lists_land_in_order_and_each_in_its_own_transaction(
    database: Transactions,
):
    await landed(lambda lander: run_together(put_many(lander, "a"), put_many(lander, "b")))
    for name in "ab":
        own = [found for found in database.pages if found.startswith(name)]
        assert own == [f"{name}{nth}" for nth in range(3 * WAITING)]
    assert {len(written) for written in database.committed} == {1}


async def test_a_result_comes_after_what_was_put_before_and_is_committed(database: Transactions):
    async def read(lander: Lander) -> None:
        await lander.put(page("first"))
        assert await lander.write(page("second")) == "SECOND"
        assert database.pages == ["first", "second"]

    await landed(read)


async def test_a_list_is_only_a_few_pages_ahead_of_the_lander(database: Transactions):
    database.open.clear()
    begun: list[int] = []

    async def read(lander: Lander) -> None:
        for nth in range(5 * WAITING):
            begun.append(nth)
            await lander.put(page("page"))

    async with asyncio.TaskGroup() as group:
        reading = group.create_task(landed(read))
        for _ in range(100):
            await asyncio.sleep(0)
        assert (len(begun), reading.done()) == (WAITING + 2, False)
        database.open.set()
    assert len(database.pages) == 5 * WAITING


@pytest.mark.parametrize("ending", [Stopping(), ValueError("a bug")])
async def test_what_was_read_lands_before_the_reading_ends(
    database: Transactions, ending: Exception
):
    async def read(lander: Lander) -> None:
        await put_many(lander, "page", WAITING - 1)
        assert database.pages == []
        raise ending

    with pytest.raises(type(ending)):
        await landed(read)
    assert len(database.pages) == WAITING - 1


@pytest.mark.parametrize("failure", [RunTakenOver(), DatabaseUnavailable()])
async def test_a_failure_of_the_lander_ends_those_who_wait_for_it(
    database: Transactions, failure: Exception
):
    database.failure = failure
    ended: list[str] = []

    async def waits(lander: Lander, name: str) -> None:
        try:
            await (lander.write(page(name)) if name == "result" else put_many(lander, name))
        finally:
            ended.append(name)

    with pytest.raises(type(failure)):
        await landed(lambda lander: run_together(waits(lander, "result"), waits(lander, "room")))
    assert (sorted(ended), database.pages) == (["result", "room"], [])


async def test_a_lost_lease_is_raised_before_what_ended_the_reading(database: Transactions):
    database.failure = RunTakenOver()

    async def read(lander: Lander) -> None:
        await lander.put(page("late"))
        raise ValueError

    with pytest.raises(RunTakenOver):
        await landed(read)


async def test_a_write_whose_list_was_cancelled_is_written_all_the_same(database: Transactions):
    async def fails_soon(lander: Lander) -> None:
        await lander.put(page("before"))
        raise Stopping

    async def read(lander: Lander) -> None:
        with pytest.raises(Stopping):
            await run_together(lander_write(lander), fails_soon(lander))
        await lander.put(page("after"))

    async def lander_write(lander: Lander) -> None:
        await lander.write(page("waited for"))

    await landed(read)
    assert database.pages == ["waited for", "before", "after"]
