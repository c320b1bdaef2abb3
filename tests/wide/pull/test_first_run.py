"""The first run of a large firm: how early its people are readable [IS-2]."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from app import main
from app.simulator.firms.seeded import seeded_firm
from tests.support.postgres import MIGRATED, Server
from tests.support.world import World, generous_simulator, opened_world

CONTACTS = 8_000
PAGE = 200
MINUTES = 8  # a run takes one or two


@pytest.fixture
async def firm(server: Server) -> AsyncIterator[World]:
    simulator = generous_simulator(seeded_firm(contacts=CONTACTS, now=main.now))
    async with (
        server.database(MIGRATED) as dsn,
        opened_world(dsn, simulator, clock=False) as world,
        world,
    ):
        await world.create_account()
        yield world


async def test_when_half_of_the_contacts_are_read_a_third_of_the_people_is_readable(firm: World):
    # IS-2: half of the pages of contacts, of a firm of some thousands
    half, answered = asyncio.Event(), 0

    def count(path: str, body: bytes) -> bytes:
        nonlocal answered
        answered += path.endswith("/contacts.json")
        if answered == CONTACTS / PAGE / 2:
            half.set()
        return body

    firm.clio_transport.edit = count
    database = await asyncpg.connect(firm.dsn)
    try:
        await firm.connect("u_ann", 601)
        async with asyncio.timeout(60 * MINUTES):
            await half.wait()
            early = await database.fetchval("select count(*) from contacts")
            while await database.fetchval("select count(*) from runs where finished_at is null"):
                await asyncio.sleep(0.2)
        everybody = await database.fetchval("select count(*) from contacts")
    finally:
        await database.close()
    assert everybody > CONTACTS / 3
    assert early >= everybody / 3
