"""People: everyone who was pulled, with tags or the reason; one person with every reason, export and erasure."""

import json
from collections.abc import AsyncIterator

import pytest

from tests.support.console import Person, in_console
from tests.support.world import World


@pytest.fixture
async def maya(pulled: World) -> AsyncIterator[Person]:
    async with in_console(pulled) as person:
        yield person


async def test_everyone_who_was_pulled_is_listed_with_tags_or_the_reason(maya: Person):
    page = await maya.read("people")
    rows = {
        row.xpath(".//th")[0].text_content().split("\n")[0].strip(): row.text_content()
        for row in page.document.xpath("//tbody/tr")
    }
    assert "Family Law" in next(
        text for name, text in rows.items() if name.startswith("Alice Moreno")
    )
    eva = next(text for name, text in rows.items() if name.startswith("Eva Lind"))
    assert "The settings do not include related people." in eva
    assert not any("Northwind" in name for name in rows), "companies are no people"


async def test_a_person_without_name_and_address_is_listed_by_the_number_in_clio(
    maya: Person, pulled: World
):
    pulled.simulator.firms[0].put("contact", {"id": 3000, "type": "Person"})
    await pulled.run("incremental")
    out = await maya.read("people", show="out")
    names = [link.text_content() for link in out.document.xpath("//tbody/tr/th/a")]
    assert "Clio record 3000" in names
    assert "No email address in Clio" in out.words


async def test_tabs_count_who_is_in_levitate_and_who_is_left_out(maya: Person, pulled: World):
    page = await maya.read("people")
    inside = [one for one in (await pulled.contacts()).values() if one["state"] == "in_scope"]
    assert f"In Levitate {len(inside)}" in page.words
    out = await maya.read("people", show="out")
    assert "Frank Osei" in out.words
    assert "Alice Moreno" not in out.words
    none = await maya.read("people", show="failing")
    assert "Everything could be read" in none.words


async def test_a_search_finds_people_and_its_words_are_in_no_address(maya: Person):
    page = await maya.read("people")
    for words, found in (
        ("frank", "Frank Osei"),
        ("alice@home.test", "Alice Moreno"),
        ("1003", "Chloe Tan"),
    ):
        answer = await maya.press(page, "Search", q=words)
        assert found in answer.words, words
        assert "q=" not in str(answer.answer.url)
    nobody = await maya.press(page, "Search", q="mossner")
    assert "No person matches “mossner”" in nobody.words


async def test_filters_find_those_in_levitate(maya: Person):
    page = await maya.read("people", show="in", tag="family law")
    assert "Alice Moreno" in page.words
    assert "Chloe Tan" not in page.words
    owned = await maya.read("people", show="in", owner="u_ann")
    assert "Alice Moreno" in owned.words
    nothing = await maya.read("people", show="in", tag="no such tag")
    assert "Nobody has all of this" in nothing.words


async def test_a_person_has_the_reason_of_each_tag_and_of_those_that_are_missing(
    maya: Person, pulled: World
):
    alice = (await pulled.contacts())["1001"]
    page = await maya.read(f"people/{alice['id']}")
    assert "Has open matters: 00201-Moreno." in page.panel("Tags, and why")
    assert page.links["00201-Moreno"].endswith("/nc/#/matters/201")
    assert "Estate Planning 00202-Moreno is closed" in page.panel(
        "Tags that this contact does not have"
    )
    assert "The responsible attorney of 00201-Moreno decides." in page.panel("Owner")
    assert "Decided the owner: Ann Harlow is the responsible attorney" in page.panel("Owner")
    assert "Ann Harlow" in page.panel("Who sees this person")
    assert "Entered Levitate with" in page.panel("What happened")
    assert "The new-client automation started today" in page.words


async def test_a_client_without_an_open_matter_is_told_what_would_make_one_active(
    maya: Person, pulled: World
):
    chloe = (await pulled.contacts())["1003"]
    missing = (await maya.read(f"people/{chloe['id']}")).panel(
        "Tags that this contact does not have"
    )
    assert "None of the 2 matters that count is open." in missing
    assert "take Pending Client away" in missing


async def test_a_person_as_of_a_day_before_the_first_sync_says_so(maya: Person, pulled: World):
    alice = (await pulled.contacts())["1001"]
    page = await maya.read(f"people/{alice['id']}", as_of="2020-01-01")
    assert "Levitate did not have this person on January 1, 2020." in page.words


async def test_somebody_who_is_left_out_has_the_reason_and_what_would_change_it(maya: Person):
    page = await maya.read("people/clio/1006")
    assert "This person is not marked as a client in Clio" in page.panel("Why")
    assert "Include people who are not clients." in page.panel("What would bring")
    unknown = await maya.read("people/clio/999")
    assert unknown.status == 404
    assert "No connected login has shown this record" in unknown.words
    asked = await maya.read("people/clio/999", look="true")
    assert "Clio is asked for this record now" in asked.words


async def test_the_export_is_everything_that_is_held(maya: Person, pulled: World):
    alice = (await pulled.contacts())["1001"]
    page = await maya.read(f"people/{alice['id']}")
    answer = await maya.browser.get(page.links["Export"])
    assert answer.headers["content-disposition"] == f'attachment; filename="{alice["id"]}.json"'
    assert json.loads(answer.text)["contact_id"] == alice["id"]


async def test_erasing_asks_first_and_is_done_for_good(maya: Person, pulled: World):
    alice = (await pulled.contacts())["1001"]
    question = await maya.read(f"people/{alice['id']}/erase")
    assert "This cannot be undone." in question.words
    assert (await pulled.api.get(f"/v1/accounts/hp/contacts/{alice['id']}")).status_code == 200
    done = await maya.press(question, "Erase this person for good")
    assert "The person is erased." in done.words
    assert (await pulled.api.get(f"/v1/accounts/hp/contacts/{alice['id']}")).status_code == 404


async def test_a_user_sees_those_in_levitate_only(pulled: World):
    async with in_console(pulled, "user") as ann:
        page = await ann.read("people")
        assert "Alice Moreno" in page.words
        assert "Frank Osei" not in page.words
        found = await ann.press(page, "Search", q="frank")
        assert "No person matches" in found.words


async def test_a_limited_user_is_shown_only_whom_the_own_login_sees(pulled: World):
    # T10, API-30: Hugo's matter is for Ben alone
    await pulled.connect("u_ben", 502)
    await pulled.settled()
    await pulled.choose({"privacy": {"respect_visibility": True}})
    async with in_console(pulled, "user") as ann:
        pages = [await ann.read(page) for page in ("", "people", "holds", "writebacks", "activity")]
        nav = pages[0].words_in("//nav[@id='nav']")
    assert not any(character.isdigit() for character in nav)
    assert all(page.status == 200 for page in pages)
