"""The change feed: a reader that stores its cursor sees every line once and in order, whatever the order of commits."""

import asyncio

from sqlalchemy import insert

from app.db.accounts import tables as account_tables
from app.db.contacts import change_feed
from app.db.contacts.change_feed import FeedLine
from app.db.json_codec import json_text
from app.db.session import Database, transaction
from app.main import now
from tests.support.postgres import until_waiting_for_lock


async def make_account(database: Database, account_id: str) -> None:
    values = {"name": "x", "time_zone": "UTC", "country": "US", "enabled": True}
    async with transaction(database, account_id) as session:
        await session.execute(
            insert(account_tables.accounts).values(
                account_id=account_id, created_at=now(), updated_at=now(), **values
            )
        )


async def test_a_line_that_commits_late_is_not_skipped(dsn: str, database: Database):
    # S13: two concurrent transactions; the second cannot take a number before the first has ended
    await make_account(database, "a")
    first_holds, first_may_end = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with transaction(database, "a") as session:
            await change_feed.append(session, "a", [FeedLine("con_1", json_text({"n": 1}))])
            first_holds.set()
            await first_may_end.wait()

    async def second() -> None:
        await first_holds.wait()
        async with transaction(database, "a") as session:
            await change_feed.append(session, "a", [FeedLine("con_2", json_text({"n": 2}))])

    async with asyncio.TaskGroup() as group:
        group.create_task(first())
        ended = group.create_task(second())
        await first_holds.wait()
        await until_waiting_for_lock(dsn, ended)
        assert not ended.done()
        async with transaction(database, "a") as session:
            assert (await change_feed.read_json(session, "a", after=0, limit=10))[1] == 0
        first_may_end.set()
    async with transaction(database, "a") as session:
        lines, count, last = await change_feed.read_json(session, "a", after=0, limit=10)
    assert (count, last) == (2, 2)
    assert lines.index(b'"n": 1') < lines.index(b'"n": 2')


async def test_a_reader_misses_nothing_while_eight_writers_append(database: Database):
    # S13
    await make_account(database, "a")
    seen: list[int] = []
    done = asyncio.Event()

    async def write(writer: int) -> None:
        for number in range(25):
            async with transaction(database, "a") as session:
                await change_feed.append(
                    session, "a", [FeedLine(f"con_{writer}", json_text({"n": number}))] * 2
                )

    async def read() -> None:
        after = 0
        while True:
            ended = done.is_set()
            async with transaction(database, "a") as session:
                _, count, last = await change_feed.read_json(session, "a", after=after, limit=7)
            seen.extend(range(last - count + 1, last + 1))
            after = last
            if ended and not count:
                return

    async with asyncio.TaskGroup() as group:
        group.create_task(read())
        async with asyncio.TaskGroup() as writers:
            for writer in range(8):
                writers.create_task(write(writer))
        done.set()
    assert seen == list(range(1, 8 * 25 * 2 + 1))
