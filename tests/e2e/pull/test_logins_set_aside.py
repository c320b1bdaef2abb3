"""One login's trouble does not stop its firm: the others are read, and nothing is taken away [row 53]."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from app.db.runs import runs
from app.lanes import Lane
from app.simulator.faults.faults import Fault
from tests.support.sessions import as_owner
from tests.support.sliced_firm import within
from tests.support.slices import do_slice
from tests.support.world import World

ANN, BEN = 501, 502  # Ben sees the contacts of Ann, and matter 208, which she does not see
STEP = timedelta(minutes=5)


class Firm:
    """A firm with two logins. Its runs are executed one attempt at a time, on a clock that the test moves."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.late = timedelta(0)

    async def attempt(self, run_id: str) -> dict[str, Any]:
        """Work on the run once, as a worker does, and return it."""
        services = self.world.app.state.services
        now = services.now
        moved = replace(services, now=lambda: now() + self.late, open_budget=within())
        await do_slice(moved, await self._lane(run_id))
        run: dict[str, Any] = (await self.world.api.get(f"/v1/accounts/hp/runs/{run_id}")).json()
        return run

    async def _lane(self, run_id: str) -> Lane:
        async with as_owner(self.world.app.state.services.database) as session:
            return (await runs.get_run(session, "hp", run_id)).lane

    async def finish(self, run_id: str) -> dict[str, Any]:
        """Work on the run every five minutes until it ends; at most five times."""
        run = await self.attempt(run_id)
        for _ in range(4):
            if run["status"] != "interrupted":
                break
            self.late += STEP
            run = await self.attempt(run_id)
        return run

    async def request(self, kind: str = "incremental") -> str:
        key = {"Idempotency-Key": f"key-{len(await self.world.runs())}"}
        asked = await self.world.api.post("/v1/accounts/hp/runs", json={"kind": kind}, headers=key)
        run_id: str = asked.json()["id"]
        return run_id

    async def run(self, kind: str = "incremental") -> dict[str, Any]:
        return await self.finish(await self.request(kind))

    async def labels(self, clio_id: str) -> set[str]:
        return {tag["label"] for tag in (await self.world.contacts())[clio_id]["tags"]}

    async def issues(self, code: str) -> list[str]:
        found = self.world.all("issues", status="open")
        return [issue["detail"] async for issue in found if issue["code"] == code]

    async def checkpoints(self) -> dict[tuple[str, str], datetime]:
        """Return the checkpoints, and move them back so that the next run moves them."""
        connection = await asyncpg.connect(self.world.dsn)
        try:
            back = "update checkpoints set since = since - interval '1 day' returning *"
            rows = await connection.fetch(back)
        finally:
            await connection.close()
        return {(row["connection_id"], row["resource"]): row["since"] for row in rows}

    async def connection_of(self, user_id: str) -> str:
        found = self.world.all("connections")
        (own,) = [one["id"] async for one in found if one["user_id"] == user_id]
        return str(own)

    def breaks(
        self, path: str, effect: str = "status", value: str = "500", user: int = BEN
    ) -> None:
        fault = Fault(effect, path=path, value=value, times=9999, user=user)  # type: ignore[arg-type]
        self.world.simulator.faults.add(fault)

    def put(self, kind: str, **record: Any) -> None:
        self.world.simulator.firms[0].put(kind, record)


@pytest.fixture
def firm(idle_with_two: World) -> Firm:
    return Firm(idle_with_two)


FAILURES = [
    ("matters", "status", "500", BEN),
    ("contacts", "refused", "422", BEN),
    ("relationships", "status", "404", ANN),
    ("relationships", "refused", "404", BEN),
    ("matters", "refused", "400", ANN),
    ("contacts", "refused", "410", BEN),
    ("contacts", "status", "403", BEN),
    ("contacts", "status", "401", BEN),
    ("contacts", "html", "", ANN),
]


@pytest.mark.parametrize(("path", "effect", "value", "user"), FAILURES)
async def test_a_login_that_cannot_read_a_list_is_set_aside(
    firm: Firm, path: str, effect: str, value: str, user: int
):
    # S2, S9, row 53
    broken = await firm.connection_of("u_ben" if user == BEN else "u_ann")
    firm.breaks(path, effect, value, user)
    firm.put("contact", id=1006, is_client=True, type="Person")
    before = await firm.checkpoints()
    run_id = await firm.request()
    for late in (0, 5):
        firm.late = timedelta(minutes=late)
        run = await firm.attempt(run_id)
        assert run["status"] == "interrupted"
        assert {problem["connection_id"] for problem in run["problems"]} == {broken}
    assert "1006" not in await firm.world.contacts()
    firm.late = timedelta(minutes=10, seconds=1)
    run = await firm.attempt(run_id)
    assert run["status"] == "succeeded"
    found = [(problem["code"], problem["connection_id"]) for problem in run["problems"]]
    assert found == [("login_set_aside", broken)]
    assert (await firm.world.contacts())["1006"]["state"] == "in_scope"
    (detail,) = await firm.issues("login_set_aside")
    assert "nothing is taken away from the" in detail
    after = await firm.checkpoints()
    moved = {key[0] for key in before if before[key] - after[key] != timedelta(days=1)}
    assert moved == {key[0] for key in before} - {broken}
    firm.world.simulator.faults.clear()
    assert (await firm.run())["problems"] == []
    assert await firm.issues("login_set_aside") == []


async def test_a_login_refused_at_who_am_i_is_set_aside_at_once(firm: Firm):
    # row 53
    firm.breaks("who_am_i", "forbidden")
    run = await firm.attempt(await firm.request())
    assert run["status"] == "succeeded"
    assert [problem["code"] for problem in run["problems"]] == ["login_set_aside"]


@pytest.mark.parametrize(("effect", "value"), [("html", ""), ("body", ""), ("status", "403")])
async def test_a_page_of_a_proxy_at_who_am_i_refuses_nobody(firm: Firm, effect: str, value: str):
    # row 53: it is an outage of this login, which is set aside only if it lasts
    firm.breaks("who_am_i", effect, value)
    run = await firm.attempt(await firm.request())
    assert run["status"] == "interrupted"
    assert await firm.issues("login_set_aside") == []
    firm.world.simulator.faults.clear()
    firm.late += STEP
    run = await firm.attempt(run["id"])
    assert (run["status"], run["problems"]) == ("succeeded", [])


async def test_nothing_is_taken_away_while_the_limit_holds(firm: Firm):
    # row 53: Ann's matter of Alice is closed, and Ben may see a newer one
    firm.breaks("matters")
    firm.put("matter", id=201, status="closed")
    firm.put("matter", id=204, status="open")  # Chloe moves up from Pending
    await firm.run()
    assert "Active Client" in await firm.labels("1001")
    assert "Active Client" in await firm.labels("1003")
    assert "Pending Client" not in await firm.labels("1003")
    firm.late += timedelta(days=8)
    await firm.run()
    assert "Active Client" not in await firm.labels("1001")
    (detail,) = await firm.issues("login_set_aside")
    assert "the others decide" in detail


async def test_the_limit_ends_when_the_login_is_read_completely(firm: Firm):
    # row 53
    firm.breaks("matters")
    firm.put("matter", id=201, status="closed")
    await firm.run()
    assert "Active Client" in await firm.labels("1001")
    firm.world.simulator.faults.clear()
    await firm.run()
    assert "Past Client" in await firm.labels("1001")


async def test_an_outage_of_all_logins_is_no_reason_to_set_one_aside(firm: Firm):
    # row 53: after two hours an issue says so
    for user in (ANN, BEN):
        firm.breaks("relationships", user=user)
    run_id = await firm.request()
    assert (await firm.finish(run_id))["status"] == "interrupted"
    assert await firm.issues("clio_outage") == []
    firm.late = timedelta(hours=2, seconds=1)
    assert (await firm.attempt(run_id))["status"] == "interrupted"
    assert len(await firm.issues("clio_outage")) == 1
    assert await firm.issues("login_set_aside") == []
    firm.world.simulator.faults.clear()
    firm.late += STEP
    assert (await firm.attempt(run_id))["status"] == "succeeded"
    assert await firm.issues("clio_outage") == []


async def test_configuration_that_every_login_meets_fails_the_run(firm: Firm):
    # row 35
    for user in (ANN, BEN):
        firm.breaks("relationships", "refused", "410", user)
    run = await firm.attempt(await firm.request())
    assert (run["status"], run["problems"][0]["code"]) == ("failed", "clio_api_version_gone")


async def test_an_outage_with_different_answers_interrupts_the_run(firm: Firm):
    # row 53
    firm.breaks("relationships", "refused", "410", ANN)
    firm.breaks("relationships", "status", "500", BEN)
    run = await firm.attempt(await firm.request())
    assert run["status"] == "interrupted"
    assert {problem["code"] for problem in run["problems"]} == {
        "clio_api_version_gone",
        "clio_unavailable",
    }


async def test_another_login_reads_the_small_list_that_the_first_cannot_read(firm: Firm):
    # row 53: the users of a firm are the same for everybody
    firm.breaks("v4/users.json", user=ANN)
    run = await firm.attempt(await firm.request())
    assert run["status"] == "succeeded"
    ann = await firm.connection_of("u_ann")
    assert [problem["connection_id"] for problem in run["problems"]] == [ann]


async def test_a_coverage_run_of_a_broken_login_does_not_hold_up_the_firm(firm: Firm):
    # row 53: only this login is read, so the others are asked for the first page
    firm.breaks("matters", user=503)
    await firm.world.connect("u_cat", 503)
    coverage = (await firm.world.runs())[-1]
    assert coverage["kind"] == "coverage"
    run = await firm.finish(coverage["id"])
    assert run["status"] == "succeeded"
    assert [problem["code"] for problem in run["problems"]] == ["login_set_aside"]


async def test_lookups_of_a_broken_login_do_not_stop_the_run(firm: Firm):
    # rows 32, 53: Ben cannot be asked for a contact that his list lacks; Ann's 404 proves that it is deleted
    firm.world.simulator.firms[0].delete("contact", 1002)
    firm.breaks("contacts/1002")
    run_id = await firm.request("full")
    assert (await firm.attempt(run_id))["status"] == "interrupted"
    assert (await firm.world.contacts())["1002"]["state"] == "in_scope", "Ben may still see it"
    run = await firm.finish(run_id)
    assert run["status"] == "succeeded"
    assert [problem["code"] for problem in run["problems"]] == ["login_set_aside"]
    assert (await firm.world.contacts())["1002"]["state"] == "deleted"


async def test_a_run_of_one_contact_does_not_wait_for_a_broken_login(firm: Firm):
    # S14, row 53
    firm.breaks("relationships")
    firm.put("contact", id=1001, title="Judge")
    contact_id = (await firm.world.contacts())["1001"]["id"]
    body, key = {"kind": "incremental", "contact_id": contact_id}, {"Idempotency-Key": "one"}
    asked = await firm.world.api.post("/v1/accounts/hp/runs", json=body, headers=key)
    run = await firm.finish(asked.json()["id"])
    assert (run["status"], run["problems"][0]["code"]) == ("succeeded", "login_set_aside")
    assert (await firm.world.contacts())["1001"]["title"] == "Judge"


async def test_a_change_of_settings_is_not_limited(firm: Firm):
    # row 53
    firm.breaks("matters")
    firm.put("matter", id=201, status="closed")
    await firm.run()
    answer = await firm.world.patch_settings({"key_facts": {"clio_id": False}})
    assert (await firm.finish(answer.json()["run_id"]))["status"] == "succeeded"
    assert {"Past Client"} <= await firm.labels("1001")
    assert [fact["kind"] for fact in (await firm.world.contacts())["1001"]["key_facts"]] == [
        "birthday"
    ]


async def test_a_login_that_was_set_aside_and_disconnected_keeps_its_limit_for_thirty_days(
    firm: Firm,
):
    # S4, row 53
    firm.breaks("matters")
    firm.put("matter", id=201, status="closed")
    await firm.run()
    ben = await firm.connection_of("u_ben")
    answer = await firm.world.api.delete(f"/v1/accounts/hp/connections/{ben}")
    assert answer.status_code < 300, answer.text
    firm.late += timedelta(days=29)
    await firm.run()
    assert "Active Client" in await firm.labels("1001")
    assert len(await firm.issues("login_set_aside")) == 1
    firm.late += timedelta(days=2)
    await firm.run()
    assert "Active Client" not in await firm.labels("1001")
    assert await firm.issues("login_set_aside") == []
