"""A connection's tokens: sealed in the database, refreshed once by however many processes [S9, AU-2]."""

import asyncio

import asyncpg

from app.db import connections
from app.db.session import transaction
from app.sync.tokens import StoredTokens
from tests.world import World


async def login(world: World) -> connections.Connection:
    async with transaction(world.app.state.services.database) as session:
        return (await connections.connected(session, "hp"))[0]


async def test_five_processes_with_one_refused_token_refresh_once(world: World):
    # F12
    await world.create_account()
    await world.connect("u_ann", 501)
    await world.settled()
    services, mine = world.app.state.services, await login(world)
    sources = [StoredTokens(services, mine) for _ in range(5)]
    refused = await sources[0].token()
    world.simulator.log.clear()
    async with asyncio.TaskGroup() as group:
        renewed = [group.create_task(source.renew(refused)) for source in sources]
    assert len({task.result() for task in renewed}) == 1
    assert refused not in {task.result() for task in renewed}
    assert len(world.simulator.requests("/oauth/token")) == 1


async def test_no_token_stands_in_the_database_as_it_is(world: World):
    # AU-2, T6
    await world.create_account()
    await world.connect("u_ann", 501)
    await world.settled()
    token = await StoredTokens(world.app.state.services, await login(world)).token()
    connection = await asyncpg.connect(world.dsn)
    try:
        tables = await connection.fetch(
            "select tablename from pg_tables where schemaname = 'public'"
        )
        for table in tables:
            rows = await connection.fetch(f'select t::text from "{table["tablename"]}" t')
            assert not any(token in row[0] for row in rows), table["tablename"]
    finally:
        await connection.close()
