"""The preview beside the settings has the numbers of the API, opens the lists of people, and stores nothing (S11)."""

import re
from typing import Any

import httpx
import pytest

from app.console.settings import preview as panel
from tests.support.console import Person, ShownPage, in_console
from tests.support.world import World

PREVIEW = "Update preview"
HEADING = "What this would change"
HTMX = {"HX-Request": "true", "Accept": "text/html, text/event-stream"}
SEVERAL: dict[str, Any] = {
    "scope.include_related": "on",
    "scope.segment.exclude_any": "Past Client",
    "ownership.source": "originating_attorney",
    "tags.practice_area.matter_status": ["open", "pending", "closed"],
}
PATCH: dict[str, Any] = {
    "scope": {"include_related": True, "segment": {"exclude_any": ["Past Client"]}},
    "ownership": {"source": "originating_attorney"},
    "tags": {"practice_area": {"matter_status": ["open", "pending", "closed"]}},
}
ALL_AREAS = {"tags": PATCH["tags"]}
COUNTS = {
    "entering": r"(\d+) (?:person enters|people enter)",
    "leaving": r"(\d+) (?:person leaves|people leave)",
    "contacts_with_tag_changes": r"(\d+) (?:person changes tags|people change tags)",
    "owner_changes": r"(\d+) (?:owner changes|owners change)",
    "new_clients": r"(\d+) automations? would start",
}


def counts(text: str) -> dict[str, int]:
    """Return the counts that a panel shows, under the names of the API."""
    found = {name: re.search(pattern, text) for name, pattern in COUNTS.items()}
    return {name: int(match[1]) for name, match in found.items() if match}


async def by_api(world: World, patch: dict[str, Any]) -> dict[str, Any]:
    answer = await world.api.post("/v1/accounts/hp/settings/preview", json={"settings": patch})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def previewed(person: Person, **values: Any) -> ShownPage:
    """Read the page, change these values, and press Update preview."""
    return await person.press(await person.read("settings"), PREVIEW, **values)


async def live(person: Person, **values: Any) -> httpx.Response:
    """Send what htmx sends when these values are changed."""
    form: dict[str, Any] = {}
    page = await person.read("settings")
    for name, value in page.form(PREVIEW).form_values():
        form.setdefault(name, []).append(value)
    return await person.browser.post(
        "/console/accounts/hp/settings/preview", data={**form, **values}, headers=HTMX
    )


def events(answer: httpx.Response) -> list[ShownPage]:
    """Return the panels of a stream."""
    assert answer.headers["content-type"].startswith("text/event-stream")
    texts = [
        "\n".join(line.removeprefix("data: ") for line in event.split("\n"))
        for event in answer.text.strip().split("\n\n")
    ]
    return [
        ShownPage.of(httpx.Response(200, text=f"<main class='panel'>{text}</main>"))
        for text in texts
    ]


async def test_the_counts_are_those_of_the_api_and_nothing_is_saved(pulled: World):
    # S11
    async with in_console(pulled) as maya:
        page = await previewed(maya, **SEVERAL, note="Because")
        text = page.panel(HEADING)
        summary = (await by_api(pulled, PATCH))["summary"]
        assert counts(text) == {name: summary[name] for name in COUNTS}
        assert summary["entering"] == summary["leaving"] == 1
        assert "4 changes, not saved" in text
        assert "Related contacts connected to matters: off → on" in text
        assert "Tags that leave people out: added Past Client" in text
        assert "Contact owner: Responsible Attorney → Originating Attorney" in text
        assert (
            "Practice Area, statuses: Open matters → Open matters, Pending matters, Closed" in text
        )
        assert "1 more has a role that stays out." in text
        assert page.document.xpath("//textarea[@id='snote']")[0].text == "Because"
        assert "Changed: was Responsible Attorney" in page.words
        assert (await pulled.api.get("/v1/accounts/hp/settings")).json()["version"] == 1
        page = await maya.press(page, "Save changes")
        assert "Saved as version 2." in page.words


async def test_owners_and_tags_are_told_by_name(pulled: World):
    # S11, OW-2
    async with in_console(pulled) as maya:
        text = (await previewed(maya, **{"ownership.source": "primary_user"})).panel(HEADING)
        assert re.search(r"Ann Harlow to Front Office 3", text)
        text = (await previewed(maya, **{"ownership.fallback": "unassigned"})).panel(HEADING)
        assert "Front Office to nobody 1." in text
        every = ["open", "pending", "closed"]
        text = (await previewed(maya, **{"tags.practice_area.matter_status": every})).panel(HEADING)
        gained = (await by_api(pulled, ALL_AREAS))["summary"]["tags_added"]
        most = sorted(gained.items(), key=lambda one: (-one[1], one[0]))[: panel.TOLD]
        assert f"Gained: {', '.join(f'{label} {n}' for label, n in most)}" in text
        assert "Lost:" not in text


@pytest.mark.parametrize(
    ("count", "heading", "sentence"),
    [
        ("person enters", "People who would enter", "Enters Levitate. Gains Clio"),
        ("person leaves", "People who would leave", "Leaves Levitate. Loses"),
        ("people change tags", "People whose tags would change", "Gains "),
        ("owner changes", "People whose owner would change", "Owner: "),
    ],
)
async def test_each_count_opens_the_list_of_its_people(
    pulled: World, count: str, heading: str, sentence: str
):
    async with in_console(pulled) as maya:
        page = await previewed(maya, **SEVERAL)
        n = counts(page.panel(HEADING))
        button = next(one for one in page.buttons if one.startswith(count) or one == count)
        page = await maya.press(page, button)
        rows = page.document.xpath(f"//section[.//h2[starts-with(., {heading!r})]]//tbody/tr")
        names = {"person enters": "entering", "person leaves": "leaving"}
        names |= {
            "people change tags": "contacts_with_tag_changes",
            "owner changes": "owner_changes",
        }
        assert len(rows) == n[names[count]] > 0
        assert sentence in page.panel(heading)
        assert counts(page.panel(HEADING)) == n
        assert "Changed: was off" in page.words


async def test_the_people_of_a_count_are_paged_by_the_cursor(
    pulled: World, monkeypatch: pytest.MonkeyPatch
):
    # API-6
    monkeypatch.setattr(panel, "PEOPLE_SHOWN", 2)
    seen: list[str] = []
    async with in_console(pulled) as maya:
        page = await previewed(maya, **{"ownership.source": "primary_user"})
        n = counts(page.panel(HEADING))["owner_changes"]
        page = await maya.press(page, "owners change")
        while True:
            section = page.document.xpath("//*[@id='changed']//tbody/tr/th")
            seen += [one.text_content() for one in section]
            more = page.document.xpath("//*[@id='changed']//button[normalize-space()='Next page']")
            if not more:
                break
            form = page.form(PREVIEW)
            sent: dict[str, Any] = {}
            for name, value in form.form_values():
                sent.setdefault(name, []).append(value)
            sent["show"] = more[0].get("value")
            page = ShownPage.of(
                await maya.browser.post("/console/accounts/hp/settings/preview", data=sent)
            )
        assert "First page" in page.buttons
    assert len(seen) == len(set(seen)) == n


async def test_new_clients_are_counted_and_listed_also_without_another_change(pulled: World):
    # NC-3
    clio = pulled.simulator.firms[0]
    person = {
        "type": "Person",
        "first_name": "Nell <b>N",
        "last_name": "\u202eNew",
        "is_client": True,
    }
    await pulled.choose({"new_client": {"require_open_matter": True}})
    clio.put("contact", {**person, "id": 9001})
    await pulled.run()
    async with in_console(pulled) as maya:
        page = await previewed(maya, **{"new_client.require_open_matter": []})
        summary = (await by_api(pulled, {"new_client": {"require_open_matter": False}}))["summary"]
        assert counts(page.panel(HEADING))["new_clients"] == summary["new_clients"] == 1
        page = await maya.press(page, "automation would start")
        listed = page.panel("People whose new-client automation would start")
        assert "Nell <b>N" in listed
        assert "The new-client automation would start." in listed


async def test_the_live_preview_streams_counts_and_ends_with_those_of_the_api(
    pulled: World, monkeypatch: pytest.MonkeyPatch
):
    # S11: one person in a batch
    summary = (await by_api(pulled, PATCH))["summary"]
    monkeypatch.setattr("app.sync.assess.preview.BATCH_SIZE", 1)
    async with in_console(pulled) as maya:
        panels = events(await live(maya, **SEVERAL))
    assert len(panels) > 2
    assert "so far" in panels[0].words
    assert panels[0].document.xpath("//*[@aria-busy='true']")
    assert counts(panels[0].words) != counts(panels[-1].words)
    assert counts(panels[-1].words) == {name: summary[name] for name in COUNTS}
    assert "so far" not in panels[-1].words
    assert panels[-1].document.xpath("//ul[@aria-live='polite'][not(@aria-busy)]")
    marks = panels[0].document.xpath("//*[@id='include_related-was']")
    assert [one.text_content() for one in marks] == ["Changed: was off"]


async def test_the_live_preview_of_a_mistake_says_so(pulled: World):
    async with in_console(pulled) as maya:
        answer = await live(maya, **{"new_client.surge_threshold": "x"})
        assert answer.headers["content-type"].startswith("text/html")
        assert "Enter a whole number" in answer.text
        page = await previewed(maya, **{"new_client.surge_threshold": "x"})
        assert page.status == 422
        assert "This cannot be previewed yet." in page.words


async def test_a_preview_is_on_top_of_what_somebody_else_saved_meanwhile(pulled: World):
    # OV-5
    async with in_console(pulled) as maya:
        page = await maya.read("settings")
        await pulled.choose({"scope": {"include_related": True}})
        page = await maya.press(page, PREVIEW, **{"scope.segment.exclude_any": "Past Client"})
        text = page.panel(HEADING)
        assert "1 change, not saved" in text
        assert counts(text)["entering"] == 0
        assert counts(text)["leaving"] == 1


async def test_the_preview_asks_clio_nothing(pulled: World):
    pulled.simulator.log.clear()
    async with in_console(pulled) as maya:
        await previewed(maya, **SEVERAL)
        await live(maya, **SEVERAL)
    assert pulled.simulator.requests() == []
