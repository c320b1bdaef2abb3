"""New clients, exactly once: through the whole service, from the simulated Clio to a receiver of events."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook

from app import main
from app.db.contacts import hold_decisions
from app.db.contacts.holds import Hold, HoldStatus
from app.db.session import Session
from app.simulator.faults.faults import Fault
from app.simulator.store.firm import Firm, Record
from app.sync.assess import finish_decided_holds
from tests.support.retention import delete_expired
from tests.support.sessions import as_owner
from tests.support.webhook_receiver import Receiver, receiving
from tests.support.world import PATIENCE, World

SEVEN = {"1001", "1002", "1003", "1004", "1007", "1008", "1010"}


@asynccontextmanager
async def listening(world: World) -> AsyncIterator[Receiver]:
    """A receiver subscribed to all events."""
    async with receiving() as receiver:
        answer = await world.api.post("/v1/webhook-endpoints", json={"url": receiver.url})
        receiver.endpoint = answer.json()
        yield receiver


async def received_events(
    world: World, receiver: Receiver, kind: str = "client.new"
) -> list[dict[str, Any]]:
    """Return all events of a kind that the receiver got, each with its `webhook-id`."""
    url = f"/v1/webhook-endpoints/{receiver.endpoint['id']}/deliveries"
    async with asyncio.timeout(PATIENCE):
        while True:
            page = (await world.api.get(url, params={"limit": 200})).json()
            if all(delivery["status"] == "delivered" for delivery in page["data"]):
                break
            await asyncio.sleep(0.05)
    told_of = []
    for received in receiver.received:
        document = Webhook(receiver.endpoint["secret"]).verify(received.body, received.headers)
        if document["type"] == kind:
            told_of.append({**document["data"], "id": received.headers["webhook-id"]})
    return told_of


def found(clio: Firm, kind: str, record_id: int) -> Record:
    """Return a record of the simulated Clio."""
    record = clio.find(kind, record_id)
    assert record is not None
    return record


async def choose(world: World, **new_client: Any) -> None:
    etag = (await world.api.get("/v1/accounts/hp/settings")).headers["etag"]
    answer = await world.api.patch(
        "/v1/accounts/hp/settings", json={"new_client": new_client}, headers={"If-Match": etag}
    )
    assert answer.status_code == 200, answer.text
    await world.settled()


async def rows(world: World, **params: Any) -> dict[str, dict[str, Any]]:
    return {row["clio_id"]: row async for row in world.all("new-clients", **params)}


async def decide(world: World, row: dict[str, Any], what: str, **headers: str) -> Any:
    url = f"/v1/accounts/hp/new-clients/{row['id']}/{what}"
    return await world.api.post(url, headers=headers)


@pytest.fixture
async def firm(world: World) -> World:
    """An account that nobody has connected yet."""
    await world.create_account()
    return world


async def test_the_first_run_announces_seven_clients_once_and_a_second_run_announces_nothing(
    firm: World,
):
    # NC-1, NC-2, NC-8, row 37, C-18: an event has the owner or null, and is sent in both cases
    await firm.choose({"ownership": {"fallback": "unassigned"}})
    async with listening(firm) as receiver:
        await firm.connect("u_ann", 501)
        await firm.settled()
        first = await received_events(firm, receiver)
        assert {event["clio_id"] for event in first} == SEVEN
        owners = {event["clio_id"]: event["owner_user_id"] for event in first}
        assert (owners["1001"], owners["1003"], owners["1008"]) == ("u_ann", "u_ben", None)
        assert {event["origin"] for event in first} == {"initial_sync"}
        assert {event["clio_id"]: event["basis"] for event in first}["1007"] == "company"
        assert all(len(event) == 11 for event in first), "only ids and plain words"
        await firm.run()
        await firm.run("full")
        assert await received_events(firm, receiver) == first
        (connected,) = await received_events(firm, receiver, "connection.connected")
        (changed,) = await received_events(firm, receiver, "contacts.changed")
        finished = await received_events(firm, receiver, "run.finished")
    runs = await firm.runs()
    assert [event["run_id"] for event in finished] == [run["id"] for run in runs]
    assert connected["run_id"] == changed["run_id"] == runs[0]["id"]
    page = await firm.api.get("/v1/accounts/hp/changes", params={"cursor": changed["cursor"]})
    assert page.json()["data"][0]["seq"] == 1
    ledger = await rows(firm)
    for event in first:
        assert ledger[event["clio_id"]]["event_ids"] == [event["id"]]
        assert ledger[event["clio_id"]]["emitted_at"] is not None


async def test_contacts_changed_has_the_cursor_before_the_runs_first_change(firm: World):
    # row 37
    async with listening(firm) as receiver:
        await firm.connect("u_ann", 501)
        await firm.settled()
        firm.simulator.firms[0].put("contact", {"id": 1001, "title": "Headmistress"})
        run = await firm.run()
        _, changed = await received_events(firm, receiver, "contacts.changed")
    page = await firm.api.get("/v1/accounts/hp/changes", params={"cursor": changed["cursor"]})
    first = page.json()["data"][0]
    assert (first["run_id"], first["clio_id"]) == (run["id"], "1001")


async def test_with_hold_the_first_sync_announces_nobody_until_a_person_releases_one(firm: World):
    # NC-2
    await choose(firm, initial_sync="hold")
    async with listening(firm) as receiver:
        await firm.connect("u_ann", 501)
        await firm.settled()
        held = await rows(firm, status="held")
        assert set(held) == SEVEN
        assert {row["held_for"] for row in held.values()} == {"initial_sync"}
        assert await received_events(firm, receiver) == []
        refused = await decide(firm, held["1001"], "release", **{"Levitate-Role": "user"})
        assert (refused.status_code, refused.json()["code"]) == (403, "role_required")
        await firm.choose({"ownership": {"source": "primary_user"}})
        released = (await decide(firm, held["1001"], "release")).json()
        assert (released["status"], released["held_for"]) == ("emitted", None)
        suppressed = (await decide(firm, held["1002"], "suppress")).json()
        assert suppressed["status"] == "suppressed"
        assert (await decide(firm, held["1001"], "release")).status_code == 409
        assert (await decide(firm, held["1001"], "suppress")).status_code == 409
        assert (await decide(firm, held["1003"], "replay")).json()["code"] == "new_client_held"
        (event,) = await received_events(firm, receiver)
        assert (event["clio_id"], event["owner_user_id"]) == ("1001", "u_off"), "her present owner"
    audit = [entry["action"] async for entry in firm.all("audit")]
    assert [action for action in audit if action.startswith("new_client.")] == [
        "new_client.released",
        "new_client.suppressed",
    ]


async def test_with_suppress_the_first_sync_announces_nobody_but_later_clients_are_announced(
    firm: World,
):
    # NC-2
    await choose(firm, initial_sync="suppress")
    async with listening(firm) as receiver:
        await firm.connect("u_ann", 501)
        await firm.settled()
        assert {row["status"] for row in (await rows(firm)).values()} == {"suppressed"}
        firm.simulator.firms[0].put("contact", {"id": 1006, "is_client": True})
        await firm.run()
        (event,) = await received_events(firm, receiver)
        assert (event["clio_id"], event["origin"]) == ("1006", "incremental")


async def test_clients_whom_the_first_run_was_not_allowed_to_read_belong_to_the_first_sync(
    firm: World,
):
    # NC-2, F19: the right to read contacts was given after the login had been connected
    await choose(firm, initial_sync="suppress")
    firm.simulator.faults.add(Fault("forbidden", path="contacts", times=99))
    await firm.connect("u_ann", 501)
    await firm.settled()
    assert await rows(firm) == {}
    firm.simulator.faults.clear()
    await firm.run()
    assert {row["status"] for row in (await rows(firm)).values()} == {"suppressed"}


async def test_a_replay_emits_the_event_again_with_a_new_id(firm: World):
    # NC-4
    async with listening(firm) as receiver:
        await firm.connect("u_ann", 501)
        await firm.settled()
        row = (await rows(firm))["1002"]
        replayed = (await decide(firm, row, "replay")).json()
        events = [
            event for event in await received_events(firm, receiver) if event["clio_id"] == "1002"
        ]
    assert len({event["id"] for event in events}) == 2
    assert set(replayed["event_ids"]) == {event["id"] for event in events}


async def test_a_client_is_announced_once_despite_flags_scope_reconnects_and_a_full_run(
    firm: World,
):
    # NC-4
    clio = firm.simulator.firms[0]
    async with listening(firm) as receiver:
        await firm.connect("u_ann", 501)
        await firm.settled()
        for is_client in (False, True):
            clio.put("contact", {"id": 1008, "is_client": is_client})
            await firm.run()
        account = (await firm.api.get("/v1/accounts/hp")).json()
        body = {name: account[name] for name in ("name", "time_zone", "country")}
        for enabled in (False, True):
            await firm.api.put("/v1/accounts/hp", json={**body, "enabled": enabled})
        connection = await anext(firm.all("connections"))
        await firm.api.delete(f"/v1/accounts/hp/connections/{connection['id']}")
        await firm.connect("u_ann", 501)
        await firm.connect("u_ben", 502)
        await firm.settled()
        await firm.run("full")
        events = await received_events(firm, receiver)
    assert len(events) == len({event["clio_id"] for event in events}) == len(await rows(firm))
    assert {event["clio_id"] for event in events} >= SEVEN


async def test_more_new_clients_than_the_surge_threshold_are_all_held(firm: World):
    # NC-7
    clio = firm.simulator.firms[0]
    await choose(firm, surge_threshold=3)
    async with listening(firm) as receiver:
        await firm.connect("u_ann", 501)
        await firm.settled()
        before = len(await received_events(firm, receiver))
        for n in range(4):
            person = {"type": "Person", "first_name": f"N{n}", "last_name": "New"}
            clio.put(
                "contact",
                {**found(clio, "contact", 1006), "id": 5000 + n, **person, "is_client": True},
            )
        run = await firm.run()
        held = await rows(firm, status="held")
        assert sorted(held) == ["5000", "5001", "5002", "5003"]
        assert {row["held_for"] for row in held.values()} == {"surge"}
        assert len(await received_events(firm, receiver)) == before
        assert (await decide(firm, held["5000"], "release")).json()["run_id"] == run["id"]
        assert len(await received_events(firm, receiver)) == before + 1
        # as many clients as the threshold are no surge
        for n in range(3):
            clio.put(
                "contact", {**found(clio, "contact", 5000), "id": 6000 + n, "last_name": "Calm"}
            )
        await firm.run()
        assert len(await received_events(firm, receiver)) == before + 4


async def test_a_very_large_surge_is_released_in_parts(
    firm: World, monkeypatch: pytest.MonkeyPatch
):
    # NC-7, I10: the request releases the first part, the clock of any process releases the rest
    list_unfinished = hold_decisions.list_unfinished

    async def list_behind_a_broken_one(session: Session, *, limit: int) -> list[tuple[str, Hold]]:
        decided = await list_unfinished(session, limit=limit)
        return [("a0", replace(hold, status=HoldStatus.OPEN)) for _, hold in decided] + decided

    monkeypatch.setattr(hold_decisions, "list_unfinished", list_behind_a_broken_one)
    clio = firm.simulator.firms[0]
    await firm.connect("u_ann", 501)
    await firm.settled()
    for n in range(520):
        person = {"type": "Person", "first_name": f"N{n}", "last_name": "New", "is_client": True}
        clio.put("contact", {**found(clio, "contact", 1006), "id": 5000 + n, **person})
    await firm.run()
    (hold,) = [hold async for hold in firm.all("holds")]
    answer = await firm.api.post(f"/v1/accounts/hp/holds/{hold['id']}/release")
    assert (answer.json()["status"], answer.json()["count"]) == ("released", 520)
    assert len(await rows(firm, status="held")) == 20
    again = await firm.api.post(f"/v1/accounts/hp/holds/{hold['id']}/discard")
    assert (again.status_code, again.json()["code"]) == (409, "hold_already_decided")
    assert [issue["code"] async for issue in firm.all("issues", status="open")] == [
        "new_client_surge"
    ]
    await finish_decided_holds(firm.app.state.services)
    emitted = await rows(firm, status="emitted")
    assert len(emitted) == len(SEVEN) + 520
    assert all(len(row["event_ids"]) == 1 for row in emitted.values())
    assert [issue async for issue in firm.all("issues", status="open")] == []
    await finish_decided_holds(firm.app.state.services)
    assert await rows(firm, status="emitted") == emitted, "no part is left"


async def test_a_client_with_the_same_primary_address_is_reported_as_a_possible_duplicate(
    firm: World,
):
    # NC-6
    clio = firm.simulator.firms[0]
    async with listening(firm) as receiver:
        await firm.connect("u_ann", 501)
        await firm.settled()
        alice = found(clio, "contact", 1001)
        emails = [
            {**email, "address": email["address"].upper()} for email in alice["email_addresses"]
        ]
        clio.put("contact", {**alice, "id": 7001, "email_addresses": emails, "is_client": True})
        await firm.run()
        event = (await received_events(firm, receiver))[-1]
    ledger = await rows(firm)
    assert event["clio_id"] == "7001"
    assert event["possible_duplicate_of"] == ledger["1001"]["id"]
    assert ledger["7001"]["possible_duplicate_of"] == ledger["1001"]["id"]


async def test_a_client_that_was_merged_in_clio_is_not_announced_again(firm: World):
    # S6, F18
    clio = firm.simulator.firms[0]
    async with listening(firm) as receiver:
        await firm.connect("u_ann", 501)
        await firm.settled()
        before = await received_events(firm, receiver)
        old = found(clio, "contact", 1002)
        clio.put("contact", {**old, "id": 7002})
        for matter_id in clio.ids("matter"):
            if found(clio, "matter", matter_id)["client_id"] == 1002:
                clio.put("matter", {"id": matter_id, "client_id": 7002})
        clio.delete("contact", 1002)
        await firm.run()
        await firm.run("full")
        assert await received_events(firm, receiver) == before
    ledger = await rows(firm)
    assert ledger["7002"]["status"] == "suppressed"
    assert ledger["1002"]["merged_into"] == ledger["7002"]["contact_id"]


async def explain_url_after_delivery(firm: World) -> str:
    """Deliver the events of the first run, and return the URL that explains contact 1002."""
    async with listening(firm) as receiver:
        await firm.connect("u_ann", 501)
        await firm.settled()
        await received_events(firm, receiver)
    contact = (await firm.contacts())["1002"]
    return f"/v1/accounts/hp/contacts/{contact['id']}/explain"


async def test_explain_says_whether_the_event_was_delivered_although_the_event_was_deleted(
    firm: World,
):
    # NC-5
    explain = await explain_url_after_delivery(firm)
    why = (await firm.api.get(explain)).json()
    (delivery,) = why["new_client_deliveries"]
    assert delivery["event_id"] == why["new_client"]["event_ids"][0]
    assert (delivery["status"], delivery["response_status"]) == ("delivered", 204)
    await firm.api.post(f"/v1/accounts/hp/new-clients/{why['new_client']['id']}/replay")
    async with as_owner(firm.app.state.services.database) as session:
        await session.execute(
            text("update deliveries set status = 'failed' where status = 'pending'")
        )
        await delete_expired(session, now=main.now() + timedelta(days=31))
        assert (await session.execute(text("select count(*) from events"))).scalar_one() == 0
    why = (await firm.api.get(explain)).json()
    first, replayed = why["new_client_deliveries"]
    assert first == delivery
    assert [first["event_id"], replayed["event_id"]] == why["new_client"]["event_ids"]


async def test_explain_says_whether_the_event_was_delivered_although_the_endpoint_was_deleted(
    firm: World,
):
    # NC-5
    explain = await explain_url_after_delivery(firm)
    before = (await firm.api.get(explain)).json()["new_client_deliveries"]
    assert [each["status"] for each in before] == ["delivered"]
    (endpoint,) = (await firm.api.get("/v1/webhook-endpoints")).json()["data"]
    assert (await firm.api.delete(f"/v1/webhook-endpoints/{endpoint['id']}")).status_code == 204
    await firm.none_left("select count(*) from webhook_endpoints")
    assert (await firm.api.get(explain)).json()["new_client_deliveries"] == before
    async with as_owner(firm.app.state.services.database) as session:
        await delete_expired(session, now=main.now() + timedelta(days=31))
    assert (await firm.api.get(explain)).json()["new_client_deliveries"] == before


async def test_no_event_contains_a_name_or_an_address(firm: World):
    # T9
    async with listening(firm) as receiver:
        await firm.connect("u_ann", 501)
        await firm.settled()
        await received_events(firm, receiver)
    contacts = await firm.contacts()
    names = {c[part] for c in contacts.values() for part in ("first_name", "last_name") if c[part]}
    addresses = {email["address"] for c in contacts.values() for email in c["emails"]}
    told_text = " ".join(json.dumps(json.loads(got.body)) for got in receiver.received)
    assert not [word for word in names | addresses if word in told_text]
