"""After each action of the sandbox the API shows what its page says."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine

from app import main
from app.simulator.sandbox.routes import Sandbox, router
from tests.e2e.assess.test_new_clients import listening, received_events
from tests.support.world import PATIENCE, World

HP = "/v1/accounts/hp"


class Integrator:
    """Presses the buttons of the sandbox, and looks where its answers say."""

    def __init__(self, world: World, clio: httpx.AsyncClient) -> None:
        self.world = world
        self.clio = clio
        self.shows: list[dict[str, str]] = []

    async def do(self, action: str, **given: Any) -> dict[str, Any]:
        """Do an action; return the Clio ids of what was done."""
        answer = await self.clio.post(f"/sandbox/actions/{action}", json=given)
        assert answer.status_code == 200, answer.text
        self.shows = answer.json()["shows"]
        ids: dict[str, Any] = answer.json()["ids"]
        return ids

    async def sees(self, about: str) -> Any:
        """Return what the endpoint answers that the sandbox has named for something; of a list its items."""
        read = [one["endpoint"] for one in self.shows if one.get("endpoint", "").startswith("GET ")]
        (named,) = [one.removeprefix("GET ") for one in read if about in one]
        answer = await self.world.api.get(named.replace("{account_id}", "hp"))
        assert answer.status_code == 200, answer.text
        return answer.json().get("data", answer.json())

    async def run(self) -> dict[str, Any]:
        """Start the run that the sandbox names, and return it when it has ended."""
        (named,) = [one for one in self.shows if one.get("endpoint", "").startswith("POST")]
        kind = named["what"].split('"kind": "')[1].split('"')[0]
        return await self.world.run(kind)

    def tells(self, kind: str) -> set[str]:
        """Return the events or the issues that the sandbox has named."""
        return {one[kind] for one in self.shows if kind in one}

    async def issues(self) -> set[str]:
        return {issue["code"] async for issue in self.world.all("issues", status="open")}


@pytest.fixture
async def integrator(pulled: World) -> AsyncIterator[Integrator]:
    """An integrator whose firm has Ann connected, and has had its first run."""
    app = pulled.simulator.app("us")
    app.include_router(router(Sandbox(pulled.simulator), "us", "127.0.0.1"))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as clio:
        yield Integrator(pulled, clio)


def labels(contact: dict[str, Any], *, restricted: bool = False) -> set[str]:
    return {tag["label"] for tag in contact["tags"] if tag["restricted"] or not restricted}


async def test_a_new_client_is_in_levitate_and_is_announced(integrator: Integrator):
    # NC-1
    async with listening(integrator.world) as receiver:
        ids = await integrator.do("new-client")
        assert (await integrator.run())["status"] == "succeeded"
        (contact,) = await integrator.sees("contacts?")
        assert {"Client", "Active Client"} <= labels(contact)
        row = (await integrator.sees("new-clients"))[0]
        assert (row["clio_id"], row["status"]) == (ids["contact_id"], "emitted")
        line = (await integrator.sees("changes"))[-1]
        assert (line["kind"], line["clio_id"]) == ("contact.added", ids["contact_id"])
        assert integrator.tells("event") == {"client.new"}
        events = await received_events(integrator.world, receiver)
    assert [event["clio_id"] for event in events] == [ids["contact_id"]]


async def test_a_merged_contact_is_deleted_and_names_the_one_who_stays(integrator: Integrator):
    # S6, NC-6
    async with listening(integrator.world) as receiver:
        ids = await integrator.do("merge")
        assert (await integrator.run())["status"] == "succeeded"
        (old,) = await integrator.sees(f"clio_id={ids['contact_id']}")
        (new,) = await integrator.sees(f"clio_id={ids['into_contact_id']}")
        assert (old["state"], old["merged_into"]) == ("deleted", new["id"])
        assert {"alice@home.test", "alice@work.test"} < {one["address"] for one in new["emails"]}
        lines = [
            one for one in await integrator.sees("changes") if one["kind"] == "contact.deleted"
        ]
        assert [one["contact"]["merged_into"] for one in lines] == [new["id"]]
        assert await received_events(integrator.world, receiver) == []
        assert len(await received_events(integrator.world, receiver, "contacts.changed")) == 1


async def test_a_closed_matter_takes_the_tag_away(integrator: Integrator):
    # TG-6
    await integrator.do("close-matter")
    before = (await integrator.sees("contacts?"))[0]
    assert (await integrator.run())["status"] == "succeeded"
    (contact,) = await integrator.sees("contacts?")
    assert labels(before) - labels(contact) >= {"Active Client"}
    assert "Past Client" in labels(contact)
    line = (await integrator.sees("changes"))[-1]
    assert line["kind"] == "contact.updated"
    assert (set(line["tags_added"]), set(line["tags_removed"])) == (
        labels(contact) - labels(before),
        labels(before) - labels(contact),
    )


@pytest.mark.parametrize("logins", [1, 2])
async def test_a_restricted_matter_marks_its_tags(integrator: Integrator, logins: int):
    # S7
    if logins == 2:
        await integrator.world.connect("u_ben", 502)
        await integrator.world.settled()
    await integrator.do("restrict")
    before = (await integrator.sees("contacts?"))[0]
    assert labels(before, restricted=True) == set()
    assert (await integrator.run())["status"] == "succeeded"
    (contact,) = await integrator.sees("contacts?")
    assert labels(contact, restricted=True) == {"Active Client", "Family Law"}
    assert labels(contact) == labels(before), "none is gone"
    line = (await integrator.sees("changes"))[-1]
    assert (line["kind"], line["contact"]["tags"]) == ("contact.updated", contact["tags"])
    await integrator.world.choose({"restricted_matters": {"withhold": True}})
    (contact,) = await integrator.sees("contacts?")
    assert not {"Active Client", "Family Law"} & labels(contact)


async def test_a_matter_that_no_login_sees_any_more_counts_as_deleted_after_a_full_run(
    integrator: Integrator,
):
    # row 32: a 404 for a login that sees the whole firm
    await integrator.do("restrict", contact_id="1001", user_id="504")
    before = (await integrator.sees("contacts?"))[0]
    assert (await integrator.run())["status"] == "succeeded"
    assert await integrator.sees("contacts?") == [before]
    assert (await integrator.world.run("full"))["status"] == "succeeded"
    (contact,) = await integrator.sees("contacts?")
    assert labels(before) - labels(contact) == {"Active Client", "Family Law"}


async def test_a_revoked_login_must_connect_again(integrator: Integrator):
    # S9
    world = integrator.world
    await world.connect("u_ben", 502)
    await world.settled()
    async with listening(world) as receiver:
        assert (await integrator.do("revoke-login"))["user_id"] == "502"
        assert (await integrator.run())["status"] == "succeeded"
        statuses = {
            one["clio_user"]["id"]: one["status"] for one in await integrator.sees("connections")
        }
        assert statuses == {"501": "connected", "502": "needs_reconnect"}
        assert (await integrator.sees("status"))["health"] == "degraded"
        assert integrator.tells("issue") <= await integrator.issues()
        (event,) = integrator.tells("event")
        (sent,) = await received_events(world, receiver, event)
    assert sent["user_id"] == "u_ben"


async def test_during_a_rate_limit_the_run_waits_and_then_succeeds(integrator: Integrator):
    # S10
    await integrator.do("rate-limit", seconds=2)
    run = await integrator.run()
    assert run["status"] == "succeeded"
    newest = (await integrator.sees("runs"))[0]
    assert newest["id"] == run["id"]
    assert newest["clio"]["rate_limited"] >= 1
    assert newest["clio"]["waited_seconds"] >= 1
    assert (await integrator.sees("status"))["health"] == "ok"
    assert await integrator.issues() == set()


async def test_an_outage_interrupts_the_run_which_continues_when_it_is_over(
    integrator: Integrator,
):
    # F6, row 53
    world = integrator.world
    before = await world.contacts()
    await integrator.do("new-client")
    await integrator.do("outage", seconds=3600)
    run = await world.attempted()
    newest = (await integrator.sees("runs"))[0]
    assert (newest["id"], newest["status"]) == (run["id"], "interrupted")
    assert [problem["code"] for problem in newest["problems"]] == ["clio_unavailable"]
    assert await world.contacts() == before
    await integrator.do("end-faults")
    await world.resume()
    await world.settled()
    newest = (await integrator.sees("runs"))[0]
    assert (newest["id"], newest["status"]) == (run["id"], "succeeded")
    assert len(await world.contacts()) == len(before) + 1


async def test_an_outage_of_two_hours_opens_the_issue(integrator: Integrator):
    world = integrator.world
    await integrator.do("outage", seconds=86_400)
    assert integrator.tells("issue") == {"clio_outage"}
    await world.attempted()
    assert await integrator.issues() == set()
    with time_machine.travel(main.now() + timedelta(hours=3), tick=True):
        await world.resume()
        async with asyncio.timeout(PATIENCE):
            while await integrator.issues() != {"clio_outage"}:
                await asyncio.sleep(0.05)


async def test_a_surge_is_held_until_somebody_decides(integrator: Integrator):
    # NC-7
    async with listening(integrator.world) as receiver:
        ids = set((await integrator.do("surge"))["contact_ids"])
        assert (await integrator.run())["status"] == "succeeded"
        assert len(await integrator.sees("contacts?")) == 50, "the first page"
        (hold,) = await integrator.sees("holds")
        assert (hold["kind"], hold["count"]) == ("new_clients", len(ids))
        rows = await integrator.sees("new-clients")
        assert {(row["status"], row["held_for"]) for row in rows} == {("held", "surge")}
        assert integrator.tells("issue") == {"new_client_surge"} == await integrator.issues()
        assert await received_events(integrator.world, receiver) == []
        released = await integrator.world.api.post(f"{HP}/holds/{hold['id']}/release")
        assert released.is_success, released.text
        rows = [row async for row in integrator.world.all("new-clients", order="newest")]
        assert {row["status"] for row in rows if row["clio_id"] in ids} == {"emitted"}
