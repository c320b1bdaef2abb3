"""A preview shows the effect of other settings exactly and stores nothing."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.world import World

URL = "/v1/accounts/hp/settings/preview"
CLIENT = {"type": "Person", "first_name": "Nell", "last_name": "New", "is_client": True}
ALL_AREAS = {"tags": {"practice_area": {"matter_status": ["open", "pending", "closed"]}}}


async def preview(world: World, patch: dict[str, Any], **params: Any) -> dict[str, Any]:
    answer = await world.api.post(URL, json={"settings": patch}, params=params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def whole(world: World, patch: dict[str, Any], limit: int = 200) -> list[dict[str, Any]]:
    """Return all previewed changes, page by page."""
    page = await preview(world, patch, limit=limit)
    found: list[dict[str, Any]] = page["data"]
    while page["has_more"]:
        page = await preview(world, patch, limit=limit, cursor=page["next_cursor"])
        found += page["data"]
    return found


def without_run(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return lines without the parts that only real lines have: number, run and time."""
    return [
        {
            **{name: value for name, value in line.items() if name not in ("seq", "run_id", "at")},
            "contact": {**line["contact"], "updated_at": None, "first_synced_at": None},
        }
        for line in lines
    ]


def counted(lines: list[dict[str, Any]], new_clients: int) -> dict[str, Any]:
    """Return the expected summary, counted from the changes themselves [API-18]."""
    entering = [line for line in lines if enters(line)]
    leaving = [line for line in lines if line["kind"] == "contact.out_of_scope"]
    staying = [line for line in lines if line not in entering and line not in leaving]
    owners = [line["owner"] for line in staying if line["owner"]]
    return {
        "entering": len(entering),
        "leaving": len(leaving),
        "contacts_with_tag_changes": sum(
            bool(line["tags_added"] or line["tags_removed"]) for line in staying
        ),
        "tags_added": Counter(label for line in lines for label in line["tags_added"]),
        "tags_removed": Counter(label for line in lines for label in line["tags_removed"]),
        "owner_changes": sum(owner["from"] != owner["to"] for owner in owners),
        "new_clients": new_clients,
    }


PEOPLE = 10  # of the fixture firm
CHANGES = counted([], 0).keys()


def enters(line: dict[str, Any]) -> bool:
    state: dict[str, Any] = line["fields"].get("state", {})
    return bool(line["kind"] == "contact.added" or state.get("to") == "in_scope")


def primary(address: str) -> dict[str, Any]:
    """Return a primary address as a record of the simulated Clio has it."""
    return {"id": 1, "name": "Home", "address": address, "primary": True}


async def ledger(world: World) -> int:
    return len([row async for row in world.all("new-clients")])


async def rows(world: World) -> dict[str, Any]:
    """Return the content of every table, to prove that nothing was stored."""
    connection = await asyncpg.connect(world.dsn)
    try:
        tables = await connection.fetch(
            "select tablename from pg_tables where schemaname = 'public'"
            " and tablename not like 'pgqueuer%'"
        )
        return {
            name: [tuple(row) for row in await connection.fetch(f"select ctid, xmin from {name}")]
            for (name,) in tables
        }
    finally:
        await connection.close()


async def test_a_preview_stores_nothing_and_asks_clio_nothing(pulled: World):
    # S11
    before = await rows(pulled)
    pulled.simulator.log.clear()
    answer = await preview(pulled, ALL_AREAS)
    assert pulled.simulator.requests() == []
    assert await rows(pulled) == before
    assert answer["summary"]["tags_added"]["Real Estate"] == 1
    assert answer["summary"]["tags_removed"] == {}
    assert answer["summary"]["contacts_with_tag_changes"] == len(answer["data"]) > 0
    assert {line["cause"] for line in answer["data"]} == {"settings"}
    assert {(line["seq"], line["run_id"]) for line in answer["data"]} == {(None, None)}


async def test_related_persons_are_previewed_except_those_with_an_excluded_role(pulled: World):
    # S11: include_related → +1 (1005), 1009 is excluded by role
    answer = await preview(pulled, {"scope": {"include_related": True}})
    assert answer["summary"]["entering"] == 1
    assert answer["summary"]["contacts_with_tag_changes"] == 0
    assert answer["summary"]["owner_changes"] == 0
    assert [(line["kind"], line["clio_id"]) for line in answer["data"]] == [
        ("contact.added", "1005")
    ]
    assert answer["summary"]["tags_added"] == dict.fromkeys(answer["data"][0]["tags_added"], 1)


async def test_a_preview_of_the_current_settings_changes_nothing(pulled: World):
    # S11
    answer = await preview(pulled, {})
    assert answer == {
        "summary": {
            "entering": 0,
            "leaving": 0,
            "contacts_with_tag_changes": 0,
            "tags_added": {},
            "tags_removed": {},
            "owner_changes": 0,
            "new_clients": 0,
            "by_state_reason": {"settings": 1, "role_excluded": 1, "not_a_client": 1},
            "by_owner": [
                {"user_id": "u_ann", "n": 3},
                {"user_id": "u_ben", "n": 3},
                {"user_id": "u_off", "n": 1},
            ],
            "possible_duplicates": 0,
        },
        "data": [],
        "next_cursor": None,
        "has_more": False,
    }


async def test_a_preview_says_how_many_people_are_out_of_scope_for_which_reason(pulled: World):
    # S11: `include_related` → 1005 enters, 1 is excluded by role; the segment takes two who are in scope now
    patch = {"scope": {"include_related": True, "segment": {"exclude_any": ["Past Client"]}}}
    summary = (await preview(pulled, patch))["summary"]
    assert summary["by_state_reason"] == {"role_excluded": 1, "not_a_client": 1, "segment": 1}
    assert summary["leaving"] == 1
    everybody = {"scope": {"include_non_clients": True, "related_role_exclude": []}}
    assert (await preview(pulled, everybody))["summary"]["by_state_reason"] == {}


async def test_a_preview_says_who_would_own_how_many_contacts(pulled: World):
    # S11: 1008 has no attorney; all who stay in scope count, changed or not
    unassigned = await preview(pulled, {"ownership": {"fallback": "unassigned"}})
    assert unassigned["summary"]["by_owner"] == [
        {"user_id": "u_ann", "n": 3},
        {"user_id": "u_ben", "n": 3},
        {"user_id": None, "n": 1},
    ]
    primary = await preview(pulled, {"ownership": {"source": "primary_user"}})
    assert primary["summary"]["by_owner"] == [{"user_id": "u_off", "n": 7}]


async def test_a_preview_counts_the_new_clients_who_are_possible_duplicates(
    pulled: World, monkeypatch: pytest.MonkeyPatch
):
    # S11, NC-6: one has the address of an announced client, two share one; in batches of one person each
    monkeypatch.setattr("app.sync.assess.preview.BATCH_SIZE", 1)
    clio = pulled.simulator.firms[0]
    await pulled.choose({"scope": {"segment": {"exclude_any": ["Client"]}}})
    for clio_id, address in ((9001, "Alice@home.test"), (9002, "x@x.test"), (9003, "X@X.test")):
        clio.put("contact", {**CLIENT, "id": clio_id, "email_addresses": [primary(address)]})
    await pulled.run()
    back = {
        "tags": {"company_representatives": "none"},
        "scope": {"segment": {"exclude_any": []}},
    }
    summary = (await preview(pulled, back))["summary"]
    assert (summary["new_clients"], summary["possible_duplicates"]) == (3, 2)
    await pulled.choose(back)
    rows = [row async for row in pulled.all("new-clients")]
    assert sum(row["possible_duplicate_of"] is not None for row in rows) == 2


async def test_the_pages_of_a_preview_are_complete_and_every_page_counts_all_changes(pulled: World):
    # S11
    first = await preview(pulled, ALL_AREAS, limit=1)
    assert first["has_more"]
    params = {"limit": 1, "cursor": first["next_cursor"]}
    second = await preview(pulled, ALL_AREAS, **params)
    assert second["summary"] == first["summary"]
    lines = without_run(await whole(pulled, ALL_AREAS, limit=1))
    assert lines == without_run((await preview(pulled, ALL_AREAS))["data"])
    ids = [int(line["clio_id"]) for line in lines]
    assert ids == sorted(set(ids))


async def test_a_cursor_is_valid_only_for_its_patch_and_its_version_of_the_settings(pulled: World):
    # API-6
    cursor = (await preview(pulled, ALL_AREAS, limit=1))["next_cursor"]
    other = {"settings": {"ownership": {"source": "primary_user"}}}
    refused = await pulled.api.post(URL, json=other, params={"cursor": cursor})
    assert (refused.status_code, refused.json()["code"]) == (400, "cursor_mismatch")
    await pulled.choose({"writeback": {"note": False}})
    refused = await pulled.api.post(URL, json={"settings": ALL_AREAS}, params={"cursor": cursor})
    assert (refused.status_code, refused.json()["code"]) == (400, "cursor_mismatch")


async def test_a_stream_has_the_numbers_so_far_and_ends_with_the_whole_preview(
    pulled: World, monkeypatch: pytest.MonkeyPatch
):
    # S11: one person in a batch
    whole_preview = await preview(pulled, ALL_AREAS)
    monkeypatch.setattr("app.sync.assess.preview.BATCH_SIZE", 1)
    accept = {"Accept": "text/event-stream"}
    stream = await pulled.api.post(URL, json={"settings": ALL_AREAS}, headers=accept)
    assert stream.headers["content-type"].startswith("text/event-stream")
    events = [event.split("\n") for event in stream.text.strip().split("\n\n")]
    found = [
        (name.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
        for name, data in events
    ]
    *partial, (last, body) = found
    assert {name for name, _ in partial} == {"summary"}
    assert last == "preview"
    assert body["summary"] == whole_preview["summary"]
    assert without_run(body["data"]) == without_run(whole_preview["data"])
    reasons = [sum(each["by_state_reason"].values()) for _, each in partial]
    assert len(reasons) > 1
    assert reasons == sorted(reasons)


async def test_a_preview_before_the_first_pull_has_no_changes(world: World):
    await world.create_account()
    assert (await preview(world, ALL_AREAS))["data"] == []


statuses = st.lists(st.sampled_from(["open", "pending", "closed"]), min_size=1, unique=True)
on = st.booleans()


def some(**options: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for an object with some of these members."""
    return st.fixed_dictionaries({}, optional=options)


names = st.sampled_from(["none", "most_recent", "all"])
patches = some(
    scope=some(
        include_non_clients=on,
        include_related=on,
        primary_email_only=on,
        related_role_exclude=st.sampled_from([[], ["opposing*"], ["*"]]),
        segment=some(exclude_any=st.sampled_from([[], ["Family Law"], ["Clio"]])),
        opt_out_field_id=st.sampled_from([None, "1"]),
    ),
    ownership=some(
        source=st.sampled_from(["responsible_attorney", "originating_attorney", "primary_user"]),
        fallback=st.sampled_from(["primary_user", "unassigned"]),
        prefer_open=on,
        sticky=on,
    ),
    tags=some(
        practice_area=some(
            enabled=on, matter_status=statuses, label_from=st.sampled_from(["name", "category"])
        ),
        related_practice_area=some(enabled=on, matter_status=statuses),
        relationships=some(enabled=on),
        matter_number=some(enabled=on, matter_status=statuses),
        matter_tag=some(enabled=on, matter_status=statuses),
        location=some(city=on, state=on, country=on),
        responsible_attorney=names,
        originating_attorney=names,
        company_representatives=st.sampled_from(["all", "none"]),
        custom_fields=st.sampled_from(
            [[], [{"field_id": "1"}, {"field_id": "4", "label_format": "name_value"}]]
        ),
    ),
    key_facts=some(birthday=on, clio_id=on, custom_date_field_ids=st.sampled_from([[], ["6"]])),
    new_client=some(require_open_matter=on),
    restricted_matters=some(withhold=on),
)


@pytest.mark.usefixtures("pulled")
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(patch=patches)
async def test_a_preview_predicts_the_changes_exactly(pulled: World, patch: dict[str, Any]):
    # S11, issue 3: the preview equals the later change, whatever settings the previous example left
    clients, lines = await ledger(pulled), len(await pulled.changes())
    summary = (await preview(pulled, patch, limit=1))["summary"]
    foretold = await whole(pulled, patch, limit=3)
    await pulled.choose(patch)
    happened = (await pulled.changes())[lines:]
    assert without_run(foretold) == without_run(happened)
    assert {name: summary[name] for name in CHANGES} == counted(
        happened, await ledger(pulled) - clients
    )
    owners = Counter(
        contact["owner"]["user_id"]
        for contact in (await pulled.contacts(state="in_scope")).values()
    )
    assert {one["user_id"]: one["n"] for one in summary["by_owner"]} == owners
    assert sum(owners.values()) + sum(summary["by_state_reason"].values()) == PEOPLE
