"""Tests of data that only one login sees, and of that data when the login ends [S3, S4, S9]."""

from datetime import timedelta
from typing import Any

import time_machine

from app import main
from app.db.connections import connections
from tests.e2e.test_runs import versions
from tests.support.sessions import as_owner
from tests.support.world import World


def labels(contact: dict[str, Any]) -> set[str]:
    return {tag["label"] for tag in contact["tags"]}


async def open_issues(world: World) -> dict[str, dict[str, Any]]:
    return {issue["code"]: issue async for issue in world.all("issues", status="open")}


async def with_ben(world: World) -> None:
    await world.connect("u_ben", 502)
    await world.settled()


async def test_when_the_only_login_that_sees_data_ends_nothing_is_removed_and_an_issue_names_the_data(
    pulled: World,
):
    # S4, S9: u_ben is revoked → 1008 is unchanged and the issue names M208
    await with_ben(pulled)
    before = await pulled.contacts()
    pulled.simulator.oauth["us"].revoke_user(502)
    run = await pulled.run("full")
    assert run["status"] == "succeeded"
    assert await pulled.contacts() == before
    found = await open_issues(pulled)
    assert set(found) == {"needs_reconnect", "coverage_lost"}
    assert "1 matters (Clio ids 208)" in found["coverage_lost"]["detail"]
    assert found["coverage_lost"]["subject"]["kind"] == "connection"
    status = (await pulled.api.get("/v1/accounts/hp/status")).json()
    assert (status["health"], status["open_issues"]) == ("degraded", 2)
    await with_ben(pulled)
    assert await open_issues(pulled) == {}
    assert await pulled.contacts() == before


async def test_another_login_that_sees_the_same_data_resolves_the_issue(pulled: World):
    # S4
    await with_ben(pulled)
    pulled.simulator.oauth["us"].revoke_user(502)
    await pulled.run()
    assert "coverage_lost" in await open_issues(pulled)
    pulled.simulator.firms[0].restrict_matter(208, None)
    await pulled.run("full")
    assert "coverage_lost" not in await open_issues(pulled)


async def test_data_is_removed_thirty_days_after_the_only_login_that_saw_it_ended(pulled: World):
    # S4
    await with_ben(pulled)
    assert {"Active Client", "Employment"} <= labels((await pulled.contacts())["1008"])
    services = pulled.app.state.services
    async with as_owner(services.database) as session:
        (ben,) = [
            login for login in await connections.list_all(session, "hp") if login.user_id == "u_ben"
        ]
    path = f"/v1/accounts/hp/connections/{ben.connection_id}"
    assert (await pulled.api.delete(path)).status_code == 204
    assert set(await open_issues(pulled)) == {"coverage_lost"}
    with time_machine.travel(main.now() + timedelta(days=29), tick=True):
        await pulled.run()
        assert {"Active Client", "Employment"} <= labels((await pulled.contacts())["1008"])
    with time_machine.travel(main.now() + timedelta(days=31), tick=True):
        await pulled.run()
        hugo = (await pulled.contacts())["1008"]
        assert not {"Active Client", "Employment"} & labels(hugo)
        assert hugo["state"] == "in_scope", "Ann sees the contact and its flag"
        assert await open_issues(pulled) == {}


async def test_two_users_with_different_views_write_nothing_when_nothing_changed(
    pulled: World,
):
    # S3, OV-4
    await with_ben(pulled)
    await pulled.connect("u_cat", 503)
    await pulled.settled()
    lines = await pulled.changes()
    before = await versions(pulled)
    for kind in ("incremental", "full"):
        run = await pulled.run(kind)
        assert (run["status"], run["counts"]["changed"]) == ("succeeded", 0)
    assert await pulled.changes() == lines
    assert await versions(pulled) == before


async def test_a_record_that_another_login_lists_exists_and_is_not_requested(pulled: World):
    # S4, row 32: Ben loses sight of a matter that Ann lists; after that only Ann sees it
    await with_ben(pulled)
    before = labels((await pulled.contacts())["1001"])
    pulled.simulator.firms[0].restrict_matter(201, [501])
    pulled.simulator.log.clear()
    assert (await pulled.run("full"))["status"] == "succeeded"
    assert pulled.simulator.requests("/api/v4/matters/201.json") == []
    assert labels((await pulled.contacts())["1001"]) == before
    pulled.simulator.oauth["us"].revoke_user(501)
    await pulled.run("full")
    assert "(Clio ids 201" in (await open_issues(pulled))["coverage_lost"]["detail"]
