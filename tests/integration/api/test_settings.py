"""The settings document: defaults, versions, merge patches, preconditions, and the pointers of invalid values."""

import asyncio
import json
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from pydantic import BaseModel

from app.api import schemas
from app.api.settings_document import apply_patch
from app.db.accounts import settings
from app.db.accounts.settings import StoredSettings
from app.db.mirror import catalog
from app.db.session import Database
from app.main import now
from app.rules.settings import OwnershipSettings, Settings
from tests.integration.db.contacts.test_change_feed import make_account
from tests.support.sessions import as_owner
from tests.support.world import World

URL = "/v1/accounts/hp/settings"
DEFAULTS = json.loads("""{
  "scope": {"include_non_clients": false, "include_related": false,
            "related_role_exclude": ["opposing*", "adverse*", "judge", "witness"],
            "primary_email_only": false, "segment": {"include_any": [], "exclude_any": []}, "opt_out_field_id": null},
  "ownership": {"source": "responsible_attorney", "fallback": "primary_user", "prefer_open": false, "sticky": false},
  "tags": {
    "practice_area": {"enabled": true, "matter_status": ["open"], "label_from": "name"},
    "related_practice_area": {"enabled": false, "matter_status": ["open"]},
    "relationships": {"enabled": false},
    "matter_number": {"enabled": false, "matter_status": ["open", "pending"]},
    "matter_tag": {"enabled": false, "matter_status": ["open", "pending"]},
    "location": {"city": false, "state": false, "postal_code": false, "country": false},
    "responsible_attorney": "none", "originating_attorney": "none",
    "company_representatives": "all", "custom_fields": []},
  "key_facts": {"birthday": true, "clio_id": true, "custom_date_field_ids": []},
  "writeback": {"email": true, "note": true, "phone_call": true, "text_message": true, "handwritten_card": true,
                "fallback_author": "none"},
  "new_client": {"initial_sync": "emit", "require_open_matter": false, "surge_threshold": 50,
                 "hold_possible_duplicates": false},
  "restricted_matters": {"withhold": false},
  "privacy": {"respect_visibility": false}
}""")  # the default settings document, as clients know it [API-17]


@pytest.fixture
async def firm(world: World) -> World:
    """An account whose catalog has a custom field of each kind that settings treat differently."""
    await world.create_account()
    items = {
        1: field("checkbox"),
        2: field("picklist"),
        3: field("date"),
        4: field("url"),
        5: field("text_line", parent_type="Matter"),
        6: field("checkbox", deleted=True),
        **{field_id: field("date") for field_id in range(100, 121)},
    }
    async with as_owner(world.app.state.services.database) as session:
        await catalog.store_items(session, "hp", "custom_fields", items)
    return world


def field(field_type: str, **more: Any) -> dict[str, Any]:
    return {"name": field_type, "field_type": field_type, "parent_type": "Contact", **more}


async def test_version_1_of_the_settings_has_the_defaults(world: World):
    # OV-5
    await world.create_account()
    response = await world.api.get(URL)
    assert response.headers["etag"] == '"1"'
    body = response.json()
    assert (body["version"], body["settings"], body["updated_by"]) == (1, DEFAULTS, None)


def test_the_document_of_the_api_and_the_settings_of_the_rules_have_the_same_fields_and_defaults():
    # OV-5
    assert schemas.Settings().model_dump(mode="json") == DEFAULTS
    assert_same_fields(schemas.Settings, Settings)


def assert_same_fields(model: type[BaseModel], kind: Any) -> None:
    assert set(model.model_fields) == {part.name for part in fields(kind)}
    for part in fields(kind):
        inner = model.model_fields[part.name].annotation
        if is_dataclass(part.type):
            assert isinstance(inner, type)
            assert_same_fields(inner, part.type)


async def test_a_change_creates_a_version_with_its_author_and_keeps_earlier_versions(world: World):
    # OV-5, EN-2
    await world.create_account()
    first = await world.patch_settings(
        {"tags": {"location": {"city": True}}}, **{"Levitate-User": "u_cat"}
    )
    assert first.headers["etag"] == '"2"'
    assert (first.json()["version"], first.json()["updated_by"]) == (2, "u_cat")
    assert first.json()["run_id"] is None  # there are no contacts yet
    await world.patch_settings({"tags": {"location": {"state": True}}})
    versions = [version async for version in world.all("settings/versions", limit=1)]
    assert [version["version"] for version in versions] == [1, 2, 3]
    assert [version["updated_by"] for version in versions] == [None, "u_cat", None]
    assert versions[0]["settings"] == DEFAULTS
    assert versions[2]["settings"]["tags"]["location"] == {
        **DEFAULTS["tags"]["location"],
        "city": True,
        "state": True,
    }
    assert (await world.settings())[0] == versions[2]["settings"]


async def test_an_untouched_account_has_one_version(world: World):
    await world.create_account()
    assert [version["version"] async for version in world.all("settings/versions")] == [1]


async def test_a_put_of_an_equal_document_creates_no_version(world: World):
    await world.create_account()
    await world.patch_settings({"ownership": {"sticky": True}})
    document, etag = await world.settings()
    statuses = document["tags"]["matter_tag"]["matter_status"]
    assert statuses == ["open", "pending"]
    statuses.reverse()  # a set: its order has no meaning
    again = await world.api.put(URL, json=document, headers={"If-Match": etag})
    assert (again.status_code, again.json()["version"], again.headers["etag"]) == (200, 2, etag)
    assert [entry["action"] async for entry in world.all("audit")].count("settings.changed") == 1


@pytest.mark.parametrize(
    ("section", "leaf"),
    [("new_client", "hold_possible_duplicates"), ("privacy", "respect_visibility")],
)
async def test_a_put_of_a_document_of_an_earlier_release_keeps_what_was_added_since(
    world: World, section: str, leaf: str
):
    # NC-6, API-30: the answer names what was kept; a document that has it, and a patch, keep nothing
    await world.create_account()
    await world.patch_settings({section: {leaf: True}})
    document, etag = await world.settings()
    pointer = f"/{section}/{leaf}"
    del document[section][leaf]
    document["new_client"]["surge_threshold"] = 7
    without = {name: part for name, part in document.items() if name != section}
    for sent in (document, {**document, section: {}}, without, {}):
        saved = (await world.api.put(URL, json=sent, headers={"If-Match": etag})).json()
        assert pointer in saved["kept"]
        assert saved["settings"][section][leaf] is True
        threshold = sent.get("new_client", {}).get("surge_threshold", 50)
        assert saved["settings"]["new_client"]["surge_threshold"] == threshold
        etag = f'"{saved["version"]}"'
    document[section][leaf] = False
    saved = (await world.api.put(URL, json=document, headers={"If-Match": etag})).json()
    assert saved["kept"] == []
    assert saved["settings"][section][leaf] is False
    patched = await world.patch_settings({"new_client": {"surge_threshold": 8}})
    assert patched.json()["kept"] == []


async def test_a_put_replaces_the_whole_document(world: World):
    await world.create_account()
    await world.patch_settings({"ownership": {"sticky": True}})
    response = await world.api.put(
        URL, json={"tags": {"location": {"city": True}}}, headers={"If-Match": '"2"'}
    )
    chosen = response.json()["settings"]
    assert chosen["ownership"] == DEFAULTS["ownership"]
    assert chosen["tags"]["location"]["city"] is True


@pytest.mark.parametrize(
    ("if_match", "status", "code"),
    [
        (None, 428, "precondition_required"),
        ('"1"', 412, "version_conflict"),
        (
            'W/"2"',
            412,
            "version_conflict",
        ),  # If-Match uses the strong comparison (RFC 9110 §13.1.1)
        ("2", 412, "version_conflict"),
        ('"1", "2"', 200, None),
        ("*", 200, None),
    ],
)
@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
async def test_a_change_must_name_the_current_version(world: World, verb, if_match, status, code):
    # API-8
    await world.create_account()
    await world.patch_settings({"ownership": {"sticky": True}})
    headers = {"If-Match": if_match} if if_match else {}
    response = await world.api.request(verb, URL, json={}, headers=headers)
    assert (response.status_code, response.json().get("code")) == (status, code)


async def test_one_of_two_concurrent_changes_gets_a_version_conflict(world: World):
    await world.create_account()
    patches = [{"ownership": {"sticky": True}}, {"tags": {"location": {"city": True}}}]
    headers = {"If-Match": '"1"'}
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(world.api.patch(URL, json=patch, headers=headers))
            for patch in patches
        ]
    assert sorted(task.result().status_code for task in tasks) == [200, 412]
    assert [version["version"] async for version in world.all("settings/versions")] == [1, 2]


async def test_only_managers_change_settings_and_everybody_reads_them(world: World):
    # [EN-2]: a PATCH of the settings by u_cat returns 403
    await world.create_account()
    cat = {"Levitate-Role": "user", "Levitate-User": "u_cat", "If-Match": '"1"'}
    for verb in ("PUT", "PATCH"):
        response = await world.api.request(verb, URL, json={}, headers=cat)
        assert (response.status_code, response.json()["code"]) == (403, "role_required")
    assert (await world.api.get(URL, headers=cat)).status_code == 200
    body: dict[str, Any] = {"settings": {}}
    assert (await world.api.post(f"{URL}/preview", json=body, headers=cat)).status_code == 200
    admin = {"Levitate-Role": "account_admin", "If-Match": '"1"'}
    assert (await world.api.patch(URL, json={}, headers=admin)).status_code == 200


async def test_the_audit_log_says_who_changed_which_settings_and_has_no_values(world: World):
    # EN-2
    await world.create_account()
    label = "Smith v. Jones"
    patch = {
        "scope": {"segment": {"exclude_any": [label]}},
        "tags": {"practice_area": {"enabled": False}},
    }
    await world.patch_settings(patch, **{"Levitate-User": "u_off"})
    entries = [entry async for entry in world.all("audit", limit=1)]
    assert [entry["action"] for entry in entries] == [
        "account.created",
        "users.replaced",
        "settings.changed",
    ]
    changed = entries[-1]
    assert (changed["user_id"], changed["role"]) == ("u_off", "success_manager")
    assert changed["token_id"] == "bootstrap"
    assert changed["details"] == {
        "version": {"before": 1, "after": 2},
        "pointers": ["/scope/segment/exclude_any", "/tags/practice_area/enabled"],
        "run_id": None,
    }
    assert label not in json.dumps(entries)


REFUSED: list[tuple[dict[str, Any], list[str]]] = [
    ({"colour": "blue"}, ["/colour"]),
    ({"tags": {"loc": {}}}, ["/tags/loc"]),
    ({"tags": {"a/b~c": 1}}, ["/tags/a~1b~0c"]),
    ({"tags": None, "scope": 5}, ["/scope"]),
    ({"ownership": {"source": "anybody"}}, ["/ownership/source"]),
    ({"tags": {"practice_area": {"matter_status": ["shut"]}}}, ["/tags/practice_area/matter_status/0"]),
    ({"tags": {"practice_area": {"matter_status": []}}}, ["/tags/practice_area/matter_status"]),
    ({"tags": {"practice_area": {"enabled": "yes"}}}, ["/tags/practice_area/enabled"]),
    ({"new_client": {"surge_threshold": -1}}, ["/new_client/surge_threshold"]),
    ({"new_client": {"surge_threshold": 1.5}}, ["/new_client/surge_threshold"]),
    ({"scope": {"related_role_exclude": ["x" * 121]}}, ["/scope/related_role_exclude/0"]),
    ({"scope": {"related_role_exclude": ["a\x00b"]}}, ["/scope/related_role_exclude/0"]),
    ({"scope": {"segment": {"include_any": ["x"] * 201}}}, ["/scope/segment/include_any"]),
    ({"scope": {"segment": {"include_any": ["\u200b\u2060"]}}}, ["/scope/segment/include_any/0"]),  # row 51
    ({"scope": {"related_role_exclude": ["judge", "\ufeff"]}}, ["/scope/related_role_exclude/1"]),
    ({"tags": {"custom_fields": [{"field_id": 1}]}}, ["/tags/custom_fields/0/field_id"]),
    ({"tags": {"custom_fields": [{"field_id": "x"}]}}, ["/tags/custom_fields/0/field_id"]),
    # checked with the catalog of the firm [CF-1, CF-2, KF-4, EN-3]
    ({"tags": {"custom_fields": [{"field_id": "77"}]}}, ["/tags/custom_fields/0/field_id"]),
    (
        {"tags": {"custom_fields": [{"field_id": str(i)} for i in (1, 5, 2, 3, 4, 6)]}},
        [f"/tags/custom_fields/{nth}/field_id" for nth in (1, 3, 4, 5)],
    ),
    (
        {"tags": {"custom_fields": [{"field_id": "1"}, {"field_id": "1"}]}},
        ["/tags/custom_fields/1/field_id"],
    ),
    ({"scope": {"opt_out_field_id": "2"}}, ["/scope/opt_out_field_id"]),
    ({"scope": {"opt_out_field_id": "6"}}, ["/scope/opt_out_field_id"]),
    (
        {"key_facts": {"custom_date_field_ids": ["3", "1", "3"]}},
        ["/key_facts/custom_date_field_ids/1", "/key_facts/custom_date_field_ids/2"],
    ),
    (
        {"key_facts": {"custom_date_field_ids": [str(i) for i in range(100, 121)]}},
        ["/key_facts/custom_date_field_ids"],
    ),
]  # fmt: skip


async def test_an_invalid_setting_is_refused_with_its_pointer(firm: World):
    # API-17, CF-1, CF-2, KF-4, EN-3
    for patch, pointers in REFUSED:
        for below, response in (
            ("", await firm.patch_settings(patch)),
            ("/settings", await firm.api.post(f"{URL}/preview", json={"settings": patch})),
        ):
            assert (response.status_code, response.json()["code"]) == (422, "invalid_request"), (
                patch
            )
            found = [error["pointer"] for error in response.json()["errors"]]
            assert found == [below + pointer for pointer in pointers], patch
    assert (await firm.settings())[1] == '"1"'


async def test_valid_settings_are_stored_unchanged(firm: World):
    patch = {
        "scope": {"opt_out_field_id": "1"},
        "tags": {"custom_fields": [{"field_id": "2", "label_format": "name_value"}]},
        "key_facts": {"custom_date_field_ids": [str(i) for i in range(100, 120)]},
    }
    assert (await firm.patch_settings(patch)).status_code == 200
    document, _ = await firm.settings()
    assert document["scope"]["opt_out_field_id"] == "1"
    assert document["tags"]["custom_fields"] == patch["tags"]["custom_fields"]  # type: ignore[index]
    assert document["key_facts"]["custom_date_field_ids"] == [str(i) for i in range(100, 120)]


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"{}", "application/merge-patch+json", 200, None),
        (b"{}", "application/json; charset=utf-8", 200, None),
        (b"{}", "application/json-patch+json", 415, "unsupported_media_type"),
        (b"{}", "text/plain", 415, "unsupported_media_type"),
        (b"{not json", "application/merge-patch+json", 400, "invalid_json"),
        (b"[" * 100_000, "application/merge-patch+json", 400, "invalid_json"),
        (b"[]", "application/merge-patch+json", 422, "invalid_request"),
        (b"null", "application/merge-patch+json", 422, "invalid_request"),
        (b'{"scope":' * 500 + b"1" + b"}" * 500, "application/json", 422, "invalid_request"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_a_patch_must_be_a_json_merge_patch(world: World, content, kind, status, code):
    await world.create_account()
    headers = {"Content-Type": kind, "If-Match": '"1"'}
    response = await world.api.patch(URL, content=content, headers=headers)
    assert (response.status_code, response.json().get("code")) == (status, code)
    if status == 415:
        assert response.headers["accept-patch"] == "application/merge-patch+json"


def test_null_in_a_patch_restores_the_default():
    # RFC 7396
    sticky = Settings(ownership=OwnershipSettings(sticky=True, prefer_open=True))
    assert apply_patch(sticky, {"ownership": None}) == Settings()
    assert apply_patch(sticky, {"ownership": {"sticky": None}}).ownership == OwnershipSettings(
        prefer_open=True
    )
    assert apply_patch(sticky, {}) == sticky


async def test_a_stored_version_does_not_depend_on_the_defaults(database: Database):
    # [OV-5]: a stored version has all fields
    await make_account(database, "a")
    chosen = Settings(ownership=OwnershipSettings(sticky=True))
    async with as_owner(database) as session:
        before = await settings.lock_current(session, "a")
        assert (before.version, before.settings) == (1, Settings())
        await settings.store_version(session, "a", StoredSettings(2, chosen, now(), "u"))
        assert await settings.get_version(session, "a", 1) == Settings()
        assert await settings.get_version(session, "a", 2) == chosen
        assert (await settings.get_current(session, "a")).settings == chosen
    assert settings.to_document(Settings()).keys() == DEFAULTS.keys()
