"""With `privacy.respect_visibility` on, each read is limited to an audience or listed here with its reason [T10]."""

import re
from typing import Any

import pytest

from app.api import router
from app.api.audience import get_writer_audience, get_writer_audience_beforehand
from tests.support.account_conditions import recorded_statements
from tests.support.openapi import openapi_document
from tests.support.walls import HP, WALL, acting
from tests.support.world import World

A = "/v1/accounts/{account_id}"
SHOWN_WHOLE = {  # reads that are not limited, and why
    A: "the account itself: it has no person and no id of one",
    f"{A}/users": "the firm's users of Levitate, who are no contacts",
    f"{A}/attorneys": "the firm's Clio users, who are no contacts",
    f"{A}/catalog": "custom fields, practice areas, stages and Clio users: what settings can choose from",
    f"{A}/connections": "the logins of the firm's users",
    f"{A}/connections/{{connection_id}}": "a login of one of the firm's users",
    f"{A}/runs": "numbers and problems of runs, which name no records",
    f"{A}/runs/{{run_id}}": "the same of one run",
    f"{A}/runs/{{run_id}}/events": "the same while the run goes on",
    f"{A}/changes": "the change feed, which is for the backend itself",
    f"{A}/settings": "needs a role and shows all",
    f"{A}/settings/versions": "needs a role and shows all",
}
ADMINISTRATORS = (  # reads that need a role
    *(f"{A}/clio-contacts", f"{A}/clio-contacts/{{clio_id}}"),
    f"{A}/contacts/{{contact_id}}/export",
)
NEED_A_ROLE = {
    ("get", f"{A}/settings"), ("get", f"{A}/settings/versions"), ("post", f"{A}/settings/preview"),
}  # fmt: skip
# Changes that name no person, and whose responses show none.
NO_PERSON = {
    ("put", A), ("patch", A), ("delete", A), ("put", f"{A}/users"), ("put", f"{A}/attorneys/{{clio_user_id}}"),
    ("delete", f"{A}/attorneys/{{clio_user_id}}"), ("post", f"{A}/connections"),
    ("delete", f"{A}/connections/{{connection_id}}"), ("post", f"{A}/connect-links"), ("post", f"{A}/console-links"),
    ("delete", f"{A}/connect-links/{{link_id}}"), ("put", f"{A}/settings"), ("patch", f"{A}/settings"),
    ("post", f"{A}/settings/preview"), ("post", f"{A}/runs/{{run_id}}/cancel"),
}  # fmt: skip
PATHS: dict[str, dict[str, Any]] = openapi_document()["paths"]
READS = sorted(path for path, methods in PATHS.items() if path.startswith(A) and "get" in methods)
LIMITED = [path for path in READS if path not in SHOWN_WHOLE]


def codes(operation: dict[str, Any], status: str) -> list[str]:
    found: list[str] = operation["responses"].get(status, {}).get("x-problem-codes", [])
    return found


def test_each_read_below_an_account_is_limited_or_listed_with_its_reason():
    assert {path for path in SHOWN_WHOLE if path not in READS} == set(), "listed and gone"
    documented = [
        path for path in READS if "acting_user_required" in codes(PATHS[path]["get"], "400")
    ]
    assert documented == LIMITED
    assert len(LIMITED) >= 12


def test_each_change_that_names_a_person_is_limited_or_listed():
    dependencies = audiences_of_changes()
    changes = {
        (method, path)
        for path, methods in PATHS.items()
        if path.startswith(A)
        for method in methods
        if method != "get"
    }
    assert dependencies == changes - NO_PERSON


def audiences_of_changes() -> set[tuple[str, str]]:
    """Return the changes whose endpoints ask for the audience of a change."""
    calls = (get_writer_audience, get_writer_audience_beforehand)

    def asks(dependant: Any) -> bool:
        return dependant.call in calls or any(asks(one) for one in dependant.dependencies)

    groups: Any = router.routes
    return {
        (method.lower(), route.path)
        for group in groups
        for route in group.original_router.routes
        if asks(route.dependant)
        for method in route.methods
    }


async def ids_of(world: World) -> dict[str, str]:
    """Return an id for each parameter of a path."""
    contact = (await world.contacts())["1002"]
    activity = await world.api.post(
        f"{HP}/activities",
        json={
            "kind": "note",
            "user_id": "u_ann",
            "clio_contact_id": "1002",
            "occurred_at": "2026-03-02T12:00:00Z",
        },
        headers={"Idempotency-Key": "audience"},
    )
    return {
        "account_id": "hp",
        "clio_id": "1002",
        "contact_id": contact["id"],
        "new_client_id": (await anext(world.all("new-clients")))["id"],
        "run_id": (await world.runs())[0]["id"],
        "activity_id": activity.json()["id"],
        "hold_id": "hld_nobody",
        "connection_id": (await anext(world.all("connections")))["id"],
    }


def filled(path: str, ids: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: ids[found[1]], path)


async def test_a_limited_read_needs_a_user_while_the_setting_is_on_and_only_then(pulled: World):
    ids = await ids_of(pulled)
    expected = {path: 404 if "hold_id" in path else 200 for path in LIMITED}
    limited = {**expected, f"{A}/contacts/{{contact_id}}/export": 403}  # it is for Success Managers
    for path in LIMITED:
        before = await pulled.api.get(filled(path, ids))
        assert before.status_code == expected[path], (path, before.text)
    await pulled.choose(WALL)
    for path in LIMITED:
        for role in ("user", "account_admin", "success_manager"):
            refused = await pulled.api.get(filled(path, ids), headers={"Levitate-Role": role})
            without = (400, "acting_user_required")
            if path in ADMINISTRATORS and role == "user":
                without = (403, "role_required")
            assert (refused.status_code, refused.json()["code"]) == without
        role = "account_admin" if path in ADMINISTRATORS else "user"
        shown = await pulled.api.get(filled(path, ids), headers=acting("u_ann", role))
        assert shown.status_code == limited[path], (path, shown.text)
    for path in SHOWN_WHOLE.keys() - {f"{A}/runs/{{run_id}}/events"}:
        assert (await pulled.api.get(filled(path, ids))).status_code == 200, path


async def test_settings_and_previews_need_a_role_while_the_setting_is_on(pulled: World):
    for on in (False, True):
        if on:
            await pulled.choose(WALL)
        for method, path in NEED_A_ROLE:
            body: Any = {"settings": {}} if method == "post" else None
            url = filled(path, {"account_id": "hp"})
            for role in ("user", "account_admin", "success_manager"):
                headers = {"Levitate-Role": role}
                response = await pulled.api.request(method, url, json=body, headers=headers)
                allowed = not on or role != "user"
                assert response.status_code == (200 if allowed else 403), (path, role)
                assert allowed or response.json()["code"] == "role_required"


async def test_the_setting_changes_no_contact_and_starts_no_run(pulled: World):
    # nothing is derived again, and the feed is for the backend, so it stays whole
    lines, runs = await pulled.changes(), await pulled.runs()
    assert await pulled.choose(WALL) is None
    assert await pulled.runs() == runs
    assert await pulled.changes() == lines


async def test_an_account_that_limits_nobody_reads_nothing_more(pulled: World):
    await pulled.api.get(
        f"{HP}/contacts"
    )  # the first request of a connection makes more statements
    counted: list[int] = []
    for headers in ({}, acting("u_ann"), acting("u_sam", "success_manager")):
        with recorded_statements() as statements:
            response = await pulled.api.get(f"{HP}/contacts", headers=headers)
        assert response.status_code == 200
        assert not any("sightings" in one or "audit" in one for one in statements)
        counted.append(len(statements))
    assert len(set(counted)) == 1


@pytest.mark.parametrize("user_id", ["u_off", "nobody", "é"])
async def test_a_user_without_a_login_sees_nobody(pulled: World, user_id: str):
    await pulled.choose(WALL)
    headers = acting("%C3%A9" if user_id == "é" else user_id)
    found = (await pulled.api.get(f"{HP}/contacts", headers=headers)).json()
    assert found == {"data": [], "next_cursor": None, "has_more": False}
