"""A slow or refused refresh of tokens holds no database connection, and never overwrites what has happened since."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from typing_extensions import override

from app.clio.errors import ClioReauthRequired
from app.clio.oauth import ClioOAuth, Tokens
from app.clio.regions import Region
from app.clio.responses import DEADLINE
from app.db.connections import stored_tokens
from app.db.session import PoolLimits, open_database, transaction
from app.sync.concurrency import Stopping
from app.sync.connections.tokens import StoredTokens
from app.sync.services import Services
from tests.integration.sync.connections.test_tokens import login
from tests.support.postgres import address_of
from tests.support.sessions import as_owner
from tests.support.world import World

ONE_CONNECTION = PoolLimits(kept=1, most=1, wait=5.0)


class HeldOAuth(ClioOAuth):
    """An OAuth client whose refresh waits after Clio's answer, or is refused then."""

    def __init__(self, inner: ClioOAuth, *, refuses: bool) -> None:
        self.__dict__.update(inner.__dict__)
        self.refuses = refuses
        self.answered, self.released = asyncio.Event(), asyncio.Event()

    @override
    async def refresh(self, tokens: Tokens, **more: Any) -> Tokens:
        new = await super().refresh(tokens, **more)
        self.answered.set()
        await self.released.wait()
        if self.refuses:
            raise ClioReauthRequired("refused")
        return new


def held(services: Services, *, refuses: bool = False) -> tuple[Services, HeldOAuth]:
    """Return the services with a refresh that waits until it is released."""
    offered = services.regions[Region.US]
    oauth = HeldOAuth(offered.oauth, refuses=refuses)
    return replace(services, regions={Region.US: replace(offered, oauth=oauth)}), oauth


async def rows(world: World, query: str) -> list[Any]:
    async with as_owner(world.app.state.services.database) as session:
        return list(await session.execute(text(query)))


async def test_twenty_users_of_a_login_wait_for_one_refresh_without_a_connection(pulled: World):
    # two processes, each with a pool of one connection
    mine, services = await login(pulled), pulled.app.state.services
    processes = [open_database(address_of(pulled.dsn), ONE_CONNECTION) for _ in range(2)]
    sources = [
        StoredTokens(replace(services, database=processes[number % 2]), mine)
        for number in range(20)
    ]
    refused = await sources[0].token()
    pulled.simulator.log.clear()
    async with asyncio.TaskGroup() as group, pulled.clio_transport.paused("/oauth/token"):
        asked = [group.create_task(source.renew(refused)) for source in sources]
        await pulled.clio_transport.waiting.wait()
        for process in processes:
            async with transaction(process, "hp") as session:
                await session.execute(text("select 1"))
    for process in processes:
        await process.dispose()
    (renewed,) = {task.result() for task in asked}
    assert renewed != refused
    assert len(pulled.simulator.requests("/oauth/token")) == 1
    assert await rows(pulled, "select 1 from connections where refreshing_until is not null") == []


async def test_the_lease_of_a_process_that_crashed_while_it_refreshed_expires(pulled: World):
    mine, services = await login(pulled), pulled.app.state.services
    refused = await StoredTokens(services, mine).token()
    async with asyncio.TaskGroup() as group:
        async with pulled.clio_transport.paused("/oauth/token"):
            crashed = group.create_task(StoredTokens(services, mine).renew(refused))
            await pulled.clio_transport.waiting.wait()
            crashed.cancel()
            await asyncio.wait([crashed])
        left = "select refreshing_until - clock_timestamp() from connections"
        other = group.create_task(StoredTokens(services, mine).renew(refused))
        assert DEADLINE < (await rows(pulled, left))[0][0].total_seconds() <= DEADLINE + 10
        assert not other.done()
        async with as_owner(services.database) as session:
            expire = text("update connections set refreshing_until = clock_timestamp()")
            await session.execute(expire)
    assert other.result() != refused


async def test_a_refresh_that_waits_for_another_process_ends_when_the_process_must_stop(
    pulled: World,
):
    mine, services = await login(pulled), pulled.app.state.services
    stopped = replace(services, stopping=asyncio.Event())
    stopped.stopping.set()
    refused = await StoredTokens(services, mine).token()
    async with as_owner(services.database) as session:
        assert await stored_tokens.claim_refresh(session, mine, length=services.timing.lease)
    with pytest.raises(Stopping):
        await StoredTokens(stopped, mine).renew(refused)


async def test_a_failed_refresh_releases_its_lease(pulled: World):
    services, oauth = held(pulled.app.state.services, refuses=True)
    mine = await login(pulled)
    source = StoredTokens(services, mine)
    refused = await source.token()
    oauth.released.set()
    with pytest.raises(ClioReauthRequired):
        await source.renew(refused)
    assert await rows(pulled, "select 1 from connections where refreshing_until is not null") == []


@pytest.mark.parametrize("end", ["disconnected", "erased", "another login"])
async def test_tokens_refreshed_for_a_login_that_has_ended_are_revoked(pulled: World, end: str):
    services, oauth = held(pulled.app.state.services)
    mine = await login(pulled)
    source = StoredTokens(services, mine)
    refused = await source.token()

    async def refresh() -> None:
        with suppress(ClioReauthRequired):
            await source.renew(refused)

    async with asyncio.TaskGroup() as group:
        group.create_task(refresh())
        await oauth.answered.wait()
        if end == "erased":
            await pulled.erase()
        elif end == "disconnected":
            await pulled.api.delete(f"/v1/accounts/hp/connections/{mine.connection_id}")
        else:
            assert "clio=connected" in await pulled.connect(mine.user_id, 502)
        await pulled.housekept()
        assert await rows(pulled, "select 1 from revocations") == []
        pulled.simulator.log.clear()
        oauth.released.set()
    await pulled.housekept()
    assert len(pulled.simulator.requests("/oauth/deauthorize")) == 1
    assert await rows(pulled, "select 1 from revocations") == []


@pytest.mark.parametrize("refuses", [False, True])
async def test_a_user_who_connects_again_during_a_refresh_keeps_the_newer_tokens(
    pulled: World, *, refuses: bool
):
    services, oauth = held(pulled.app.state.services, refuses=refuses)
    mine = await login(pulled)
    source = StoredTokens(services, mine)
    refused = await source.token()
    async with asyncio.TaskGroup() as group:
        refresh = group.create_task(source.renew(refused))
        await oauth.answered.wait()
        assert "clio=connected" in await pulled.connect(mine.user_id, 501)
        oauth.released.set()
    assert refresh.result() == await StoredTokens(services, mine).token()
    assert await rows(pulled, "select 1 from revocations") == []
