"""Two accounts on one service: nothing that happens in one changes or depends on the other [T2]."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import time_machine

from app import main
from app.lanes import Lane
from app.simulator.faults.faults import Fault
from app.sync.assess import finish_decided_holds
from app.sync.services import Services
from tests.e2e.pull.test_order_of_steps import landed
from tests.e2e.writeback.test_writeback import EMAIL, TEXT, post, until
from tests.support.account_copies import copy_account, rows_of
from tests.support.first_run import AfterFirstRun
from tests.support.postgres import Server
from tests.support.slices import do_slice
from tests.support.world import World, opened_world

HP = "/v1/accounts/hp"
Copy = Callable[[], Awaitable[None]]
VARYING = {
    "subject",
    "seen_by",
    "id",
    "run_id",
    "connection_id",
    "hold_id",
    "at",
    "event_ids",
    "request_id",
    "progress",
    "clio",
    "cursor",
}


async def test_an_incomplete_pull_of_one_account_does_not_delay_another(pulled: World):
    # I4: the newest run of the service is the failed one
    await pulled.create_account("other")
    pulled.simulator.faults.add(Fault("refused", path="matters", value="400", times=99))
    await pulled.connect("u_ann", 501, "other")
    (failed,) = await pulled.settled("other")
    assert failed["status"] == "failed"
    pulled.simulator.faults.clear()
    rederived = await pulled.choose({"tags": {"location": {"city": True}}})
    assert rederived is not None
    assert (rederived["status"], rederived["problems"]) == ("succeeded", [])


async def test_no_account_changes_or_depends_on_another(
    server: Server, after_first_run: AfterFirstRun
):
    # T2: the second time there are copies of the account at three moments, with the same ids in all rows
    start = after_first_run

    async def no_copy() -> None:
        pass

    async with (
        server.database(start.template) as dsn,
        opened_world(dsn, start.simulator(), clock=False) as world,
        world,
    ):
        alone = await story(world, no_copy)

    async with (
        server.database(start.template) as dsn,
        opened_world(dsn, start.simulator(), clock=False) as world,
        world,
    ):
        copies: dict[str, dict[str, list[str]]] = {}

        async def copy() -> None:
            name = f"copy-{len(copies)}"
            await copy_account(dsn, "hp", name)
            await make_settings_newer(dsn, name)
            copies[name] = await rows_of(dsn, name)

        beside = await story(world, copy)
        await world.erase()
        for name, rows in copies.items():
            now = await rows_of(dsn, name)
            for table, lines in rows.items():
                assert now[table] == lines, (name, table)
        assert not any((await rows_of(dsn, "hp")).values())
    assert len(copies) == 3
    for what, found in alone.items():
        assert beside[what] == found, what


async def story(world: World, copy: Copy) -> dict[str, Any]:
    """Let all kinds of work happen in the account, and return what its users see at the end."""
    await copy()
    await write_activities(world)
    await pull_with_surge(world, copy)
    await world.connect("u_ben", 502)
    await world.settled()
    await copy()
    await decide_and_delete(world)
    with time_machine.travel(main.now() + timedelta(hours=25), tick=True):
        await do_slice(services_of(world), Lane.WRITE_BACK)
    world.simulator.oauth["us"].revoke_user(502)
    await world.run("incremental")
    await world.idle()
    return await seen(world)


async def write_activities(world: World) -> None:
    """Write one activity; the author of another one is not connected."""
    await until(world, await post(world, EMAIL))
    await post(world, {**TEXT, "user_id": "u_cat"})
    contact_id = (await world.contacts())["1002"]["id"]
    await world.api.post(f"{HP}/contacts/{contact_id}/preexisting-tags", json={"labels": ["VIP"]})


async def pull_with_surge(world: World, copy: Copy) -> None:
    """Pull changes and more new clients than the settings allow; copy when contacts landed and none is assessed."""
    firm = world.simulator.firms[0]
    await world.choose({"new_client": {"surge_threshold": 2}})
    firm.put("contact", {"id": 1001, "title": "Judge"})
    firm.delete("matter", 201)
    client = {**(firm.find("contact", 1006) or {}), "is_client": True}
    for clio_id in (5000, 5001, 5002):
        firm.put("contact", {**client, "id": clio_id, "last_name": f"N{clio_id}"})
    async with world.clio_transport.paused("/api/v4/matters"):
        await world.api.post(f"{HP}/runs", json={"kind": "full"}, headers={"Idempotency-Key": "a"})
        await landed(world, "mirror_contacts where account_id = 'hp' and stale")
        await copy()
    await world.settled()


async def decide_and_delete(world: World) -> None:
    """Release some held clients, change a setting, delete one contact in Clio and erase another."""
    (hold,) = [hold async for hold in world.all("holds", status="open")]
    _, *most = [item["id"] async for item in world.all(f"holds/{hold['id']}/items")]
    released = await world.api.post(f"{HP}/holds/{hold['id']}/release", json={"ids": most})
    assert released.json()["count"] == 1
    await finish_decided_holds(services_of(world))
    await world.choose({"tags": {"location": {"city": True}}})
    world.simulator.firms[0].delete("contact", 1002)
    await world.run("full")
    await merge(world)
    contact_id = (await world.contacts())["1001"]["id"]
    body = {"kind": "incremental", "contact_id": contact_id}
    await world.api.post(f"{HP}/runs", json=body, headers={"Idempotency-Key": "b"})
    await world.settled()
    erased = (await world.contacts())["1003"]["id"]
    assert (await world.api.delete(f"{HP}/contacts/{erased}")).is_success
    (open_hold,) = [hold async for hold in world.all("holds", status="open")]
    assert open_hold["count"] == 1
    await world.run("full")


async def merge(world: World) -> None:
    """Merge a client in Clio into another contact with the same name."""
    firm = world.simulator.firms[0]
    firm.put("contact", {**(firm.find("contact", 1004) or {}), "id": 7004})
    for matter_id in firm.ids("matter"):
        if (firm.find("matter", matter_id) or {})["client_id"] == 1004:
            firm.put("matter", {"id": matter_id, "client_id": 7004})
    firm.delete("contact", 1004)
    await world.run("incremental")
    await world.run("full")


async def seen(world: World, *, walled: bool = True) -> dict[str, Any]:
    """Return what the account's users see, without ids and times that differ between two runs of the story.

    `walled` also reads as a user who is limited to the own login, for which it changes the settings and back.
    """
    lists = (
        "activities", "audit", "changes", "connections", "holds", "new-clients", "runs",
        "settings/versions",
    )  # fmt: skip
    documents = (
        "attorneys",
        "catalog",
        "settings",
        "status",
        "users",
        "contacts/{id}/explain",
        "contacts/{id}/history",
    )
    contact_id = (await world.contacts())["1001"]["id"]
    issues = [stable(item) async for item in world.all("issues")]  # two of one moment have no order
    limited = await seen_by_ann(world, lists, contact_id) if walled else {}
    return {
        **limited,
        "contacts": stable(await world.contacts()),
        **{
            name: stable((await world.api.get(f"{HP}/{name.format(id=contact_id)}")).json())
            for name in documents
        },
        "issues": sorted(issues, key=lambda issue: str(issue["code"])),
        **{name: [stable(item) async for item in world.all(name)] for name in lists},
        "hold items": [
            stable(item)
            async for hold in world.all("holds")
            async for item in world.all(f"holds/{hold['id']}/items")
        ],
    }


async def seen_by_ann(world: World, lists: Sequence[str], contact_id: str) -> dict[str, Any]:
    """Return what Ann is shown if the account limits each user to what the user's login sees in Clio [T10]."""
    holds = [hold["id"] async for hold in world.all("holds")]
    await world.choose({"privacy": {"respect_visibility": True}})
    url, ann = f"{HP}/{{}}", {"Levitate-User": "u_ann", "Levitate-Role": "account_admin"}
    paths = [f"{name}?limit=200" for name in (*lists, "issues")]
    paths += [f"contacts/{contact_id}{part}" for part in ("", "/explain", "/history")]
    paths += ["status", *("contacts?tag=client", "contacts?q=a", "new-clients?status=held")]
    paths += [f"holds/{hold_id}/items" for hold_id in holds]
    paths += [f"runs/{run['id']}/report" for run in (await world.runs())[-2:]]
    found = [stable((await world.api.get(url.format(path), headers=ann)).json()) for path in paths]
    for page in found:
        page.get("data", []).sort(key=str)  # two of one moment have no order
    await world.api.get(url.format("contacts"), headers={"Levitate-User": "u_sam"})
    await world.choose({"privacy": {"respect_visibility": False}})
    return {"walled": found}


def services_of(world: World) -> Services:
    services: Services = world.app.state.services
    return services


async def make_settings_newer(dsn: str, account_id: str) -> None:
    """Give the account's settings the highest version numbers of all accounts."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            "update settings set version = version + 1000 where account_id = $1", account_id
        )
    finally:
        await connection.close()


def stable(value: Any) -> Any:
    """Return a document without the fields that differ between two runs of the story."""
    if isinstance(value, dict):
        kept = (key for key in value if key not in VARYING and not key.endswith("_at"))
        return {key: stable(value[key]) for key in kept}
    return [stable(item) for item in value] if isinstance(value, list) else value
