"""The golden table of requirements.md section 1, row for row, through the whole service: OAuth, pull, rules, HTTP."""

import pytest

from tests.support.world import World

GOLDEN = {  # contact: managed tags, owner, the owner's rule, the matter that decided
    "1001": (
        {"Clio", "Person", "Client", "Active Client", "Personal", "Family Law"},
        ("u_ann", "responsible_attorney", "201"),
    ),
    "1002": (
        {"Clio", "Person", "Client", "Past Client", "Personal"},
        ("u_ann", "responsible_attorney", "203"),
    ),
    "1003": (
        {"Clio", "Person", "Client", "Pending Client", "Personal"},
        ("u_ben", "responsible_attorney", "205"),
    ),
    "1004": (
        {"Clio", "Person", "Client", "Pending Client", "Personal"},
        ("u_ann", "originating_attorney", "206"),
    ),
    "1007": (
        {"Clio", "Person", "Client", "Active Client", "Company", "Business Law"},
        ("u_ben", "responsible_attorney", "207"),
    ),
    "1008": ({"Clio", "Person", "Client", "Personal"}, ("u_off", "fallback", None)),
    "1010": (
        {"Clio", "Person", "Client", "Active Client", "Personal", "Personal Injury"},
        ("u_ben", "responsible_attorney", "210"),
    ),
}


@pytest.fixture
async def seen_by_two(pulled: World) -> World:
    """The fixture firm, connected by Ann and Cat and pulled."""
    assert await pulled.connect("u_cat", 503) == "x=1&clio=connected"
    await pulled.settled()
    return pulled


async def test_the_golden_table_is_correct_through_http(seen_by_two: World):
    # CS-1, CS-2, CS-7, OW-1, OW-4..OW-9, TG-2..TG-9, TG-16, TG-17, TG-19
    contacts = await seen_by_two.contacts()
    found = {
        clio_id: (
            {tag["label"] for tag in contact["tags"]},
            tuple(contact["owner"][name] for name in ("user_id", "rule", "matter_clio_id")),
        )
        for clio_id, contact in contacts.items()
    }
    assert found == GOLDEN


async def test_the_first_run_finds_seven_new_clients_and_one_of_them_through_her_company(
    seen_by_two: World,
):
    # NC-1, NC-2, IS-1
    rows = [row async for row in seen_by_two.all("new-clients")]
    assert {row["clio_id"] for row in rows} == GOLDEN.keys()
    assert {row["origin"] for row in rows} == {"initial_sync"}
    assert {row["clio_id"]: row["basis"] for row in rows}["1007"] == "company"
    kinds = [run["kind"] for run in await seen_by_two.runs()]
    assert kinds == ["initial", "coverage"]


async def test_alices_data_is_mapped(seen_by_two: World):
    # DM-1..DM-8, KF-1, KF-3
    alice = (await seen_by_two.contacts())["1001"]
    assert (alice["first_name"], alice["last_name"], alice["title"]) == (
        "Alice",
        "Moreno",
        "Teacher",
    )
    assert [(mail["address"], mail["primary"]) for mail in alice["emails"]] == [
        ("alice@home.test", True),
        ("alice@work.test", False),
    ]
    assert [(phone["number"], phone["kind"], phone["primary"]) for phone in alice["phones"]] == [
        ("+19195550102", "Mobile", True),
        ("+19195550101", "Home", False),
    ]
    assert [(a["city"], a["primary"], a["clio_primary"]) for a in alice["addresses"]] == [
        ("Raleigh", True, False),
        ("Durham", False, True),
    ]
    assert alice["key_facts"] == [
        {"kind": "birthday", "label": "Birthday", "value": "1984-03-09"},
        {"kind": "clio_id", "label": "Clio ID", "value": "1001"},
    ]
    assert alice["clio_url"] == "https://app.clio.com/nc/#/contacts/1001"
    gail = (await seen_by_two.contacts())["1007"]
    assert gail["company"] == {"clio_id": "2001", "name": "Northwind Bakery LLC"}
    assert gail["title"] == "CFO"
