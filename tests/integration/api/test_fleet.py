"""The list of accounts with their health, and the counts over all accounts of a token (API-20, T2)."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app import main
from app.api import cursors
from app.sync.health import refresh_health
from app.sync.services import Services
from tests.support.sessions import as_owner
from tests.support.world import ACCOUNT, World

NAMES = {
    "a": ("Zimmer & Sons", "ok", 5),
    "b": ("harlow pike LLP", "needs_attention", None),
    "c": ("Adler O'Neil", "degraded", 9),
    "d": ("Pike Brothers", "disabled", 2),
    "e": ("Ömer-Yıldız Hukuk", "ok", 1),
    "f": ("Harlow Estates", "needs_attention", 7),
}
NOW = datetime.fromisoformat("2026-03-02T12:00:00+00:00")
BY_HEALTH = ["b", "f", "c", "a", "e", "d"]
BY_NAME = ["c", "f", "b", "d", "a", "e"]
BY_SUCCESS = ["b", "c", "f", "a", "d", "e"]


@pytest.fixture
async def firms(api: World) -> World:
    """Six accounts whose health and last success are stored as `NAMES` says: name, health, hours since."""
    await api.api.delete("/v1/accounts/hp")
    for account_id, (name, health, hours) in NAMES.items():
        answer = await api.api.put(f"/v1/accounts/{account_id}", json={**ACCOUNT, "name": name})
        assert answer.status_code == 200, answer.text
        values = {
            "account": account_id,
            "health": health,
            "at": hours and NOW - timedelta(hours=hours),
        }
        async with as_owner(services_of(api).database) as session:
            stored = "update accounts set health = :health, last_success_at = :at where account_id = :account"
            await session.execute(text(stored), values)
    return api


def services_of(world: World) -> Services:
    services: Services = world.app.state.services
    return services


async def listed(world: World, query: str, *, limit: int = 50, **more: Any) -> list[Any]:
    """Return the ids of all pages of the list."""
    found, cursor = [], ""
    while True:
        url = f"/v1/accounts?limit={limit}&{query}{cursor}"
        answer = await world.api.get(url, **more)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["data"]) <= limit
        found += [row["id"] for row in page["data"]]
        if not page["has_more"]:
            assert page["next_cursor"] is None
            return found
        cursor = f"&cursor={page['next_cursor']}"


LISTS = {
    "": list(NAMES),
    "order=newest": [*reversed(NAMES)],
    "order=oldest": list(NAMES),
    "order=health": BY_HEALTH,
    "order=name": BY_NAME,
    "order=last_success": BY_SUCCESS,
    "health=ok": ["a", "e"],
    "health=disabled": ["d"],
    "order=last_success&health=ok": ["a", "e"],
    "order=name&health=needs_attention": ["f", "b"],
}
SEARCHES = {
    "har": ["b", "f"],
    "HARLOW": ["b", "f"],
    "pike": ["b", "d"],
    "pike har": ["b"],
    "o'neil": ["c"],
    "neil": ["c"],
    "ömer": ["e"],
    "d": ["d"],
    "har%": ["b", "f"],
    "arlow": [],
    "%": [],
    "_": [],
    "": [],
}


async def test_each_order_and_filter_lists_every_account_once(firms: World):
    for query, wanted in LISTS.items():
        for limit in (1, 2, 4, 50):
            assert await listed(firms, query, limit=limit) == wanted, (query, limit)


async def test_a_search_finds_beginnings_of_words_of_names_and_ids(firms: World):
    for q, wanted in SEARCHES.items():
        answer = await firms.api.get("/v1/accounts", params={"q": q, "count": True})
        assert [row["id"] for row in answer.json()["data"]] == wanted, q
        assert answer.json()["total"] == len(wanted), q


async def test_pages_are_stable_while_accounts_are_added_and_removed(firms: World):
    first = (await firms.api.get("/v1/accounts?order=health&limit=3")).json()
    assert [row["id"] for row in first["data"]] == BY_HEALTH[:3]
    assert (await firms.api.delete("/v1/accounts/c")).status_code == 202  # the last of the page
    assert (await firms.api.put("/v1/accounts/aa", json=ACCOUNT)).status_code == 200
    rest = await firms.api.get(f"/v1/accounts?order=health&cursor={first['next_cursor']}")
    assert [row["id"] for row in rest.json()["data"]] == BY_HEALTH[3:]
    assert "c" not in await listed(firms, "order=health")


async def test_a_cursor_is_valid_for_its_order_and_filters_only(firms: World):
    page = (await firms.api.get("/v1/accounts?order=health&limit=1")).json()
    for query in ("", "order=name", "order=health&health=ok", "order=health&q=har", "order=newest"):
        url = f"/v1/accounts?{query}&cursor={page['next_cursor']}"
        answer = await firms.api.get(url)
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor_mismatch"), query


async def test_a_cursor_with_other_values_is_damaged(firms: World):
    damaged: list[Any] = [
        ["x", "b"],
        [1],
        [None, "b"],
        "b",
        7,
        [1, "b", 2],
        [[], "b"],
        [9**20, "b"],
    ]
    damaged += [[1, "\x00"], [1, 2]]
    for values in damaged:
        cursor = cursors.encode(values, "accounts", "health", None, None, None, None)
        answer = await firms.api.get(f"/v1/accounts?order=health&cursor={cursor}")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor"), values
    others: list[Any] = [["x", "b"], [5, "b"], ["2026-03-02T12:00:00", "b"]]
    for values in others:
        cursor = cursors.encode(values, "accounts", "last_success", None, None, None, None)
        answer = await firms.api.get(f"/v1/accounts?order=last_success&cursor={cursor}")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor"), values


async def test_a_token_lists_and_counts_its_own_accounts_only(firms: World):
    # T2
    headers, _ = await firms.create_token("b", "d", "nowhere")
    for query in ("", "order=health", "order=name", "order=last_success", "order=newest"):
        assert sorted(await listed(firms, query, limit=1, headers=headers)) == ["b", "d"], query
    assert await listed(firms, "q=har", headers=headers) == ["b"]
    assert await listed(firms, "health=ok", headers=headers) == []
    fleet = (await firms.api.get("/v1/fleet", headers=headers)).json()
    health = {"ok": 0, "degraded": 0, "needs_attention": 1, "disabled": 1}
    assert fleet["health"] == health


async def test_the_fleet_counts_what_is_shown(firms: World):
    assert (await firms.api.get("/v1/fleet")).json() == {
        "health": {"ok": 2, "degraded": 1, "needs_attention": 2, "disabled": 1},
        "runs_in_flight": 0,
        "oldest_unserved_slot_at": None,
        "holds_waiting": 0,
    }
    key = {"Idempotency-Key": "k"}
    for account_id in ("a", "c"):
        url = f"/v1/accounts/{account_id}/runs"
        assert (await firms.api.post(url, json={"kind": "full"}, headers=key)).status_code == 202
    hold = (
        "insert into holds (account_id, hold_id, kind, status, run_id, opened_at)"
        " values (:account, 'hld_1', 'removals', :status, 'run_1', now())"
    )
    login = (
        "insert into connections (account_id, connection_id, user_id, region, status, created_at)"
        " values ('c', 'cnx_1', 'u_ann', 'us', 'connected', now())"
    )
    slot = (
        "insert into slots (account_id, local_date, slot, run_id, due_at, failures)"
        " values (:account, current_date, '06:00', '', :at, 0)"
    )
    async with as_owner(services_of(firms).database) as session:
        for account_id, status in (("a", "open"), ("c", "released"), ("d", "open")):
            await session.execute(text(hold), {"account": account_id, "status": status})
        await session.execute(text(login))
        for account_id, hours in (("a", 9), ("c", 4)):  # nobody of `a` has a login
            at = NOW - timedelta(hours=hours)
            await session.execute(text(slot), {"account": account_id, "at": at})
    fleet = (await firms.api.get("/v1/fleet")).json()
    assert (fleet["runs_in_flight"], fleet["holds_waiting"]) == (2, 2)
    assert fleet["oldest_unserved_slot_at"] == "2026-03-02T08:00:00Z"
    headers, _ = await firms.create_token("a")
    own = (await firms.api.get("/v1/fleet", headers=headers)).json()
    assert (own["runs_in_flight"], own["holds_waiting"]) == (1, 1)
    assert own["oldest_unserved_slot_at"] is None
    assert (await firms.api.delete("/v1/accounts/a")).status_code == 202
    assert (await firms.api.get("/v1/fleet")).json()["health"]["ok"] == 1


async def test_a_row_says_what_the_status_says(pulled: World):
    # the account after its first run, beside one that nobody has connected
    await pulled.create_account("other")
    await refresh_health(services_of(pulled))
    rows = {row["id"]: row for row in (await pulled.api.get("/v1/accounts")).json()["data"]}
    same = (
        *("health", "health_reasons", "last_successful_run_at"),
        *("connections", "open_issues", "run"),
    )
    for account_id in ("hp", "other"):
        status = (await pulled.api.get(f"/v1/accounts/{account_id}/status")).json()
        assert {name: rows[account_id][name] for name in same} == {
            name: status[name] for name in same
        }
        account = (await pulled.api.get(f"/v1/accounts/{account_id}")).json()
        assert {name: rows[account_id][name] for name in account} == account
    assert rows["hp"]["run"]["reads"] == "lists"
    assert rows["hp"]["last_successful_run_at"] == rows["hp"]["run"]["finished_at"]
    assert rows["other"]["run"] is None
    assert [reason["code"] for reason in rows["other"]["health_reasons"]] == ["no_working_login"]
    assert await listed(pulled, "order=last_success") == ["other", "hp"]


async def test_only_a_run_that_reads_lists_is_a_success(pulled: World):
    before = (await pulled.api.get("/v1/accounts")).json()["data"][0]
    contact = next(iter((await pulled.contacts()).values()))
    asked = await pulled.api.post(
        "/v1/accounts/hp/runs",
        json={"contact_id": contact["id"]},
        headers={"Idempotency-Key": "one"},
    )
    assert asked.status_code == 202, asked.text
    await pulled.settled()
    await refresh_health(services_of(pulled))
    row = (await pulled.api.get("/v1/accounts")).json()["data"][0]
    assert (row["run"]["reads"], row["run"]["status"]) == ("records", "succeeded")
    if before["last_successful_run_at"] is not None:
        assert row["last_successful_run_at"] == before["last_successful_run_at"]
    assert row["last_successful_run_at"] < row["run"]["queued_at"]
    assert row["last_successful_run_at"] < main.now().isoformat()


async def test_the_list_names_no_record_of_clio(firms: World):
    # T10: the list does not know which user may see them
    reasons = '[{"code": "coverage_lost", "detail": "Clio ids 1001"}, {"code": "x", "detail": "y"}]'
    async with as_owner(services_of(firms).database) as session:
        stored = text("update accounts set health_reasons = cast(:reasons as jsonb)")
        await session.execute(stored, {"reasons": reasons})
    page = await firms.api.get("/v1/accounts")
    assert "1001" not in page.text
    assert page.json()["data"][0]["health_reasons"][1] == {"code": "x", "detail": "y"}


@pytest.mark.parametrize("path", ["/v1/events", "/v1/webhook-endpoints/whe_1/deliveries"])
async def test_a_type_of_event_that_is_mistyped_is_refused(api: World, path: str):
    answer = await api.api.get(path, params={"type": "client.now"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "client.new" in answer.text
