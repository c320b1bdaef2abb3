"""Four hundred texts that want to be code, in every field that takes a text (T11, row 52).

They come from Clio as names, addresses and numbers, and from Levitate as names, labels and activities.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from itertools import cycle, islice
from typing import Any

import pytest
from typing_extensions import override

from app.clio.regions import Region
from app.db.connections.connections import ClioLogin, Connection, Status
from app.lanes import Lane
from app.pages.rendering import page
from app.simulator.firms.harlow_pike import NOW
from app.sync.connections.connect_links import LinkPage
from app.sync.connections.oauth_confirmation import Question
from tests.support.hostile_texts import HOSTILE_TEXTS, SURROUNDINGS
from tests.support.sliced_firm import SlicedFirm, within
from tests.support.slices import do_slices
from tests.support.walls import HP
from tests.support.world import USERS, World

FIRST = 30_001
PEOPLE = len(HOSTILE_TEXTS) // len(SURROUNDINGS)
NAMES = ("name", "first_name", "middle_name", "last_name", "prefix", "title")
ADDRESS = ("name", "street", "city", "province", "postal_code", "country")
TAGS = {
    "matter_number": {"enabled": True},
    "location": dict.fromkeys(("city", "state", "postal_code", "country"), True),
    "custom_fields": [{"field_id": "5", "label_format": "value"}],
}
FORMULA_SIGNS = "=+-@\t\r\n＝＋－＠"
INVISIBLE = " \t\r\n\u00a0\u200b\ufeff"


def contact(number: int) -> dict[str, Any]:
    """Return a person each of whose fields has another text; all people together have every text several times."""
    texts = islice(cycle(HOSTILE_TEXTS), number * len(SURROUNDINGS), None)
    return {
        "id": FIRST + number,
        "type": "Person",
        "is_client": True,
        **{part: next(texts) for part in NAMES},
        "email_addresses": [
            {"id": number, "name": next(texts), "address": next(texts), "primary": True}
        ],
        "phone_numbers": [
            {"id": number, "name": next(texts), "number": next(texts), "primary": True}
        ],
        "addresses": [{"id": number, "primary": True, **{part: next(texts) for part in ADDRESS}}],
        "custom_field_values": [
            {"id": f"text_line-{number}", "custom_field_id": 5, "value": next(texts)},
            {"id": f"text_area-{number}", "custom_field_id": 7, "value": next(texts)},
        ],
    }


@pytest.fixture
def firm(idle: World) -> SlicedFirm:
    """A firm with these people, each with a matter whose number is such a text."""
    clio = idle.simulator.firms[0]
    for number in range(PEOPLE):
        clio.put("contact", contact(number))
        text = HOSTILE_TEXTS[number * len(SURROUNDINGS)]
        matter = {**(clio.find("matter", 203) or {}), "display_number": text, "description": text}
        clio.put("matter", {**matter, "id": FIRST + number, "client_id": FIRST + number})
    return SlicedFirm(idle, within())


def test_there_are_four_hundred_texts():
    assert len(set(HOSTILE_TEXTS)) >= 400


async def test_what_comes_from_clio_is_data_everywhere(firm: SlicedFirm):
    world = firm.world
    settings = {"tags": TAGS, "new_client": {"surge_threshold": 1000}}
    assert (await world.patch_settings(settings)).status_code == 200
    for queued in [run["id"] for run in await world.runs() if run["status"] == "queued"]:
        await firm.finish(queued)
    run = await firm.run("full")
    assert run["status"] == "succeeded"
    found = await world.contacts()
    shown = {str(FIRST + number) for number in range(PEOPLE)} & found.keys()
    assert len(shown) == PEOPLE, "none is lost"
    for clio_id in shown:
        explained = await world.api.get(f"{HP}/contacts/{found[clio_id]['id']}/explain")
        assert explained.status_code == 200
    report = await world.api.get(f"{HP}/runs/{run['id']}/report", params={"format": "csv"})
    rows = list(csv.reader(io.StringIO(report.text, newline="")))
    assert len(rows) > PEOPLE
    assert {len(row) for row in rows} == {len(rows[0])}
    assert [
        cell for row in rows for cell in row if cell.strip(INVISIBLE)[:1] in [*FORMULA_SIGNS]
    ] == []


async def test_each_payload_can_be_searched_for(idle: World):
    for text in HOSTILE_TEXTS[:: len(SURROUNDINGS) + 1]:
        asked = await idle.api.get(f"{HP}/contacts", params={"q": text, "limit": 1})
        assert asked.status_code in (200, 422), (text, asked.text)


async def test_what_levitate_sends_is_taken_or_refused_with_the_place(idle: World):
    users: list[dict[str, Any]] = [
        {**USERS[0], "id": f"u_{number}", "name": text} for number, text in enumerate(HOSTILE_TEXTS)
    ]
    refused = await idle.api.put(f"{HP}/users", json={"users": [*USERS, *users]})
    assert refused.status_code == 422
    wrong = {int(error["pointer"].split("/")[2]) for error in refused.json()["errors"]}
    users = [user for place, user in enumerate([*USERS, *users]) if place not in wrong]
    assert len(users) > 350
    taken = await idle.api.put(f"{HP}/users", json={"users": users})
    assert taken.status_code == 200, taken.text
    names = {
        user["id"]: user["name"] for user in (await idle.api.get(f"{HP}/users")).json()["users"]
    }
    assert names == {user["id"]: user["name"].strip() for user in users}
    contact_id = (await idle.contacts())["1001"]["id"]
    url = f"{HP}/contacts/{contact_id}/preexisting-tags"
    labels = list(names.values())
    for some in (labels[:200], labels[200:400]):
        assert (await idle.api.post(url, json={"labels": some})).status_code == 200


async def test_an_activity_is_written_as_plain_text(idle: World):
    wanted = [text for text in HOSTILE_TEXTS if "\x00" not in text]
    texts = ["\n\n".join(wanted[start : start + 50]) for start in range(0, len(wanted), 50)]
    for number, text in enumerate(texts):
        note = {
            "kind": "note",
            "user_id": "u_ann",
            "occurred_at": "2026-03-02T12:00:00Z",
            "clio_contact_id": "1001",
            "subject": "x",
            "body": text,
        }
        key = {"Idempotency-Key": f"n{number}"}
        answer = await idle.api.post(f"{HP}/activities", json=note, headers=key)
        assert answer.status_code == 202, answer.text
    await do_slices(idle.app.state.services, Lane.WRITE_BACK)
    notes = idle.simulator.records("note")
    assert len(notes) == len(texts)
    for note in notes:
        assert note["detail_text_type"] == "plain_text"


class Tags(HTMLParser):
    """The tags of a page with the names of their attributes, and the texts between them."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.found: list[tuple[str, ...]] = []
        self.texts: list[str] = []
        self.feed(document)

    @override
    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @override
    def handle_starttag(self, tag: str, attrs: Iterable[tuple[str, str | None]]) -> None:
        self.found.append((tag, *(name for name, _ in attrs)))


def pages(text: str) -> Iterator[Tags]:
    """Yield the pages that show texts of others, with this text in each place."""
    question = Question(text, text, text, text, text, text, text, NOW, text, text)
    values: dict[str, Any] = {
        "heading": text,
        "detail": text,
        "way_back": None,
        "reload_after": None,
    }
    login = ClioLogin(501, text, text, full_view=True)
    connected = Connection("hp", "con_1", "u_ann", "us", Status.CONNECTED, login, NOW, NOW, None)
    for made in (
        page("confirm_login.html", question=question, state=text),
        page("message.html", **values, can_reload=False, reference=text),
        *(
            page(
                "connect_link.html", link=LinkPage(text, text, Region.US, "UTC", one), last_sync=NOW
            )
            for one in (None, connected)
        ),
    ):
        yield Tags(bytes(made.body).decode())


def test_no_text_adds_an_element_or_an_attribute_to_a_page():
    plain = [made.found for made in pages("Ann")]
    for text in HOSTILE_TEXTS:
        assert [made.found for made in pages(text)] == plain, text


@pytest.mark.parametrize("text", ["{{7*7}}", "{{ 7 * 7 }}", "{% raw %}"])
def test_the_syntax_of_templates_in_a_name_is_shown_as_it_is(text: str):
    # V1.3.7: no page is made from a text of somebody
    assert text in HOSTILE_TEXTS
    for made in pages(text):
        shown = "".join(made.texts)
        assert text in shown
        assert "49" not in shown
