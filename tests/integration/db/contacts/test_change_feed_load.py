"""The change feed under load: writers, waiting readers, and database connections that are cut [S13]."""

import asyncio
import random
from collections import defaultdict

import asyncpg
import httpx
import pytest
from sqlalchemy import text

from app.db.contacts import change_feed
from app.db.contacts.change_feed import FeedLine
from app.db.json_codec import json_text
from app.errors import DatabaseUnavailable
from app.simulator.http.server import Simulator
from tests.support.sessions import as_owner
from tests.support.world import World, opened_world

ACCOUNTS = [f"firm-{n}" for n in range(8)]
READERS = 4
CUT_ODDS = 0.2  # probability at each check of an open transaction
BATCHES = 12
PEOPLE = 5


async def write(world: World, account_id: str, dice: random.Random) -> dict[str, int]:
    """Append lines about a firm's people, repeating batches that were cut; return each person's last number."""
    last: dict[str, int] = defaultdict(int)
    batch = seq = 0
    while batch < BATCHES:
        people = [f"con_{dice.randrange(PEOPLE)}" for _ in range(dice.randint(1, 4))]
        lines, told = [], dict(last)
        for person in people:
            told[person] = told.get(person, 0) + 1
            lines.append(FeedLine(person, json_text({"contact_id": person, "n": told[person]})))
        try:
            await append(world, account_id, lines, dice)
        except DatabaseUnavailable:
            if await last_seq(world, account_id) == seq:
                continue  # not committed; the connection may also be cut just after the commit
        seq += len(lines)
        last.update(told)
        batch += 1
    return last


async def append(world: World, account_id: str, lines: list[FeedLine], dice: random.Random) -> None:
    """Append lines in a transaction that commits late or fails."""
    async with as_owner(world.app.state.services.database) as session:
        await change_feed.append(session, account_id, lines)
        for _ in range(dice.randrange(20)):  # so that other tasks run in between
            await asyncio.sleep(0)
        if dice.random() < 0.2:
            raise DatabaseUnavailable


async def last_seq(world: World, account_id: str) -> int:
    while True:
        try:
            async with as_owner(world.app.state.services.database) as session:
                held = text("select feed_seq from accounts where account_id = :account")
                return int((await session.execute(held, {"account": account_id})).scalar_one())
        except DatabaseUnavailable:
            continue


async def read(
    world: World, account_id: str, done: asyncio.Event, seen: dict[str, list[int]]
) -> int:
    """Read a feed with long polls, storing the cursor after each page, until the writers have ended."""
    cursor, seq = None, 0
    while True:
        ended = done.is_set()
        asked = {"limit": 7, "wait": 1, **({"cursor": cursor} if cursor else {})}
        answer = await world.api.get(f"/v1/accounts/{account_id}/changes", params=asked)
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            continue
        page = answer.json()
        for line in page["data"]:
            assert line["seq"] == seq + 1, "no number is skipped or repeated"
            seq = line["seq"]
            seen[line["contact_id"]].append(line["n"])
        cursor = page["next_cursor"]
        if ended and not page["data"]:
            return seq


async def cut(dsn: str, done: asyncio.Event, dice: random.Random) -> int:
    """Cut the service's connections that are in a transaction, one after another; return how many were cut."""
    admin = await asyncpg.connect(dsn)
    cuts = 0
    try:
        while not done.is_set():
            await asyncio.sleep(0.01)
            if dice.random() < CUT_ODDS:
                cuts += await admin.fetchval(
                    "select count(pg_terminate_backend(pid)) from (select pid from pg_stat_activity"
                    " where datname = current_database() and pid <> pg_backend_pid()"
                    " and state = 'idle in transaction' order by random() limit 1) as one"
                )
    finally:
        await admin.close()
    return int(cuts)


@pytest.mark.filterwarnings(
    "ignore:The garbage collector is trying to clean up:sqlalchemy.exc.SAWarning"
)
async def test_readers_miss_nothing_while_eight_firms_write_and_connections_are_cut(
    dsn: str, simulator: Simulator
):
    # S13
    dice, done = random.Random(5), asyncio.Event()  # noqa: S311
    seen: dict[str, dict[str, list[int]]] = {a: defaultdict(list) for a in ACCOUNTS}
    async with opened_world(dsn, simulator, clock=False, workers=False) as world, world:
        for account_id in ACCOUNTS:
            await world.create_account(account_id)

        async def reader(mine: list[str]) -> None:
            async with asyncio.TaskGroup() as polls:
                for account_id in mine:
                    polls.create_task(read(world, account_id, done, seen[account_id]))

        async with asyncio.TaskGroup() as group:
            for n in range(READERS):
                group.create_task(reader(ACCOUNTS[n::READERS]))
            cutter = group.create_task(cut(dsn, done, dice))
            async with asyncio.TaskGroup() as writers:
                written = {a: writers.create_task(write(world, a, dice)) for a in ACCOUNTS}
            done.set()
    assert cutter.result() > 0
    for account_id in ACCOUNTS:
        last = written[account_id].result()
        assert {person: len(numbers) for person, numbers in seen[account_id].items()} == last
        for numbers in seen[account_id].values():
            assert numbers == list(range(1, len(numbers) + 1)), "in order for each person"


async def test_the_change_feed_can_be_read_again_from_the_beginning(dsn: str, simulator: Simulator):
    # S13
    async with opened_world(dsn, simulator, clock=False, workers=False) as world, world:
        await world.create_account("hp")
        await write(world, "hp", random.Random(1))  # noqa: S311
        done = asyncio.Event()
        done.set()
        first: dict[str, list[int]] = defaultdict(list)
        again: dict[str, list[int]] = defaultdict(list)
        assert await read(world, "hp", done, first) == await read(world, "hp", done, again) > 0
    assert first == again
