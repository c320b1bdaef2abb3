"""The first publication of a firm after a person's review: nothing reaches Levitate before its release."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from app.db.accounts import accounts
from app.db.contacts import first_publications, hold_decisions
from app.db.contacts.holds import HoldKind, remove_contacts
from app.sync.assess import finish_decided_holds, open_or_report_review
from tests.e2e.assess.test_holds import holds, items, only_hold, open_issues, statuses
from tests.e2e.assess.test_new_clients import SEVEN, listening, received_events
from tests.e2e.writeback.test_writeback import EMAIL, post, until
from tests.support.postgres import until_waiting_for_lock
from tests.support.sessions import as_owner
from tests.support.walls import WALL, acting, all_for
from tests.support.world import World

ACCOUNT = "/v1/accounts/hp"


@pytest.fixture
async def firm(world: World) -> World:
    """An account whose first publication waits for a review, and that nobody has connected yet."""
    await world.create_account(publish="after_review")
    return world


async def connect(firm: World) -> dict[str, Any]:
    """Pull the firm for the first time; return the hold in which the run ends."""
    await firm.connect("u_ann", 501)
    await firm.settled()
    return await only_hold(firm)


async def decide(
    firm: World, hold: dict[str, Any], what: str, *clio_ids: str, **body: Any
) -> dict[str, Any]:
    """Release or discard the hold, or only some of its people; wait for the run that carries it out."""
    if clio_ids:
        waiting = await items(firm, hold)
        body["ids"] = [waiting[clio_id]["id"] for clio_id in clio_ids]
    answer = await firm.api.post(f"{ACCOUNT}/holds/{hold['id']}/{what}", json=body or None)
    assert answer.status_code == 200, answer.text
    await firm.settled()
    found: dict[str, Any] = answer.json()
    return found


async def open_hold(firm: World, kind: str = "first_publication") -> dict[str, Any]:
    (hold,) = [one for one in await holds(firm, status="open") if one["kind"] == kind]
    return hold


async def is_over(firm: World) -> bool:
    """Return whether nothing of the review is left: no person who waits, and no fact about one."""
    assert await open_issues(firm) == []
    async with as_owner(firm.app.state.services.database) as session:
        rows = await session.execute(text("select count(*) from unpublished_contacts"))
        left = await session.execute(text("select count(*) from hold_items"))
        return (rows.scalar_one(), left.scalar_one()) == (0, 0)


def clio(firm: World) -> Any:
    return firm.simulator.firms[0]


def copy_of(firm: World, clio_id: int, **changes: Any) -> None:
    """Put a copy of a contact into Clio, or change the contact itself."""
    clio(firm).put("contact", {**clio(firm).find("contact", clio_id), **changes})


async def test_the_first_run_ends_in_one_hold_and_nothing_is_published(firm: World):
    # API-19
    async with listening(firm) as receiver:
        hold = await connect(firm)
        kinds = [
            kind
            for kind in ("run.finished", "contacts.changed", "client.new", "connection.connected")
            if await received_events(firm, receiver, kind)
        ]
        assert await received_events(firm, receiver, "issue.opened")
    assert kinds == ["run.finished", "connection.connected"]
    (run,) = await firm.runs()
    assert run["status"] == "succeeded"
    assert (hold["kind"], hold["status"], hold["run_id"]) == (
        "first_publication", "open", run["id"],
    )  # fmt: skip
    assert await firm.contacts() == {}
    assert await firm.changes() == []
    assert await statuses(firm) == {}
    counts = (await firm.api.get(f"{ACCOUNT}/status")).json()["contacts"]
    assert set(counts.values()) == {0}
    assert ("first_publication_held", hold["id"]) in await open_issues(firm)


async def test_the_summary_is_that_of_a_preview_of_the_present_settings(firm: World):
    # API-19
    hold = await connect(firm)
    preview = (await firm.api.post(f"{ACCOUNT}/settings/preview", json={"settings": {}})).json()
    assert hold["summary"] == preview["summary"]
    assert hold["summary"]["entering"] == hold["count"] == len(preview["data"]) > 0
    assert hold["summary"]["new_clients"] == len(SEVEN)
    assert sum(one["n"] for one in hold["summary"]["by_owner"]) == hold["count"]
    assert hold["summary"]["by_state_reason"]


async def test_an_item_says_who_it_is_and_what_a_release_would_publish(firm: World):
    # API-19, row 45
    hold = await connect(firm)
    found = await items(firm, hold, limit=3)
    assert len(found) == hold["count"]
    alice = found["1001"]
    assert (alice["contact_id"], alice["name"]) == (None, "Alice Moreno")
    assert (alice["change"]["kind"], alice["change"]["seq"]) == ("contact.added", None)
    assert "Client" in alice["change"]["tags_added"]
    await decide(firm, hold, "release")
    published = (await firm.contacts())["1001"]
    assert published == alice["change"]["contact"] | {
        name: published[name] for name in ("first_synced_at", "updated_at")
    }


async def test_a_release_publishes_exactly_what_would_have_been_published_without_a_review(
    firm: World, world: World
):
    # API-19: contacts, feed, new clients and their events
    hold = await connect(firm)
    waiting = await items(firm, hold)
    async with listening(firm) as receiver:
        decided = await decide(firm, hold, "release")
        assert (decided["status"], decided["summary"]) == ("released", None)
        events = await received_events(firm, receiver)
    assert {event["clio_id"] for event in events} == SEVEN
    assert {event["origin"] for event in events} == {"initial_sync"}
    contacts = await firm.contacts()
    assert contacts.keys() == waiting.keys()
    lines = await firm.changes()
    assert {line["clio_id"] for line in lines} == contacts.keys()
    assert {(line["kind"], line["cause"]) for line in lines} == {("contact.added", "manual")}
    assert {one["status"] for one in await holds(firm)} == {"released"}
    assert await is_over(firm)
    copy_of(firm, 1001, id=7001)
    await firm.run()
    assert "7001" in await firm.contacts(), "later people are published at once"
    assert (await statuses(firm))["7001"] == ("emitted", None)


CHOICES = [
    ("emit", None, ("emitted", None)),
    ("suppress", None, ("suppressed", None)),
    ("hold", None, ("held", "initial_sync")),
    ("emit", "suppress", ("suppressed", None)),
    ("suppress", "emit", ("emitted", None)),
    ("suppress", "hold", ("held", "initial_sync")),
]


@pytest.mark.parametrize(("setting", "chosen", "status"), CHOICES)
async def test_a_release_says_what_happens_with_the_new_clients(
    firm: World, setting: str, chosen: str | None, status: tuple[str, str | None]
):
    # API-19: by default the setting decides; `hold` makes the hold of row 45
    await firm.choose({"new_client": {"initial_sync": setting}})
    hold = await connect(firm)
    await decide(firm, hold, "release", **({"new_clients": chosen} if chosen else {}))
    assert await statuses(firm) == dict.fromkeys(SEVEN, status)
    kinds = [one["kind"] for one in await holds(firm, status="open")]
    assert kinds == (["new_clients"] if status[0] == "held" else [])
    audit = [one async for one in firm.all("audit") if one["action"] == "hold.released"]
    assert [one["details"] for one in audit] == [{"new_clients": chosen} if chosen else {}]


async def test_ids_publish_these_people_and_leave_the_hold_open_for_the_rest(firm: World):
    # API-19
    hold = await connect(firm)
    before = hold["count"]
    left = await decide(firm, hold, "release", "1001", "1002", new_clients="suppress")
    assert (left["id"], left["status"], left["count"]) == (hold["id"], "open", before - 2)
    assert left["summary"]["entering"] == before - 2
    assert left["summary"]["new_clients"] == len(SEVEN) - 2
    assert (await firm.contacts()).keys() == {"1001", "1002"}
    assert await statuses(firm) == dict.fromkeys(["1001", "1002"], ("suppressed", None))
    copy_of(firm, 1001, first_name="Alicia")
    copy_of(firm, 1003, id=7001, email_addresses=[])
    await firm.run()
    contacts = await firm.contacts()
    assert contacts.keys() == {"1001", "1002"}
    assert contacts["1001"]["first_name"] == "Alicia", "who was released is updated as usual"
    hold = await open_hold(firm)
    assert (hold["count"], "7001" in await items(firm, hold)) == (before - 1, True)
    await decide(firm, hold, "release")
    assert len(await firm.contacts()) == before + 1
    assert await is_over(firm)


async def test_naming_everybody_does_not_end_the_review(firm: World):
    # API-19: it lasts until a release without `ids`
    hold = await connect(firm)
    left = await decide(firm, hold, "release", *await items(firm, hold))
    assert (left["status"], left["count"]) == ("open", 0)
    assert len(await firm.contacts()) == hold["count"]
    copy_of(firm, 1001, id=7001)
    await firm.run()
    assert (await items(firm, hold)).keys() == {"7001"}
    assert "7001" not in await firm.contacts()
    await decide(firm, hold, "release")
    assert "7001" in await firm.contacts()
    assert await is_over(firm)


async def test_a_discard_publishes_nobody_and_the_next_successful_run_opens_the_hold_anew(
    firm: World,
):
    # API-19
    hold = await connect(firm)
    waiting = await items(firm, hold)
    decided = await decide(firm, hold, "discard")
    assert decided["status"] == "discarded"
    assert await holds(firm, status="open") == []
    refused = await firm.api.put(ACCOUNT, json=await account(firm, publish="automatic"))
    assert (refused.status_code, refused.json()["code"]) == (409, "first_publication_open")
    run = await firm.run()
    again = await open_hold(firm)
    assert again["id"] != hold["id"]
    assert (again["run_id"], again["count"], again["summary"]) == (
        run["id"], hold["count"], hold["summary"],
    )  # fmt: skip
    assert (await items(firm, again)).keys() == waiting.keys()
    assert ("first_publication_held", again["id"]) in await open_issues(firm)
    assert await firm.contacts() == {}
    await decide(firm, again, "release")
    assert (await firm.contacts()).keys() == waiting.keys()
    assert await is_over(firm)


async def account(firm: World, **changes: Any) -> dict[str, Any]:
    """Return the body of a PUT that changes only this."""
    stored = (await firm.api.get(ACCOUNT)).json()
    for name in ("id", "clio", "created_at", "updated_at"):
        del stored[name]
    body = {**stored, **changes}
    return {name: value for name, value in body.items() if value is not ...}


async def put(firm: World, **changes: Any) -> tuple[int, Any]:
    answer = await firm.api.put(ACCOUNT, json=await account(firm, **changes))
    return answer.status_code, answer.json().get("publish", answer.json().get("code"))


async def test_publish_cannot_become_automatic_while_the_review_lasts(firm: World):
    # API-19
    assert await put(firm, publish="automatic") == (200, "automatic")
    assert await put(firm, publish="after_review") == (200, "after_review")
    hold = await connect(firm)
    assert await put(firm, publish="automatic") == (409, "first_publication_open")
    assert await put(firm, publish=..., name="Other") == (200, "after_review"), "left out: kept"
    assert await put(firm, publish="after_review") == (200, "after_review")
    await decide(firm, hold, "release")
    assert await put(firm, publish="automatic") == (200, "automatic")
    assert await put(firm, publish="later") == (422, "invalid_request")


async def test_after_the_first_run_publish_has_no_effect(world: World):
    # API-19: a new account is automatic
    await world.create_account()
    assert (await world.api.get(ACCOUNT)).json()["publish"] == "automatic"
    await world.connect("u_ann", 501)
    await world.settled()
    assert await put(world, publish="after_review") == (200, "after_review")
    copy_of(world, 1001, id=7001)
    await world.run("full")
    assert "7001" in await world.contacts()
    assert await holds(world) == []


async def test_every_run_keeps_the_items_and_the_summary_current(firm: World):
    # API-19: what would be published now, under the present settings; the guards do not count
    hold = await connect(firm)
    before = await items(firm, hold)
    copy_of(firm, 1002, type="Company")
    clio(firm).delete("contact", 1003)
    copy_of(firm, 1001, first_name="Alicia")
    await firm.run("full")
    found = await items(firm, hold)
    assert before.keys() - found.keys() == {"1002", "1003"}
    assert found["1001"]["name"] == "Alicia Moreno"
    await firm.choose({"scope": {"include_related": True, "include_non_clients": True}})
    preview = (await firm.api.post(f"{ACCOUNT}/settings/preview", json={"settings": {}})).json()
    hold = await only_hold(firm)
    assert hold["summary"] == preview["summary"]
    assert hold["count"] == preview["summary"]["entering"] > len(found)
    clients = [one for one in (await items(firm, hold)).values() if one["new_client"]]
    assert hold["count"] > len(clients) == hold["summary"]["new_clients"] > 0
    copy_of(firm, 1002, type="Person")
    await firm.run()
    assert "1002" in await items(firm, hold)
    assert await firm.contacts() == {}


async def test_the_guards_do_not_count_in_a_review(firm: World):
    # API-19, S5, NC-7
    for n in range(30):
        copy_of(firm, 1001, id=3000 + n, email_addresses=[])
    await firm.choose({"new_client": {"surge_threshold": 1}})
    hold = await connect(firm)
    for n in range(30):
        clio(firm).delete("contact", 3000 + n)
        if n in (14, 29):  # a list that lacks more than 20 records is not believed
            await firm.run("full")
    left = await only_hold(firm)
    assert (left["id"], left["count"]) == (hold["id"], hold["count"] - 30)
    await decide(firm, hold, "release")
    assert [one["kind"] for one in await holds(firm)] == ["first_publication"]
    assert set((await statuses(firm)).values()) == {("emitted", None)}


async def test_before_the_release_there_is_no_hold_of_new_clients(firm: World):
    # API-19
    chosen = {"initial_sync": "hold", "hold_possible_duplicates": True, "surge_threshold": 1}
    await firm.choose({"new_client": chosen})
    copy_of(firm, 1001, id=7001)
    hold = await connect(firm)
    assert hold["summary"]["possible_duplicates"] == 1
    await firm.run()
    assert [one["kind"] for one in await holds(firm)] == ["first_publication"]


async def test_a_second_login_adds_to_the_hold(firm: World):
    # API-19, CN-5
    hold = await connect(firm)
    before = await items(firm, hold)
    await firm.connect("u_ben", 502)
    await firm.settled()
    assert before.keys() <= (await items(firm, hold)).keys()
    assert (await only_hold(firm))["id"] == hold["id"]
    assert await firm.contacts() == {}


async def test_activities_for_people_who_are_not_published_are_accepted_by_their_clio_id(
    firm: World,
):
    # API-19, WB-6
    hold = await connect(firm)
    change = (await items(firm, hold))["1001"]["change"]
    unlinked = {name: value for name, value in EMAIL.items() if name != "clio_contact_id"}
    body = {**unlinked, "contact_id": change["contact_id"]}
    assert (await post(firm, body, status=200))["reason"] == "not_linked"
    written = await until(firm, await post(firm, EMAIL))
    assert (written["status"], written["contact_id"]) == ("written", change["contact_id"])
    assert await firm.contacts() == {}


BAD_DECISIONS: list[tuple[str, dict[str, Any], str]] = [
    ("discard", {"ids": ["itm_1"]}, "/ids"),
    ("discard", {"new_clients": "emit"}, "/new_clients"),
    ("release", {"new_clients": "later"}, "/new_clients"),
    ("release", {"ids": ["itm_1"]}, "/ids/0"),
]


@pytest.mark.parametrize(("what", "body", "pointer"), BAD_DECISIONS)
async def test_a_decision_that_a_first_publication_does_not_allow_changes_nothing(
    firm: World, what: str, body: dict[str, Any], pointer: str
):
    # API-19, API-3
    hold = await connect(firm)
    answer = await firm.api.post(f"{ACCOUNT}/holds/{hold['id']}/{what}", json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert await only_hold(firm) == hold


async def test_new_clients_can_be_chosen_only_for_a_first_publication(world: World):
    # API-19
    await world.create_account()
    await world.choose({"new_client": {"initial_sync": "hold"}})
    hold = await connect(world)
    url = f"{ACCOUNT}/holds/{hold['id']}/release"
    answer = await world.api.post(url, json={"new_clients": "emit"})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/new_clients"]
    assert await only_hold(world) == hold


@pytest.mark.parametrize("what", ["release", "discard"])
async def test_a_decision_about_many_people_goes_on_in_steps(
    firm: World, monkeypatch: pytest.MonkeyPatch, what: str
):
    # row 45: up to 500 in the request, the rest within a minute; here two at once
    monkeypatch.setattr("app.sync.assess.holds.STEP", 2)
    monkeypatch.setattr(hold_decisions, "ITEMS_AT_ONCE", 2)
    hold = await connect(firm)
    waiting = await items(firm, hold)
    await decide(firm, hold, what)
    await finish_decided_holds(firm.app.state.services)
    await firm.settled()
    if what == "release":
        assert (await firm.contacts()).keys() == waiting.keys()
        assert await is_over(firm)
        return
    await firm.run()
    assert (await items(firm, await open_hold(firm))).keys() == waiting.keys()
    assert await firm.contacts() == {}


async def test_who_leaves_the_hold_while_it_is_discarded_does_not_wait_in_the_next_one(
    firm: World,
):
    # API-19: the discard waits for the lock of a run that takes Alice out of the hold
    hold = await connect(firm)
    services = firm.app.state.services
    async with asyncio.TaskGroup() as group, as_owner(services.database) as run:
        await hold_decisions.lock_contacts(run, "hp", [1001])
        discard = group.create_task(firm.api.post(f"{ACCOUNT}/holds/{hold['id']}/discard"))
        await until_waiting_for_lock(firm.dsn, discard)
        await remove_contacts(run, "hp", HoldKind.FIRST_PUBLICATION, [1001])
        await first_publications.delete_people(run, "hp", [1001])
    assert discard.result().status_code == 200, discard.result().text
    await firm.run()
    again = await open_hold(firm)
    assert "1001" not in await items(firm, again)
    assert again["count"] == again["summary"]["entering"]


async def test_a_release_at_the_end_of_a_run_is_carried_out(firm: World):
    # API-19: a run that ends has written rows that refer to the account, and then locks the hold of the review
    hold = await connect(firm)
    services = firm.app.state.services
    async with asyncio.TaskGroup() as group, as_owner(services.database) as run:
        await accounts.share_account(run, "hp")
        release = group.create_task(firm.api.post(f"{ACCOUNT}/holds/{hold['id']}/release"))
        await until_waiting_for_lock(firm.dsn, release)
        await open_or_report_review(run, "hp", hold["run_id"], now=services.now())
    assert release.result().status_code == 200, release.result().text


async def test_the_report_of_a_run_does_not_say_that_people_who_wait_would_leave(firm: World):
    # API-19, EN-3: `held` and `shrink_held` are about contacts that would leave
    hold = await connect(firm)
    report = (await firm.api.get(f"{ACCOUNT}/runs/{hold['run_id']}/report")).json()
    assert {row["detail"] for row in report["outcomes"]} <= {"first_publication_held"}


async def test_new_clients_is_about_everybody_whom_the_release_publishes(firm: World):
    # API-19: the run that a change of the settings has requested has not yet put them into the hold
    await firm.choose({"scope": {"segment": {"include_any": ["Active Client"]}}})
    hold = await connect(firm)
    assert hold["count"] < len(SEVEN)
    answer = await firm.patch_settings({"scope": {"segment": {"include_any": []}}})
    assert answer.status_code == 200, answer.text
    await decide(firm, hold, "release", new_clients="suppress")
    assert "emitted" not in {status for status, _ in (await statuses(firm)).values()}


async def test_a_limited_user_sees_of_the_review_whom_the_users_login_sees(firm: World):
    # API-30: the summary is a preview, which shows all and needs a role
    clio(firm).restrict_matter(201, {501})
    clio(firm).restrict_matter(206, {501})
    await firm.connect("u_ann", 501)
    await firm.connect("u_cat", 503)
    await firm.settled()
    hold = await only_hold(firm)
    await firm.choose(WALL)
    (shown,) = await all_for(firm, "u_cat", "holds")
    found = {
        item["clio_id"]: item for item in await all_for(firm, "u_cat", f"holds/{hold['id']}/items")
    }
    assert set(found) == {"1001", "1002", "1003", "1010"}
    assert shown["contact_clio_ids"] == sorted(found)
    assert (shown["count"], shown["summary"]) == (4, None)
    alice = found["1001"]
    assert alice["name"] == "Alice Moreno"
    assert not {"Active Client", "Family Law"} & set(alice["change"]["tags_added"])
    assert {"Client", "Person"} <= set(alice["change"]["tags_added"])
    assert alice["change"]["owner"] == {
        "from": None, "to": "u_ann", "rule": "not_shown", "matter_clio_id": None,
    }  # fmt: skip
    whole = await firm.api.get(f"{ACCOUNT}/holds", headers=acting("u_sam", "success_manager"))
    assert whole.json()["data"][0]["summary"] == hold["summary"]
