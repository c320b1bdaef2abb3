"""Authentication by service token: in memory, before the body is read, and without the database [T14]."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.db.accounts import service_tokens
from app.db.connection import Address
from app.db.session import Database, open_database
from app.main import now
from app.sync import request_check_refresh
from tests.support.raw_requests import RawRequest
from tests.support.sessions import as_owner
from tests.support.world import TOKEN, World, opened_world

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"
UNKNOWN = {"Authorization": "Bearer lc_0000000000000000_unknown"}
BOOTSTRAP = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def api(dsn: str, simulator: Any) -> AsyncIterator[World]:
    async with opened_world(dsn, simulator, workers=False, clock=False) as world, world:
        yield world


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer nonsense", "Bearer lc_aa_bb", "Basic eDp5"]
)
async def test_a_request_without_a_valid_token_gets_401(api: World, header: str | None):
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(api.app), base_url="http://service.test"
    ) as client:
        headers = {} if header is None else {"Authorization": header}
        response = await client.get("/v1/accounts", headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "invalid_token")
    assert response.headers["www-authenticate"] == "Bearer"


def take_database_away(world: World) -> None:
    """Let the endpoints use a database that is away; what the process holds was loaded before."""
    state = world.app.state
    state.services = replace(state.services, database=open_database(Address(NOWHERE)))


async def test_without_a_valid_token_no_operation_reads_the_body_or_asks_the_database(api: World):
    take_database_away(api)
    operations = [
        (verb.upper(), re.sub(r"\{\w+\}", "1", path))
        for path, verbs in api.app.openapi()["paths"].items()
        if path.startswith("/v1/")
        for verb in verbs
    ]
    assert len(operations) > 40
    for verb, path in operations:
        for headers in ({}, UNKNOWN):
            sized = {**headers, "Content-Type": "application/json", "Content-Length": "3300000"}
            refused = await RawRequest(verb, path, sized).send(api.app)
            assert (refused.status, refused.json()["code"]) == (401, "invalid_token"), (verb, path)
            assert refused.reads == 0


async def test_a_known_token_is_still_known_while_the_database_is_away(api: World):
    headers, _ = await api.create_token("hp")
    take_database_away(api)
    for known in (headers, BOOTSTRAP):
        answer = await api.api.get("/v1/accounts/hp", headers=known)
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert (await api.api.get("/v1/accounts/other", headers=headers)).status_code == 404


async def test_before_the_first_load_a_token_is_not_called_invalid(simulator: Any):
    async with opened_world(NOWHERE, simulator, workers=False, clock=False) as world, world:
        answer = await world.api.get("/v1/accounts", headers=UNKNOWN)
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert answer.headers["retry-after"] == "1"
        without = await RawRequest("GET", "/v1/accounts").send(world.app)
        assert without.status == 401


async def test_a_revoked_token_is_refused_when_its_notification_arrives(
    api: World, monkeypatch: pytest.MonkeyPatch
):
    headers, token_id = await api.create_token("hp")
    async with as_owner(api.app.state.services.database) as session:
        assert await service_tokens.revoke_token(session, token_id, now=now())
    async with asyncio.timeout(request_check_refresh.REFRESH_SECONDS / 2):
        await api.until_token(headers, works=False)


async def test_a_revoked_token_is_refused_within_five_seconds_without_a_notification(
    dsn: str, simulator: Any, database: Database, monkeypatch: pytest.MonkeyPatch
):
    assert request_check_refresh.REFRESH_SECONDS < 5
    monkeypatch.setattr(request_check_refresh, "REFRESH_SECONDS", 0.05)
    async with opened_world(dsn, simulator, workers=False, clock=False) as world, world:
        headers, _ = await world.create_token("hp")
        async with as_owner(database) as session:
            await session.execute(text("update service_tokens set revoked_at = now()"))
        await world.until_token(headers, works=False)
