"""One request decides about many new clients: by ids or by a filter, each person once [NC-1..8, row 45]."""

import asyncio
from typing import Any

import httpx
import pytest

from app.sync.assess import finish_decided_holds, many_new_clients
from app.sync.assess.holds import do_step
from tests.e2e.assess.test_holds import connect_with_hold, holds, items, open_issues, statuses
from tests.e2e.assess.test_new_clients import SEVEN, listening, received_events
from tests.support.world import World

URL = "/v1/accounts/hp/new-clients/decisions"


@pytest.fixture
async def firm(world: World) -> World:
    """An account that nobody has connected yet."""
    await world.create_account()
    return world


async def send(world: World, key: str = "k", **body: Any) -> httpx.Response:
    return await world.api.post(URL, json=body, headers={"Idempotency-Key": key})


async def ids_by_clio_id(world: World) -> dict[str, str]:
    return {row["clio_id"]: row["id"] async for row in world.all("new-clients")}


def in_small_steps(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    for module in ("holds", "many_new_clients"):
        monkeypatch.setattr(f"app.sync.assess.{module}.STEP", step)


async def test_a_filter_decides_all_who_are_held_and_each_is_announced_once(
    firm: World, monkeypatch: pytest.MonkeyPatch
):
    # NC-1, NC-8: some in the request, the rest in the background
    in_small_steps(monkeypatch, 3)
    await connect_with_hold(firm)
    async with listening(firm) as receiver:
        first = await send(firm, action="release", filter={"origin": "initial_sync"})
        assert first.status_code == 200, first.text
        assert first.json() == {"done": 3, "remaining": 4, "skipped": [], "has_more": False}
        held = [one for one, status in (await statuses(firm)).items() if status[0] == "held"]
        assert len(held) == 4
        assert await holds(firm) == [], "nobody waits for a person any more"
        assert await open_issues(firm) == []
        await finish_decided_holds(firm.app.state.services)
        again = await send(firm, action="release", filter={"origin": "initial_sync"})
        assert again.content == first.content
        assert set((await statuses(firm)).values()) == {("emitted", None)}
        await finish_decided_holds(firm.app.state.services)
        events = await received_events(firm, receiver)
    assert sorted(event["clio_id"] for event in events) == sorted(SEVEN)
    assert len({event["id"] for event in events}) == len(SEVEN)


async def test_a_kill_between_the_steps_announces_nobody_twice_and_forgets_nobody(
    firm: World, monkeypatch: pytest.MonkeyPatch
):
    # NC-8: killed in the request, and between two steps of the rest
    in_small_steps(monkeypatch, 2)
    await connect_with_hold(firm)
    release, calls = do_step, 0

    async def killed(*_: Any, **__: Any) -> bool:
        raise asyncio.CancelledError

    async def killed_in_second_step(*args: Any, **named: Any) -> bool:
        nonlocal calls
        calls += 1
        more = await release(*args, **named)
        if calls == 2:
            raise asyncio.CancelledError
        return more

    with monkeypatch.context() as patched:
        patched.setattr(many_new_clients, "do_step", killed)
        with pytest.raises(asyncio.CancelledError):
            await send(firm, action="release", filter={})
    assert {status for status, _ in (await statuses(firm)).values()} == {"held"}
    assert len(await holds(firm)) == 1, "nothing of the request is left"
    async with listening(firm) as receiver:
        assert (await send(firm, action="release", filter={})).json()["remaining"] == 5
        with monkeypatch.context() as patched:
            patched.setattr("app.sync.assess.holds.do_step", killed_in_second_step)
            with pytest.raises(asyncio.CancelledError):
                await finish_decided_holds(firm.app.state.services)
        assert len([one for one in (await statuses(firm)).values() if one[0] == "held"]) == 3
        await finish_decided_holds(firm.app.state.services)
        events = await received_events(firm, receiver)
    assert sorted(event["clio_id"] for event in events) == sorted(SEVEN)


async def test_ids_that_cannot_be_decided_are_skipped_with_their_reason(firm: World):
    await connect_with_hold(firm)
    ids = await ids_by_clio_id(firm)
    decided = f"/v1/accounts/hp/new-clients/{ids['1001']}/suppress"
    assert (await firm.api.post(decided)).status_code == 200
    named = [ids["1002"], ids["1001"], "ncl_nobody", ids["1002"], ids["1003"]]
    answer = (await send(firm, action="suppress", ids=named)).json()
    assert (answer["done"], answer["remaining"]) == (2, 0)
    assert answer["skipped"] == [
        {"id": ids["1001"], "code": "new_client_not_held"},
        {"id": "ncl_nobody", "code": "new_client_not_found"},
    ]
    suppressed = {one for one, status in (await statuses(firm)).items() if status[0] != "held"}
    assert suppressed == {"1001", "1002", "1003"}
    (hold,) = await holds(firm)
    assert (hold["status"], hold["count"]) == ("open", 4), "the others wait on in their hold"
    assert not {"1001", "1002", "1003"} & (await items(firm, hold)).keys()
    (entry,) = [e async for e in firm.all("audit") if e["action"] == "new_clients.suppressed"]
    assert entry["details"] == {"new_clients": 2, "skipped": 2}


async def test_a_hold_that_is_being_carried_out_keeps_its_decision(
    firm: World, monkeypatch: pytest.MonkeyPatch
):
    # what a person has discarded is not announced by a later filter
    in_small_steps(monkeypatch, 2)
    hold = await connect_with_hold(firm)
    await firm.api.post(f"/v1/accounts/hp/holds/{hold['id']}/discard")
    assert (await send(firm, action="release", filter={})).json()["done"] == 0
    await finish_decided_holds(firm.app.state.services)
    assert set((await statuses(firm)).values()) == {("suppressed", None)}


async def test_a_filter_chooses_by_run_origin_and_time(firm: World):
    hold = await connect_with_hold(firm)
    row = await anext(firm.all("new-clients"))
    nobody: list[dict[str, Any]] = [
        {"origin": "incremental"},
        {"run_id": "run_none"},
        {"since": "2100-01-01T00:00:00Z"},
        {"until": row["created_at"]},
    ]
    for number, chosen in enumerate(nobody):
        answer = await send(firm, key=str(number), action="release", filter=chosen)
        assert answer.json()["done"] == 0, chosen
    everybody = {"run_id": hold["run_id"], "since": row["created_at"], "status": "held"}
    answer = await send(firm, key="all", action="release", filter=everybody)
    assert answer.json()["done"] == len(SEVEN)


async def test_a_filter_that_means_too_many_says_so(firm: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(many_new_clients, "MOST", 5)
    await connect_with_hold(firm)
    first = (await send(firm, action="release", filter={})).json()
    assert (first["done"], first["has_more"]) == (5, True)
    second = (await send(firm, key="next", action="release", filter={})).json()
    assert (second["done"], second["has_more"]) == (2, False)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"action": "release"}, ""),
        ({"action": "release", "ids": ["a"], "filter": {}}, ""),
        ({"action": "release", "ids": []}, "/ids"),
        ({"action": "hold", "filter": {}}, "/action"),
        ({"action": "release", "filter": {"status": "emitted"}}, "/filter/status"),
        ({"action": "release", "filter": {"owner": "u"}}, "/filter/owner"),
    ],
)
async def test_a_decision_names_whom_it_means(firm: World, body: dict[str, Any], pointer: str):
    answer = await send(firm, **body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_a_repetition_that_names_somebody_who_was_erased_gets_410(firm: World):
    # S15
    await connect_with_hold(firm)
    ids = await ids_by_clio_id(firm)
    await firm.api.post(f"/v1/accounts/hp/new-clients/{ids['1001']}/suppress")
    named = [ids["1001"], ids["1002"]]
    assert (await send(firm, action="release", ids=named)).json()["done"] == 1
    contact_id = (await firm.contacts())["1001"]["id"]
    assert (await firm.api.delete(f"/v1/accounts/hp/contacts/{contact_id}")).status_code == 204
    gone = await send(firm, action="release", ids=named)
    assert (gone.status_code, gone.json()["code"]) == (410, "erased")


async def test_a_decision_needs_a_role_and_a_key(firm: World):
    body = {"action": "release", "filter": {}}
    without = await firm.api.post(URL, json=body)
    assert without.json()["code"] == "idempotency_key_required"
    headers = {"Idempotency-Key": "k", "Levitate-Role": "user"}
    refused = await firm.api.post(URL, json=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "role_required")
