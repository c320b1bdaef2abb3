"""Telling Clio to revoke tokens: again and again for seven days, whatever gave the tokens up [S15, API-16]."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import time_machine

from app import main
from app.clio.client import ClioClient
from app.db.accounts import accounts
from app.db.accounts.audit import Actor
from app.db.connections import revocations
from app.db.connections.revocations import Revocation
from app.errors import DatabaseUnavailable
from app.lanes import DEAUTHORISATION, Lane, housekeeping_key
from app.simulator.faults.faults import Fault
from app.simulator.store.firm import Firm
from app.sync.account_erasure import start_account_erasure
from app.sync.concurrency import Stopping
from app.sync.connections import revocations as sync_revocations
from app.sync.services import Services
from tests.e2e.connections.test_oauth_flow import connection
from tests.support.slices import do_slice
from tests.support.world import PATIENCE, World

HP = "/v1/accounts/hp"
KEY = housekeeping_key(DEAUTHORISATION, "hp")


def services_of(world: World) -> Services:
    services: Services = world.app.state.services
    return services


def told(world: World) -> int:
    return len(world.simulator.requests("/oauth/deauthorize"))


async def later(world: World, **after: float) -> int:
    """Do a slice of the revocations after a time; return how many attempts were made."""
    await world.housekept()
    before = told(world)
    with time_machine.travel(main.now() + timedelta(**after), tick=True):
        await do_slice(services_of(world), Lane.HOUSEKEEPING, KEY)
    return told(world) - before


async def owed(world: World) -> list[Any]:
    connected = await asyncpg.connect(world.dsn)
    try:
        return list(await connected.fetch("select * from revocations"))
    finally:
        await connected.close()


async def disconnected(world: World, times: int) -> dict[str, Any]:
    """Disconnect Ann while Clio answers 503 so many times; return the connection."""
    world.simulator.faults.add(Fault("status", path="deauthorize", value="503", times=times))
    login = await connection(world)
    path = f"{HP}/connections/{login['id']}"
    assert (await world.api.delete(path)).status_code == 204
    await world.housekept()
    return login


async def test_clio_is_told_again_after_a_minute_and_the_tokens_are_unusable_meanwhile(
    pulled: World,
):
    login = await disconnected(pulled, times=1)
    assert (told(pulled), len(users(pulled)), len(await owed(pulled))) == (1, 1, 1)
    assert (await connection(pulled))["status"] == "disconnected"
    assert (await pulled.run())["status"] == "failed"  # no login works
    assert await later(pulled, seconds=55) == 0
    assert await later(pulled, seconds=61) == 1
    assert (users(pulled), await owed(pulled)) == ([], [])
    assert (await pulled.api.delete(f"{HP}/connections/{login['id']}")).status_code == 204
    await pulled.housekept()
    assert told(pulled) == 2


async def stop(*_: Any) -> None:
    """Behave like a call that waits for Clio when the process must end."""
    raise Stopping


async def test_a_stop_while_clio_is_told_only_delays_it(
    pulled: World, monkeypatch: pytest.MonkeyPatch
):
    login = await connection(pulled)
    with monkeypatch.context() as patch:
        patch.setattr(sync_revocations, "_revoke", stop)
        answer = await pulled.api.delete(f"{HP}/connections/{login['id']}")
        await pulled.housekept()
    assert (answer.status_code, len(await owed(pulled))) == (204, 1)
    assert await later(pulled, seconds=61) == 1
    assert await owed(pulled) == []


async def test_disconnecting_does_not_wait_for_clio(pulled: World):
    # API-16: it is told in a slice that begins at once
    login = await connection(pulled)
    async with pulled.clio_transport.paused("/oauth/deauthorize"):
        answer = await pulled.api.delete(f"{HP}/connections/{login['id']}")
        assert answer.status_code == 204
        await asyncio.wait_for(pulled.clio_transport.waiting.wait(), PATIENCE)
    await pulled.housekept()
    assert (users(pulled), await owed(pulled)) == ([], [])


async def test_a_stop_while_a_user_connects_sends_the_browser_back_and_owes_the_revocation(
    pulled: World, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        patch.setattr(ClioClient, "who_am_i", stop)
        assert await pulled.connect("u_ben", 502) == "x=1&clio=exchange_failed"
    assert len(await owed(pulled)) == 1
    assert await later(pulled, minutes=6) == 1
    assert await owed(pulled) == []


def test_the_pauses_are_1_5_and_30_minutes_then_an_hour_and_the_last_attempt_is_after_7_days():
    start = datetime(2026, 3, 1, tzinfo=UTC)
    one = Revocation("hp", "rvk", "cnx", "u", "us", None, (), "sealed", 0, start, start)
    now, attempts = start, list[datetime]()
    while not one.is_last_attempt(now) and len(attempts) < 500:
        one = replace(one, attempts=one.attempts + 1)
        now = revocations.next_attempt(one, now=now)
        attempts.append(now)
    pauses = [
        int((b - a).total_seconds()) for a, b in zip([start, *attempts], attempts, strict=False)
    ]
    assert pauses[:6] == [60, 300, 1800, 3600, 3600, 3600]
    assert attempts[-1] == start + timedelta(days=7)


async def test_after_seven_days_the_tokens_are_destroyed_and_an_issue_says_what_to_end(
    pulled: World,
):
    login = await disconnected(pulled, times=99)
    assert await later(pulled, days=6, hours=23) == 1
    assert len(await owed(pulled)) == 1
    assert await later(pulled, days=7) == 1
    assert await owed(pulled) == []
    (issue,) = [
        each async for each in pulled.all("issues") if each["code"] == "deauthorization_failed"
    ]
    assert issue["severity"] == "warning"
    assert issue["subject"] == {"kind": "connection", "id": login["id"]}
    assert "Clio user 501, region us" in issue["detail"]
    assert "Ann" not in issue["detail"]


async def test_a_refresh_token_is_revoked_although_its_access_token_has_ended(pulled: World):
    pulled.simulator.faults.add(Fault("unauthorized", path="deauthorize"))
    login = await connection(pulled)
    assert (await pulled.api.delete(f"{HP}/connections/{login['id']}")).status_code == 204
    await pulled.housekept()
    assert (told(pulled), users(pulled), await owed(pulled)) == (2, [], [])


async def test_tokens_that_clio_has_ended_itself_are_no_failure(pulled: World):
    pulled.simulator.oauth["us"].revoke_user(501)
    login = await connection(pulled)
    assert (await pulled.api.delete(f"{HP}/connections/{login['id']}")).status_code == 204
    await pulled.housekept()
    assert await owed(pulled) == []


# --- an exchange whose next step fails ----------------------------------------------------------

Break = Callable[[World, pytest.MonkeyPatch], Awaitable[str]]


async def refused_identity(world: World, _: pytest.MonkeyPatch) -> str:
    world.simulator.faults.add(Fault("forbidden", path="who_am_i"))
    return "clio=exchange_failed"


async def other_firm(world: World, _: pytest.MonkeyPatch) -> str:
    other = Firm(account_id=99, name="Other LLP", region="us", now=main.now)
    user = {"id": 502, "name": "O", "email": "o@x.test", "enabled": True, "account_owner": True}
    other.put("user", {**user, "roles": []})
    world.simulator.oauth["us"].firms.insert(0, other)
    world.simulator.firms.insert(0, other)
    return "clio=clio_account_mismatch"


async def lost_database(_: World, patch: pytest.MonkeyPatch) -> str:
    async def gone(*_: object) -> None:
        raise DatabaseUnavailable

    patch.setattr(accounts, "bind_firm", gone)
    return "503"


async def erased_account(world: World, patch: pytest.MonkeyPatch) -> str:
    bind, services = accounts.bind_firm, services_of(world)

    async def bind_late(session: Any, account_id: str, *more: Any) -> None:
        if account_id == "hp":
            await start_account_erasure(services, "hp", actor=Actor())
        await bind(session, account_id, *more)

    patch.setattr(accounts, "bind_firm", bind_late)
    return "400"


@pytest.mark.parametrize("broken", [refused_identity, other_firm, lost_database, erased_account])
async def test_tokens_of_an_exchange_whose_next_step_failed_are_revoked(
    pulled: World, monkeypatch: pytest.MonkeyPatch, broken: Break
):
    # AU-2, AU-4: although Clio does not answer the first time
    expected = await broken(pulled, monkeypatch)
    pulled.simulator.faults.add(Fault("status", path="deauthorize", value="503"))
    assert await outcome(pulled) == expected
    await pulled.housekept()
    assert 502 in users(pulled)
    monkeypatch.undo()
    minutes = 0
    async with asyncio.timeout(PATIENCE):
        while await owed(pulled):  # the erasure of the account owes others at its own time
            minutes += 6
            await later(pulled, minutes=minutes)
    assert 502 not in users(pulled)


async def test_tokens_that_could_not_be_stored_as_owed_are_revoked_at_once(
    pulled: World, monkeypatch: pytest.MonkeyPatch
):
    async def gone(*_: object, **__: object) -> None:
        raise DatabaseUnavailable

    monkeypatch.setattr(revocations, "owe", gone)
    assert await outcome(pulled) == "503"
    assert users(pulled) == [501]


async def outcome(world: World) -> str:
    """Connect Ben; return the result in the return address, or the status of the answer if there is none."""
    answer = await world.api.get(await world.approve(await world.start("u_ben"), 502))
    address = answer.headers.get("location", "")
    return address.partition("&")[2] or str(answer.status_code)


def users(world: World) -> list[int]:
    """Return the Clio users whose authorisation Clio still accepts."""
    return [grant.user_id for grant in world.simulator.oauth["us"]._grants.values()]


async def test_a_login_that_was_stored_too_late_is_refused_because_its_tokens_are_being_revoked(
    pulled: World,
):
    callback = await pulled.approve(await pulled.start("u_ben"), 502)
    async with asyncio.TaskGroup() as group, pulled.clio_transport.paused("/api/v4/users/who_am_i"):
        answer = group.create_task(pulled.api.get(callback))
        await pulled.clio_transport.waiting.wait()
        assert await later(pulled, minutes=4) == 0
        assert await later(pulled, minutes=6) == 1
    assert answer.result().headers["location"].endswith("clio=exchange_failed")
    assert users(pulled) == [501]
    assert await owed(pulled) == []


async def test_another_login_in_place_of_the_old_one_revokes_the_old_tokens_and_the_same_login_does_not(
    pulled: World,
):
    # S9, AU-1: Clio does not say whether revoking older tokens of a login ends its new ones
    await pulled.connect("u_ann", 501)
    await pulled.housekept()
    assert told(pulled) == 0
    await pulled.connect("u_ann", 502)
    await pulled.housekept()
    assert told(pulled) == 1
    assert (await connection(pulled))["status"] == "connected"
    assert (await pulled.settled())[-1]["status"] == "succeeded"
