"""Custom fields as tags and key facts: the acceptance examples of sections 7 and 8, through HTTP."""

from typing import Any

from tests.support.harlow_pike import clio, contact, explain, known, labels, lines_of, report, tags
from tests.support.world import World


def fields(*chosen: str | tuple[str, str]) -> dict[str, object]:
    """Return settings that choose these fields, each with its label format if one is given."""
    pairs = [(field, "default") if isinstance(field, str) else field for field in chosen]
    listed = [{"field_id": field_id, "label_format": form} for field_id, form in pairs]
    return {"tags": {"custom_fields": listed}}


def fill(world: World, field_id: int, value: Any) -> None:
    """Give Alice another value, or none, for a field in Clio."""
    values = [
        {**held, "value": value} if held["custom_field_id"] == field_id else held
        for held in known(world, "contact", 1001)["custom_field_values"]
    ]
    clio(world).put("contact", {"id": 1001, "custom_field_values": values})


async def facts(world: World, kind: str) -> list[tuple[str, str]]:
    found = (await contact(world, "1001"))["key_facts"]
    return [(fact["label"], fact["value"]) for fact in found if fact["kind"] == kind]


async def test_alices_fields_become_tags_once_they_are_chosen_and_one_is_too_long(pulled: World):
    # CF-2, CF-3, C-13, row 12
    before = await contact(pulled, "1001")
    assert "custom_field" not in {tag["category"] for tag in before["tags"]}
    await pulled.choose(fields("1", "2", "3", "4", "5", "7"))
    assert labels(await contact(pulled, "1001")) - labels(before) == {
        "Newsletter OK",
        "Net Worth: 250000",
        "Children: 2",
        "Friend",
        "Nickname: Allie",
    }
    refused = (await explain(pulled, "1001"))["not_granted"]
    notes = next(item for item in refused if item["rule"] == "custom_fields")
    assert notes["label"] == "Intake Notes"
    assert "900 characters" in notes["why"]
    noted = (await report(pulled, (await pulled.runs())[-1]))["noted"]
    assert (noted["too_long"], noted["unparsable"]) == (1, 0), "counted in the report"
    fill(pulled, 3, "two or three")
    assert (await report(pulled, await pulled.run()))["noted"]["unparsable"] == 1  # row 13


async def test_a_field_is_shown_in_the_chosen_label_format(pulled: World):
    # CF-3, row 13
    before = await tags(pulled, "1001")
    await pulled.choose(fields(("4", "name_value"), ("1", "value"), ("3", "name")))
    assert await tags(pulled, "1001") - before == {"Referral Source: Friend", "Yes", "Children"}
    grants = {tag["label"]: tag["grants"] for tag in (await explain(pulled, "1001"))["tags"]}
    (grant,) = grants["Referral Source: Friend"]
    assert (grant["setting"], grant["field_id"]) == ("/tags/custom_fields/0", "4")


async def test_another_option_is_one_change_that_removes_the_old_label_and_adds_the_new_one(
    pulled: World,
):
    # CF-4, CF-2: an unchecked box and an empty field give no tag
    await pulled.choose(fields("1", "4", "5"))
    lines = len(await lines_of(pulled, "1001"))
    fill(pulled, 4, "9001")
    await pulled.run()
    (line,) = (await lines_of(pulled, "1001"))[lines:]
    assert (line["tags_removed"], line["tags_added"]) == (["Friend"], ["Google"])
    fill(pulled, 1, False)
    fill(pulled, 5, None)
    await pulled.run()
    line = (await lines_of(pulled, "1001"))[-1]
    assert (set(line["tags_removed"]), line["tags_added"]) == (
        {"Newsletter OK", "Nickname: Allie"},
        [],
    )


async def test_deleting_a_field_or_an_option_in_clio_removes_its_tag(pulled: World):
    # CF-5, EN-3
    await pulled.choose(fields("4", "5"))
    options = [{"id": 9002, "option": "Friend", "deleted_at": "2026-03-03T00:00:00-05:00"}]
    clio(pulled).put("custom_field", {"id": 4, "picklist_options": options})
    await pulled.run()
    assert (await lines_of(pulled, "1001"))[-1]["tags_removed"] == ["Friend"]
    clio(pulled).put("custom_field", {"id": 5, "deleted": True})
    run = await pulled.run()
    assert (await lines_of(pulled, "1001"))[-1]["tags_removed"] == ["Nickname: Allie"]
    assert run["status"] == "succeeded"
    issues = [issue async for issue in pulled.all("issues", status="open")]
    (issue,) = [issue for issue in issues if issue["code"] == "setting_refers_to_missing_field"]
    assert "5" in issue["detail"]


async def test_fields_that_cannot_make_tags_are_refused_with_their_pointer(pulled: World):
    # CF-1, CF-2: a field of matters, the types without tags, an unknown field; KF-2: a field that is no date
    definition = {**known(pulled, "custom_field", 5), "id": 40, "parent_type": "Matter"}
    clio(pulled).put("custom_field", definition)
    await pulled.run()
    for field_id in ("40", "6", "8", "9", "4711"):
        answer = await pulled.patch_settings(fields("1", field_id))
        assert answer.status_code == 422
        (error,) = answer.json()["errors"]
        assert error["pointer"] == "/tags/custom_fields/1/field_id"
    answer = await pulled.patch_settings({"key_facts": {"custom_date_field_ids": ["5"]}})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/key_facts/custom_date_field_ids/0"
    assert (await pulled.api.get("/v1/accounts/hp/settings")).json()["version"] == 1


async def test_a_chosen_date_is_a_key_fact_as_long_as_clio_has_its_value(pulled: World):
    # KF-2, KF-4, row 17
    assert await facts(pulled, "custom_date") == []
    await pulled.choose({"key_facts": {"custom_date_field_ids": ["6"]}})
    alice = await contact(pulled, "1001")
    assert [fact["kind"] for fact in alice["key_facts"]] == ["birthday", "clio_id", "custom_date"]
    assert alice["key_facts"][2] == {
        "kind": "custom_date",
        "label": "Wedding Anniversary",
        "value": "2010-06-12",
        "field_id": "6",
    }
    fill(pulled, 6, None)
    await pulled.run()
    assert await facts(pulled, "custom_date") == []
    told = (await lines_of(pulled, "1001"))[-1]["fields"]
    assert set(told) == {"key_facts"}
    assert [fact["kind"] for fact in told["key_facts"]["from"]] == [
        "birthday", "clio_id", "custom_date",
    ]  # fmt: skip


async def test_a_birthday_is_copied_unchanged_and_a_placeholder_is_flagged(pulled: World):
    # KF-1, KF-3: each of the two key facts can be switched off
    for born, flag in (("1984-02-29", None), ("1900-01-01", "implausible")):
        clio(pulled).put("contact", {"id": 1001, "date_of_birth": born})
        await pulled.run()
        birthday = (await contact(pulled, "1001"))["key_facts"][0]
        assert (birthday["kind"], birthday["value"], birthday.get("flag")) == (
            "birthday", born, flag,
        )  # fmt: skip
    clio(pulled).put("contact", {"id": 1001, "date_of_birth": None})
    await pulled.run()
    assert await facts(pulled, "birthday") == []
    await pulled.choose({"key_facts": {"birthday": False, "clio_id": False}})
    assert (await contact(pulled, "1001"))["key_facts"] == []
