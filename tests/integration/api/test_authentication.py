"""Authentication by service token: in memory, before the body is read, and without the database [T14]."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import time_machine
from sqlalchemy import select, text

from app.db.accounts import service_tokens
from app.db.accounts.service_tokens import BOOTSTRAP_ID
from app.db.connection import Address
from app.db.events import endpoints, events
from app.db.events import tables as event_tables
from app.db.events.events import EventKind
from app.db.session import Database, open_database, transaction
from app.errors import DatabaseUnavailable
from app.main import now
from app.sync import request_check_refresh
from app.sync.request_checks import RequestChecks
from tests.support.raw_requests import RawRequest
from tests.support.sessions import as_owner
from tests.support.world import TOKEN, World, opened_world

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"
UNKNOWN = {"Authorization": "Bearer lc_0000000000000000_unknown"}
BOOTSTRAP = {"Authorization": f"Bearer {TOKEN}"}
ENDPOINT = {"url": "https://levitate.test/hooks", "events": ["*"], "description": ""}


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


async def test_wrong_tokens_lock_nobody_out_and_use_up_no_rate(
    api: World, monkeypatch: pytest.MonkeyPatch
):
    # ASVS V6.1.1: guessed secrets of the id of a token that exists
    headers, token_id = await api.create_token()
    monkeypatch.setattr(api.app.state, "auth", replace(api.app.state.auth, rate=1, limiters={}))
    for number in range(100):
        wrong = {"Authorization": f"Bearer lc_{token_id}_{number}"}
        assert (await api.api.get("/v1/accounts", headers=wrong)).status_code == 401
    assert (await api.api.get("/v1/accounts", headers=headers)).status_code == 200
    statuses = {(await api.api.get("/v1/accounts", headers=headers)).status_code for _ in range(9)}
    assert statuses == {200, 429}, "the rate is at work"


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


async def test_a_token_is_valid_until_its_end_and_not_after_it(api: World):
    # T14
    ends = now() + timedelta(days=1)
    headers, token_id = await api.create_token("hp", expires_at=ends)
    checks = api.app.state.services.request_checks
    assert checks.is_valid(token_id, now=ends - timedelta(microseconds=1))
    with time_machine.travel(ends, tick=True):
        answer = await api.api.get("/v1/accounts", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


async def test_what_an_expired_token_made_ends_too_because_it_counts_as_revoked(
    api: World, database: Database
):
    # T14: webhook endpoints look at `revoked_at`, also those of the release before
    ends = now() + timedelta(hours=1)
    headers, token_id = await api.create_token(expires_at=ends)
    made = await api.api.post("/v1/webhook-endpoints", json=ENDPOINT, headers=headers)
    assert made.status_code == 201
    assert await count_active(database) == 1
    services = replace(api.app.state.services, now=lambda: ends)
    await request_check_refresh.load_request_checks(services)
    assert await count_active(database) == 0
    found = {token.token_id: token for token in await all_tokens(database)}
    assert found[token_id].revoked_at == ends


async def test_two_tokens_work_side_by_side_until_the_first_is_revoked(api: World):
    # T14: rotation without an interruption
    first, first_id = await api.create_token("hp")
    second, _ = await api.create_token("hp")
    for headers in (first, second):
        assert (await api.api.get("/v1/accounts", headers=headers)).status_code == 200
    async with as_owner(api.app.state.services.database) as session:
        assert await service_tokens.revoke_token(session, first_id, now=now())
    await api.until_token(first, works=False)
    assert (await api.api.get("/v1/accounts", headers=second)).status_code == 200


async def test_the_bootstrap_token_ends_for_ever_with_its_endpoints_whatever_the_configuration_says(
    api: World, dsn: str, simulator: Any, database: Database
):
    # T14: a leaked one must not come back with a restart
    own, _ = await api.create_token()
    assert (await api.api.post("/v1/webhook-endpoints", json=ENDPOINT)).status_code == 201
    other = await api.api.post("/v1/webhook-endpoints", json=ENDPOINT, headers=own)
    assert await count_active(database) == 2
    async with as_owner(database) as session:
        assert await service_tokens.revoke_token(session, BOOTSTRAP_ID, now=now())
        assert not await service_tokens.revoke_token(session, BOOTSTRAP_ID, now=now())
    await api.until_token(BOOTSTRAP, works=False)
    assert await active(database) == [other.json()["id"]]
    async with opened_world(dsn, simulator, workers=False, clock=False) as again, again:
        answer = await again.api.get("/v1/accounts", headers=BOOTSTRAP)
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
        assert (await again.api.get("/v1/accounts", headers=own)).status_code == 200


async def test_an_endpoint_says_that_its_token_has_ended_and_cannot_be_enabled(
    api: World, database: Database
):
    # T14: nobody who replaces a token believes that events still arrive
    first, first_id = await api.create_token()
    second, _ = await api.create_token()
    made = (await api.api.post("/v1/webhook-endpoints", json=ENDPOINT, headers=first)).json()
    assert (made["status"], made["problem"]) == ("enabled", None)
    async with as_owner(database) as session:
        assert await service_tokens.revoke_token(session, first_id, now=now())
    url = f"/v1/webhook-endpoints/{made['id']}"
    enabled = await api.api.post(f"{url}/enable", headers=second)
    (listed,) = (await api.api.get("/v1/webhook-endpoints", headers=second)).json()["data"]
    for shown in (enabled.json(), listed, (await api.api.get(url, headers=second)).json()):
        assert (shown["status"], shown["problem"]["code"]) == ("disabled", "token_ended")


async def test_events_are_not_stored_for_an_endpoint_of_the_bootstrap_token_that_was_revoked(
    api: World, database: Database
):
    # T14
    await api.create_account()
    assert (await api.api.post("/v1/webhook-endpoints", json=ENDPOINT)).status_code == 201
    for deliveries in (1, 1):
        kind, data = EventKind.RUN_FINISHED, {"run_id": "r"}
        async with transaction(api.app.state.services.database, "hp") as session:
            await events.emit(session, "hp", kind, secrets.token_hex(4), data, now=now())
        async with as_owner(database) as session:
            assert (
                await session.execute(text("select count(*) from deliveries"))
            ).scalar_one() == deliveries
            await service_tokens.revoke_token(session, BOOTSTRAP_ID, now=now())


async def test_the_last_use_is_stored_to_the_minute_without_a_write_for_each_request(
    api: World, database: Database, monkeypatch: pytest.MonkeyPatch
):
    # T14
    stored: list[Any] = []
    real = service_tokens.store_uses

    async def counted(session: Any, uses: Any) -> None:
        if checks.list_new_uses() == uses:  # the process itself stores other uses meanwhile
            stored.append(uses)
        await real(session, uses)

    monkeypatch.setattr(service_tokens, "store_uses", counted)
    checks = RequestChecks()
    services = replace(api.app.state.services, request_checks=checks)
    minute = datetime(2030, 1, 1, 12, 30, tzinfo=UTC)
    _, token_id = await api.create_token("hp")
    for second in range(60):
        checks.note_use(token_id, now=minute + timedelta(seconds=second))
        await request_check_refresh._store_uses(services)
    assert stored == [{token_id: minute}]
    earlier = {token_id: minute - timedelta(hours=1)}  # of a process that stores later
    async with as_owner(database) as session:
        await real(session, earlier)
    (found,) = [one for one in await all_tokens(database) if one.token_id == token_id]
    assert found.last_used_at == minute
    checks.note_use(token_id, now=minute + timedelta(seconds=60))
    await request_check_refresh._store_uses(services)
    assert stored[1:] == [{token_id: minute + timedelta(minutes=1)}]


async def test_a_request_notes_the_use_of_its_token(api: World):
    headers, token_id = await api.create_token("hp")
    later = now() + timedelta(days=2)
    with time_machine.travel(later, tick=False):
        assert (await api.api.get("/v1/accounts", headers=headers)).status_code == 200
    uses = api.app.state.services.request_checks._uses
    assert uses[token_id] == later.replace(second=0, microsecond=0)


async def test_a_use_that_could_not_be_stored_is_stored_later(api: World, database: Database):
    checks, minute = RequestChecks(), datetime(2030, 1, 1, 12, 30, tzinfo=UTC)
    services = replace(api.app.state.services, request_checks=checks)
    _, token_id = await api.create_token("hp")
    checks.note_use(token_id, now=minute)
    away = replace(services, database=open_database(Address(NOWHERE)))
    with pytest.raises(DatabaseUnavailable):
        await request_check_refresh._store_uses(away)
    await request_check_refresh._store_uses(services)
    (found,) = [one for one in await all_tokens(database) if one.token_id == token_id]
    assert found.last_used_at == minute


async def all_tokens(database: Database) -> list[service_tokens.ServiceToken]:
    async with as_owner(database) as session:
        return await service_tokens.list_tokens(session)


async def active(database: Database) -> list[str]:
    """Return the endpoints to which events are posted."""
    query = select(event_tables.webhook_endpoints.c.endpoint_id).where(endpoints.is_active())
    async with as_owner(database) as session:
        return list((await session.execute(query)).scalars())


async def count_active(database: Database) -> int:
    return len(await active(database))
