"""The settings page: each value of the document can be changed, and nothing is lost by a mistake (API-17)."""

from typing import Any

import pytest

from app.console.settings.document import DEFAULTS, LEAVES, nested
from app.db.contacts import field_counts
from tests.support.console import Person, ShownPage, in_console
from tests.support.world import World

BEN = {"user_id": "u_ben"}
SAVE, PREVIEW = "Save changes", "Update preview"
OFF: list[str] = []  # what a browser sends for a box without a tick

CHANGES: dict[str, tuple[Any, Any]] = {  # what a person sends, and what the API then has
    "scope.include_related": ("on", True),
    "scope.include_non_clients": ("on", True),
    "scope.related_role_exclude": ("judge\r\n\r\n  expert, hired \r\n", ["judge", "expert, hired"]),
    "scope.primary_email_only": ("on", True),
    "scope.segment.include_any": ("Client\nZoë’s <b>list</b>", ["Client", "Zoë’s <b>list</b>"]),
    "scope.segment.exclude_any": ("Past Client", ["Past Client"]),
    "scope.opt_out_field_id": ("1", "1"),
    "privacy.respect_visibility": ("on", True),
    "ownership.source": ("originating_attorney", "originating_attorney"),
    "ownership.fallback": ("unassigned", "unassigned"),
    "ownership.prefer_open": ("on", True),
    "ownership.sticky": ("on", True),
    "writeback.email": (OFF, False),
    "writeback.note": (OFF, False),
    "writeback.phone_call": (OFF, False),
    "writeback.text_message": (OFF, False),
    "writeback.handwritten_card": (OFF, False),
    "writeback.fallback_author": ("primary_connection", "primary_connection"),
    "tags.practice_area.enabled": (OFF, False),
    "tags.practice_area.matter_status": (["closed", "open"], ["open", "closed"]),
    "tags.practice_area.label_from": ("category", "category"),
    "tags.related_practice_area.enabled": ("on", True),
    "tags.related_practice_area.matter_status": (["pending"], ["pending"]),
    "tags.relationships.enabled": ("on", True),
    "tags.matter_number.enabled": ("on", True),
    "tags.matter_number.matter_status": (["closed"], ["closed"]),
    "tags.matter_tag.enabled": ("on", True),
    "tags.matter_tag.matter_status": (["open"], ["open"]),
    "tags.location.city": ("on", True),
    "tags.location.state": ("on", True),
    "tags.location.postal_code": ("on", True),
    "tags.location.country": ("on", True),
    "tags.responsible_attorney": ("most_recent", "most_recent"),
    "tags.originating_attorney": ("all", "all"),
    "tags.company_representatives": ("none", "none"),
    "tags.custom_fields": (
        ["1", "4"],
        [
            {"field_id": "1", "label_format": "default"},
            {"field_id": "4", "label_format": "default"},
        ],
    ),
    "key_facts.birthday": (OFF, False),
    "key_facts.clio_id": (OFF, False),
    "key_facts.custom_date_field_ids": (["6"], ["6"]),
    "new_client.initial_sync": ("hold", "hold"),
    "new_client.require_open_matter": ("on", True),
    "new_client.surge_threshold": ("7", 7),
    "new_client.hold_possible_duplicates": ("on", True),
    "restricted_matters.withhold": ("on", True),
}


async def document(world: World) -> dict[str, Any]:
    """Return the settings as the API has them."""
    found: dict[str, Any] = (await world.api.get("/v1/accounts/hp/settings")).json()
    return found


async def save(person: Person, **values: Any) -> ShownPage:
    """Read the page, change these values, and save them."""
    return await person.press(await person.read("settings"), SAVE, **values)


def test_the_table_has_every_value_of_the_document():
    assert CHANGES.keys() == LEAVES.keys() == DEFAULTS.keys()


async def test_each_value_can_be_changed_by_the_form_and_changes_nothing_else(idle: World):
    # API-17
    expected = dict(DEFAULTS)
    async with in_console(idle) as maya:
        for number, (path, (sent, value)) in enumerate(CHANGES.items(), start=2):
            page = await save(maya, **{path: sent})
            assert page.status == 200, page.words
            assert f"Saved as version {number}." in page.words
            expected[path] = value
            found = await document(idle)
            assert found["settings"] == nested(expected), path
            assert (found["version"], found["updated_by"]) == (number, "u_maya")
        page = await save(maya, **{"tags.custom_fields.4": "name_value"})
        fields = (await document(idle))["settings"]["tags"]["custom_fields"]
        assert [one["label_format"] for one in fields] == ["default", "name_value"]
        off = {path: OFF for path, value in DEFAULTS.items() if value is False or value == []}
        await save(maya, **off)
    cleared = {**expected, **{path: DEFAULTS[path] for path in off}}
    cleared["scope.opt_out_field_id"] = "1"
    assert (await document(idle))["settings"] == nested(cleared)


async def test_a_form_that_was_not_changed_saves_nothing(idle: World):
    async with in_console(idle) as maya:
        page = await save(maya, note="Why not")
    assert "Nothing was changed, so nothing was saved." in page.words
    assert (await document(idle))["version"] == 1


async def test_a_note_is_kept_with_its_version_and_shown_as_text(idle: World):
    note = "<b>Cards</b> are logged by \u202ereception\u202c, ask “Ann”"
    typed = f"  {note}\0 "
    async with in_console(idle) as maya:
        page = await save(maya, **{"writeback.handwritten_card": OFF, "note": typed})
        versions = page.panel("Earlier versions")
        assert "Version 2, now" in versions
        assert "by Maya Lind" in versions
        assert "Handwritten card: on → off" in versions
        assert note in versions
        assert "Version 1" in versions
        assert "The defaults, when the firm was set up" in versions
        await save(maya, **{"writeback.handwritten_card": "on"})
        versions = (await maya.read("settings")).panel("Earlier versions")
    assert versions.index("off → on") < versions.index("on → off")
    assert "No note" in versions
    assert (await document(idle))["note"] is None
    listed = (await idle.api.get("/v1/accounts/hp/settings/versions")).json()["data"]
    assert [one["note"] for one in listed] == [None, note, None]
    entries = [one async for one in idle.all("audit") if one["action"] == "settings.changed"]
    assert len(entries) == 2
    assert "Cards" not in str(entries)


async def test_a_saved_change_is_applied_to_everybody(pulled: World):
    # CS-3: 1005 is related to a matter
    async with in_console(pulled) as maya:
        page = await save(maya, **{"scope.include_related": "on"})
        assert "A sync applies it to everybody now." in page.words
        await pulled.settled()
        assert (await pulled.contacts())["1005"]["state"] == "in_scope"
        page = await save(maya, **{"writeback.note": OFF})
        assert "Nobody in Levitate changes by it now." in page.words


@pytest.mark.parametrize(
    ("values", "option", "message"),
    [
        ({"new_client.surge_threshold": "many"}, "Ask me when", "Enter a whole number"),
        ({"new_client.surge_threshold": "1000001"}, "Ask me when", "Enter a whole number"),
        ({"new_client.surge_threshold": ""}, "Ask me when", "Enter a whole number"),
        ({"tags.matter_number.matter_status": OFF}, "Matter Number", "Choose at least one kind"),
        ({"scope.segment.include_any": "x" * 121}, "Segment by Tags", "at most 120 characters"),
        ({"ownership.source": "nobody"}, "Contact owner", "Choose one of the values."),
        ({"tags.custom_fields": ["999"]}, "Custom Fields", "was deleted in Clio"),
        ({"tags.custom_fields": ["1"], "tags.custom_fields.1": "x"}, "Custom Fields", "Choose"),
        ({"scope.opt_out_field_id": "4"}, "Opt-out field", "can no longer be used"),
        ({"key_facts.custom_date_field_ids": ["4"]}, "Key Facts", "can no longer be used"),
    ],
)
async def test_a_mistake_is_told_beside_its_option_and_everything_else_is_kept(
    idle: World, values: dict[str, Any], option: str, message: str
):
    async with in_console(idle) as maya:
        page = await save(maya, **{**values, "scope.include_related": "on", "note": "Because"})
        assert page.status == 422
        assert "The settings were not saved. 1 option needs another value." in page.words
        name = f"*[contains(@class, 'row-name')][starts-with(normalize-space(), {option!r})]"
        rows = f"//*[contains(@class, 'row')][{name}]"
        assert message in page.words_in(f"{rows}//*[@class='error']")
        assert "Changed: was off" in page.words
        assert (await document(idle))["version"] == 1
        fixed = {path: OFF if isinstance(sent, list) else "" for path, sent in values.items()}
        fixed |= {"new_client.surge_threshold": "50", "ownership.source": "primary_user"}
        fixed["tags.matter_number.matter_status"] = ["open", "pending"]
        page = await maya.press(page, SAVE, **fixed)
        assert "Saved as version 2." in page.words
    assert (await document(idle))["settings"]["scope"]["include_related"] is True
    assert (await document(idle))["note"] == "Because"


async def test_the_second_of_two_people_sees_what_the_first_changed(idle: World):
    # OV-5
    async with in_console(idle) as maya, in_console(idle, "account_admin", **BEN) as ben:
        mayas, bens = await maya.read("settings"), await ben.read("settings")
        await ben.press(bens, SAVE, **{"tags.location.city": "on", "ownership.sticky": "on"})
        mine = {"scope.include_related": "on", "tags.location.state": "on", "note": "Seminar"}
        page = await maya.press(mayas, SAVE, **mine)
        assert page.status == 409
        assert "Ben Pike saved version 2 while you were editing." in page.words
        assert "Owners stay: off → on; Location: City: off → on" in page.words
        assert "Your 2 changes below are on top of version 2, and not saved." in page.words
        assert (await document(idle))["version"] == 2
        page = await maya.press(page, PREVIEW)
        assert "2 changes, not saved" in page.panel("What this would change")
        page = await maya.press(page, SAVE)
        assert "Saved as version 3." in page.words
    found = await document(idle)
    assert found["note"] == "Seminar"
    assert found["settings"]["tags"]["location"] == {
        "city": True,
        "state": True,
        "postal_code": False,
        "country": False,
    }
    assert found["settings"]["ownership"]["sticky"] is True
    assert found["settings"]["scope"]["include_related"] is True


async def test_of_two_changes_of_one_option_the_second_person_keeps_the_own_one(idle: World):
    async with in_console(idle) as maya:
        first, same = await maya.read("settings"), await maya.read("settings")
        await idle.choose({"new_client": {"surge_threshold": 60}})
        page = await maya.press(first, SAVE, **{"new_client.surge_threshold": "70"})
        assert "Levitate saved version 2 while you were editing." in page.words
        assert "Changed: was 60" in page.words
        page = await maya.press(same, SAVE, **{"new_client.surge_threshold": "60"})
        assert page.status == 409
        assert "nothing is left to save" in page.words
    assert (await document(idle))["settings"]["new_client"]["surge_threshold"] == 60


async def test_going_back_to_a_version_shows_it_before_it_is_saved(idle: World):
    async with in_console(idle) as maya:
        await save(maya, **{"scope.include_related": "on"})
        page = await save(maya, **{"scope.include_related": OFF, "tags.location.city": "on"})
        page = await maya.read(page.links["Go back to version 2"])
        assert "This is version 2, and not saved." in page.words
        assert "2 changes, not saved" in page.panel("What this would change")
        assert (await document(idle))["version"] == 3
        page = await maya.press(page, PREVIEW)
        assert "1 person enters" in page.panel("What this would change")
        page = await maya.press(page, SAVE, note="Back")
        assert "Saved as version 4." in page.words
        assert "Go back to version 4" not in page.links
    settings = (await document(idle))["settings"]
    assert settings["scope"]["include_related"] is True
    assert settings["tags"]["location"]["city"] is False


async def test_every_value_has_its_place_on_the_page(idle: World):
    async with in_console(idle) as maya:
        page = await maya.read("settings")
    places = page.document.xpath("//@id")
    assert len(places) == len(set(places))
    for path in LEAVES:
        *_, section, name = path.split(".")
        shared = name in ("enabled", "matter_status")
        assert f"{section if shared else name}-n" in places, path
    fixed = [
        "segment-n",
        "g-scope",
        "g-own",
        "g-wb",
        "g-tags",
        "cf-n",
        "g-kf",
        "versions",
        "preview",
    ]
    assert set(fixed) <= set(places)
    assert {link.removeprefix("#") for link in page.links.values() if link[0] == "#"} <= set(places)


async def test_fields_are_counted_for_a_bounded_number_of_people(
    pulled: World, monkeypatch: pytest.MonkeyPatch
):
    async with in_console(pulled) as maya:
        page = await maya.read("settings")
        assert "Newsletter OK Checkbox, ticked for 1 of 7" in page.words
        monkeypatch.setattr(field_counts, "MOST_COUNTED", 3)
        page = await maya.read("settings")
        assert "Newsletter OK Checkbox, ticked for 0 of the newest 3" in page.words
        monkeypatch.undo()
        clio = pulled.simulator.firms[0]
        alice = clio.find("contact", 1001) or {}
        values = [
            {**one, "value": False} if one["custom_field_id"] == 1 else one
            for one in alice["custom_field_values"]
        ]
        clio.put("contact", {**alice, "custom_field_values": values})
        await pulled.run()
        page = await maya.read("settings")
        assert "Newsletter OK Checkbox, ticked for 0 of 7" in page.words


async def test_older_versions_are_on_further_pages(idle: World):
    async with in_console(idle) as maya:
        for number in range(2, 13):
            await save(maya, **{"new_client.surge_threshold": str(100 + number)})
        page = await maya.read("settings")
        assert "Version 3" in page.panel("Earlier versions")
        assert "102 → 103" in page.panel("Earlier versions")
        assert "Version 2" not in page.panel("Earlier versions")
        page = await maya.read(page.links["Older versions"])
        assert "50 → 102" in page.panel("Earlier versions")


async def test_a_user_reads_the_settings_and_is_told_who_changes_them(idle: World):
    # T3
    async with in_console(idle) as maya:
        await save(maya, **{"scope.include_related": "on"})
        form = dict((await maya.read("settings")).form(SAVE).form_values())
    async with in_console(idle, "user") as ann:
        page = await ann.read("settings")
        assert "Your firm’s administrator or your Success Manager can" in page.words
        assert page.buttons == []
        assert not page.document.xpath("//main//input[not(@disabled)]")
        assert "version 2, saved" in page.words
        assert "by Maya Lind" in page.panel("Earlier versions")
        token = (await ann.read()).form("Sign out").form_values()
        refused = await ann.browser.post(
            "/console/accounts/hp/settings", data={**form, **dict(token)}
        )
        assert refused.status_code == 403
        assert "You can read this, but not change it" in ShownPage.of(refused).words
    assert (await document(idle))["version"] == 2


async def test_a_user_who_sees_only_some_people_does_not_see_the_settings(idle: World):
    # API-30, T10
    await idle.choose({"privacy": {"respect_visibility": True}})
    async with in_console(idle, "user") as ann:
        page = await ann.read("settings")
        assert page.status == 403
        assert "administrator" in page.words
    async with in_console(idle, "account_admin", **BEN) as ben:
        assert (await ben.read("settings")).status == 200


async def test_the_settings_of_another_account_are_not_found(idle: World):
    # T2
    await idle.create_account("hq")
    async with in_console(idle) as maya:
        assert (await maya.read("/console/accounts/hq/settings")).status == 404
        form = dict((await maya.read("settings")).form(SAVE).form_values())
        for path in ("settings", "settings/preview"):
            answer = await maya.browser.post(f"/console/accounts/hq/{path}", data=form)
            assert answer.status_code == 404


async def test_a_form_without_a_version_is_refused(idle: World):
    async with in_console(idle) as maya:
        page = await maya.read("settings")
        for version in ("", "0", "2", "x"):
            refused = await maya.press(page, SAVE, version=version)
            assert "This form could not be used" in refused.words
    assert (await document(idle))["version"] == 1


async def test_a_leaf_that_an_older_form_does_not_have_keeps_its_value(idle: World):
    async with in_console(idle) as maya:
        await save(maya, **{"scope.include_related": "on"})
        page = await maya.read("settings")
        await maya.press(page, SAVE, leaf=["tags.location.city"], **{"tags.location.city": "on"})
    settings = (await document(idle))["settings"]
    assert settings["scope"]["include_related"] is True
    assert settings["tags"]["location"]["city"] is True


async def test_what_clio_has_is_offered_as_text_with_how_often_it_is_filled(pulled: World):
    # T13: texts of others
    name = "<script>alert(1)</script> \u202eevil\u202c & “so”"
    clio = pulled.simulator.firms[0]
    clio.put("custom_field", {**(clio.find("custom_field", 5) or {}), "name": name})
    await pulled.run("full")
    async with in_console(pulled) as maya:
        page = await maya.read("settings")
        assert "Newsletter OK Checkbox, ticked for 1 of 7" in page.words
        assert not page.document.xpath("//main//script")
        assert name in page.words
        assert "Web Page" not in page.words
        assert "Wedding Anniversary" in page.words_in("//*[@aria-labelledby='key_facts-n']")
        assert "Family Law" in page.words_in("//*[@aria-labelledby='practice_area-n']")
        assert "The Primary Levitate User of this firm is Front Office." in page.words
        await save(maya, **{"tags.custom_fields": ["5"]})
        clio.delete("custom_field", 5)
        await pulled.run("full")
        page = await maya.read("settings")
        assert f"{name} Deleted in Clio" in page.words_in("//*[@id='custom_fields-n']")
        page = await save(maya, **{"tags.location.city": "on"})
        assert "Saved as version 3." in page.words
