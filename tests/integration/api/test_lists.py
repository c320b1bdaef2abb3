"""Lists: their order, their times, their total and their filters, page by page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text

from app.db import tables
from app.db.accounts.tables import audit
from app.db.contacts import contact_lists
from app.db.contacts.tables import contacts, new_clients
from app.db.ids import new_id
from app.db.mirror import searches
from app.db.runs.tables import runs
from tests.support.sessions import as_owner
from tests.support.world import World

BEGIN = datetime(2026, 3, 2, 12, tzinfo=UTC)
# Two items of one time, and one a millisecond before the next.
TIMES = [BEGIN + timedelta(minutes=n) for n in (0, 1, 1, 2, 3, 4, 5)]
TIMES.append(TIMES[-1] - timedelta(milliseconds=1))
BOUNDS: list[dict[str, datetime]] = [
    {},
    {"since": TIMES[1]},
    {"until": TIMES[6]},
    {"since": TIMES[3], "until": TIMES[5]},
    {"since": BEGIN + timedelta(days=1)},
]
ORDERS = (None, "newest", "oldest")

LISTS: dict[str, tuple[Any, str, str, dict[str, Any]]] = {
    # the address: the table, its id, the prefix of the ids, and what each row has
    "issues": (
        tables.issues, "issue_id", "iss",
        {"code": "run_failed", "severity": "error", "detail": "x", "subject_kind": "account"},
    ),
    "audit": (audit, "entry_id", "aud", {"action": "account.changed", "details": {}}),
    "runs": (
        runs, "run_id", "run",
        {"kind": "full", "trigger": "manual", "status": "succeeded", "settings_version": 1},
    ),
    "new-clients": (
        new_clients, "new_client_id", "",
        {
            "contact_id": "con_1", "status": "emitted", "origin": "incremental", "basis": "flag",
            "has_open_matter": False, "run_id": "run_1",
        },
    ),
    "contacts": (
        contacts, "contact_id", "",
        {
            "version": 1, "state": "in_scope", "labels": [], "search": "", "explanation": {}, "run_id": "run_1",
            "view": {
                "state": "in_scope", "state_reason": None, "tags": [], "owner": None, "key_facts": [],
                "profile": {
                    "first_name": "Ann", "middle_name": None, "last_name": "Kaya", "prefix": None, "title": None,
                    "company": None, "emails": [], "phones": [], "addresses": [],
                },
            },
            "updated_at": BEGIN,
        },
    ),
}  # fmt: skip
TIME = {
    "contacts": "first_synced_at",
    "issues": "opened_at",
    "audit": "at",
    "runs": "queued_at",
    "new-clients": "created_at",
}


def rows_of(name: str) -> list[dict[str, Any]]:
    """Return a row for each time; ids that say nothing of time are in another order than the times."""
    _, key, prefix, values = LISTS[name]
    rows = []
    for number, time in enumerate(TIMES):
        row = {**values, "account_id": "hp", TIME[name]: time}
        row[key] = new_id(prefix, time) if prefix else f"x_{number * 5 % len(TIMES)}"
        if name == "issues":
            row |= {"subject_id": str(number), "resolved_at": None}
        if name in ("new-clients", "contacts"):
            row["clio_id"] = number + 1
        rows.append(row)
    return rows


def expected(
    name: str, rows: list[dict[str, Any]], order: str | None, bounds: dict[str, datetime]
) -> list[str]:
    """Return the ids in the order of the list, from the rows alone."""
    key, time = LISTS[name][1], TIME[name]
    since, until = bounds.get("since"), bounds.get("until")
    listed = [
        row
        for row in rows
        if (since is None or row[time] >= since) and (until is None or row[time] < until)
    ]
    by_time = order is not None and not LISTS[name][2]
    listed.sort(key=lambda row: (row[time], row[key]) if by_time else row[key])
    if order == "newest":
        listed.reverse()
    return [row[key] for row in listed]


async def walk(world: World, name: str, **query: Any) -> tuple[list[str], set[Any]]:
    """Return the ids on all pages of a list, and the totals that the pages name."""
    found, totals, cursor = [], set(), None
    while True:
        asked = {**query, "limit": 3, "count": True} | ({"cursor": cursor} if cursor else {})
        answer = await world.api.get(f"/v1/accounts/hp/{name}", params=asked)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [row["id"] for row in page["data"]]
        totals.add(page["total"])
        cursor = page["next_cursor"]
        if cursor is None:
            return found, totals


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_has_each_row_once_in_the_order_and_times_of_the_request(
    api: World, name: str
):
    table, rows = LISTS[name][0], rows_of(name)
    async with as_owner(api.app.state.services.database) as session:
        await session.execute(table.delete())
        await session.execute(insert(table), rows)
    for order in ORDERS:
        for bounds in BOUNDS:
            query: dict[str, Any] = {key: value.isoformat() for key, value in bounds.items()}
            found, totals = await walk(api, name, **query, **({"order": order} if order else {}))
            wanted = expected(name, rows, order, bounds)
            assert (found, totals) == (wanted, {len(wanted)}), (order, bounds)


async def test_a_page_has_a_total_only_if_it_was_asked_for(api: World):
    page = (await api.api.get("/v1/accounts/hp/runs")).json()
    assert page.keys() == {"data", "next_cursor", "has_more"}


async def test_a_cursor_belongs_to_one_order_and_one_filter(api: World):
    async with as_owner(api.app.state.services.database) as session:
        await session.execute(insert(new_clients), rows_of("new-clients"))
    path = "/v1/accounts/hp/new-clients"
    asked: dict[str, Any] = {"order": "newest", "origin": "incremental", "limit": 1}
    cursor = (await api.api.get(path, params=asked)).json()["next_cursor"]
    for other in ({"order": "oldest"}, {"origin": "manual"}, {"since": BEGIN.isoformat()}):
        answer = await api.api.get(path, params={**asked, **other, "cursor": cursor})
        assert answer.json()["code"] == "cursor_mismatch", other
    again = await api.api.get(path, params={**asked, "count": True, "cursor": cursor})
    assert again.json()["total"] == len(TIMES)


FILTERS: dict[str, list[dict[str, str]]] = {
    # the address: what one row has, which a filter of the same name must find alone
    "issues": [{"code": "needs_reconnect"}, {"severity": "info"}],
    "audit": [{"actor": "u_dan"}, {"action": "hold.released"}],
    "runs": [{"status": "failed"}, {"kind": "coverage"}, {"trigger": "webhook"}],
    "new-clients": [{"status": "held"}, {"origin": "settings"}, {"run_id": "run_2"}],
}
COLUMNS = {"actor": "user_id"}


@pytest.mark.parametrize(
    ("name", "asked"), [(name, asked) for name, all_asked in FILTERS.items() for asked in all_asked]
)
async def test_a_filter_finds_the_row_that_differs(api: World, name: str, asked: dict[str, str]):
    table, key = LISTS[name][:2]
    rows = [{**row, "user_id": None} if name == "audit" else row for row in rows_of(name)]
    rows[4] |= {COLUMNS.get(field, field): value for field, value in asked.items()}
    if asked.get("status") == "held":
        for row in rows:
            row["held_for"] = "surge" if row is rows[4] else None
    async with as_owner(api.app.state.services.database) as session:
        await session.execute(table.delete())
        await session.execute(insert(table), rows)
    answer = await api.api.get(f"/v1/accounts/hp/{name}", params={**asked, "order": "newest"})
    assert [row["id"] for row in answer.json()["data"]] == [rows[4][key]]


async def test_activities_are_found_by_their_author(api: World):
    # the filter is new: a cursor of the list without it stays what it was
    note = {
        "kind": "note", "clio_contact_id": "1001", "subject": "s", "body": "b",
        "occurred_at": "2026-03-02T12:00:00Z",
    }  # fmt: skip
    for author in ("u_ann", "u_bob"):
        answer = await api.api.post(
            "/v1/accounts/hp/activities",
            json={**note, "user_id": author},
            headers={"Idempotency-Key": author},
        )
        assert answer.is_success, answer.text
    path = "/v1/accounts/hp/activities"
    found = (await api.api.get(path, params={"user_id": "u_bob"})).json()["data"]
    assert len(found) == 1
    assert len((await api.api.get(path)).json()["data"]) == 2


async def test_versions_of_settings_are_listed_newest_first(api: World):
    for threshold in (5, 6, 7):
        await api.choose({"new_client": {"surge_threshold": threshold}})
    path = "/v1/accounts/hp/settings/versions"
    newest: dict[str, Any] = {"order": "newest", "count": True, "limit": 2}
    page = (await api.api.get(path, params=newest)).json()
    rest = (await api.api.get(path, params={**newest, "cursor": page["next_cursor"]})).json()
    listed = [one["version"] for one in page["data"] + rest["data"]]
    assert listed == sorted(listed, reverse=True)
    assert (len(listed), page["total"]) == (page["total"], rest["total"])


WANTED: list[dict[str, Any]] = [
    {}, {"q": "a"}, {"q": "al mor"}, {"tag": "client"}, {"tag": ["client", "Bankruptcy"]}, {"tag": "nobody"},
    {"owner": "u_ann"}, {"owner": "none"}, {"state": "out_of_scope"}, {"state": "in_scope"},
    {"problem": "no_email"}, {"updated_since": BEGIN.isoformat()}, {"clio_id": 1001},
    {"q": "al", "updated_since": BEGIN.isoformat()}, {"state": "out_of_scope", "q": "a", "owner": "none"},
]  # fmt: skip


@pytest.mark.parametrize(("few", "many"), [(5_000, 50_000), (1, 50_000), (1, 1)])
async def test_contacts_are_counted_and_sorted_with_each_filter(
    pulled: World, monkeypatch: pytest.MonkeyPatch, few: int, many: int
):
    labels = {tag["label"] async for one in pulled.all("contacts") for tag in one["tags"]}
    by_tag = {n: await walk(pulled, "contacts", tag=n.upper()) for n in (*labels, "nobody")}
    assert len(labels) > 3
    assert [name for name, (found, _) in by_tag.items() if not found] == ["nobody"]
    async with as_owner(pulled.app.state.services.database) as session:
        await session.execute(text("update accounts set words_made_for = '2/US'"))
    assert by_tag == {n: await walk(pulled, "contacts", tag=n.upper()) for n in by_tag}
    monkeypatch.setattr(searches, "FEW", few)
    monkeypatch.setattr(searches, "MANY", many)
    monkeypatch.setattr(contact_lists, "COUNTED_AT_ONCE", 2)
    async with as_owner(pulled.app.state.services.database) as session:
        await session.execute(
            text(
                "update contacts set first_synced_at = '2026-03-02T12:00:00Z'::timestamptz"
                " + clio_id * 7 % 5 * interval '1 hour'"
            )
        )
        await session.execute(
            contacts.update().where(contacts.c.clio_id == 1003).values(state="out_of_scope")
        )
    times = {one["id"]: one["first_synced_at"] async for one in pulled.all("contacts")}
    assert len(times) > 5
    bounds = {"since": BEGIN + timedelta(hours=1), "until": BEGIN + timedelta(hours=4)}
    asked_for: dict[str, Any] = {key: value.isoformat() for key, value in bounds.items()}
    for wanted in WANTED:
        everybody, _ = await walk(pulled, "contacts", **wanted)
        for asked in ({}, asked_for):
            in_time = {
                one
                for one in everybody
                if not asked
                or bounds["since"] <= datetime.fromisoformat(times[one]) < bounds["until"]
            }
            for order in ORDERS:
                more = {**asked, **({"order": order} if order else {})}
                found, totals = await walk(pulled, "contacts", **wanted, **more)
                expected = sorted(in_time, key=lambda one: (times[one] if order else "", one))
                if order == "newest":
                    expected.reverse()
                assert (found, totals) == (expected, {len(expected)}), (wanted, more)


MARKED = (
    "select (select count(*) from contacts, unnest(labels)),"
    " (select count(*) from search_words where word like '=tag:%'),"
    " (select count(*) from contacts c, unnest(labels) label join search_words w on w.word = '=tag:' || label"
    "  where w.clio_id = c.clio_id)"
)


async def test_each_tag_of_a_contact_is_a_word_also_after_tags_have_changed(pulled: World):
    counts = []
    for settings in (
        {},
        {"tags": {"responsible_attorney": "all", "matter_number": {"enabled": True}}},
    ):
        await pulled.choose(settings)
        await pulled.idle()
        async with as_owner(pulled.app.state.services.database) as session:
            counts.append((await session.execute(text(MARKED))).one())
    assert all(labels == marks == both > 5 for labels, marks, both in counts), counts
    assert counts[1] != counts[0]
