"""Data mapping: the acceptance examples of requirements.md section 9, through HTTP."""

from typing import Any

from tests.support.harlow_pike import clio, contact, known, lines_of, person, report
from tests.support.world import World


async def test_an_unsplit_name_is_split_and_the_other_parts_of_a_name_are_kept(
    pulled: World,
):
    # DM-1, DM-3, row 14: the job title is Clio's title, the prefix is a part of the name
    nameless = {"first_name": None, "last_name": None, "is_client": True}
    clio(pulled).put("contact", person(3001, **nameless) | {"name": "Maria del Carmen Ruiz"})
    clio(pulled).put("contact", person(3002, **nameless) | {"name": "Cher"})
    clio(pulled).put("contact", {"id": 1001, "middle_name": "Ana", "prefix": "Dr.", "title": " "})
    await pulled.run()
    found = await pulled.contacts()
    parts = ("first_name", "middle_name", "last_name", "prefix", "title")
    assert {clio_id: tuple(found[clio_id][part] for part in parts) for clio_id in (
        "3001", "3002", "1001",
    )} == {
        "3001": ("Maria del Carmen", None, "Ruiz", None, None),
        "3002": (None, None, "Cher", None, None),
        "1001": ("Alice", "Ana", "Moreno", "Dr.", None),
    }  # fmt: skip


async def test_a_person_without_name_and_address_is_out_of_scope_until_one_is_known(pulled: World):
    # DM-10, NC-1, row 18: the report names the person, who becomes a new client when in scope
    nobody = {"first_name": None, "last_name": None, "name": "", "is_client": True}
    clio(pulled).put("contact", {**person(3001), **nobody})
    run = await pulled.run()
    assert (run["status"], run["counts"]["entered"], run["counts"]["new_clients"]) == (
        "succeeded", 0, 0,
    )  # fmt: skip
    assert "3001" not in await pulled.contacts()
    told = await report(pulled, run)
    assert told["noted"]["no_name_or_email"] == 1
    (row,) = told["outcomes"]
    assert (row["outcome"], row["clio_id"], row["detail"]) == (
        "skipped", "3001", "no_name_or_email",
    )  # fmt: skip
    mail = {"id": 1, "name": "Work", "address": "someone@mail.test", "primary": True}
    clio(pulled).put("contact", {"id": 3001, "email_addresses": [mail]})
    run = await pulled.run()
    assert (run["counts"]["entered"], run["counts"]["new_clients"]) == (1, 1)
    clio(pulled).put("contact", {"id": 3001, "email_addresses": []})
    told = await report(pulled, await pulled.run())
    assert (told["noted"]["no_name_or_email"], len(told["outcomes"])) == (1, 1)
    found = await contact(pulled, "3001")
    assert (found["state"], found["state_reason"]) == ("out_of_scope", "no_name_or_email")


async def test_addresses_and_numbers_are_ordered_and_cleaned_for_levitate(
    pulled: World,
):
    # DM-4, DM-5, DM-6, DM-7, DM-8, C-8, rows 15, 16
    def listed(key: str, *values: str | None) -> list[dict[str, Any]]:
        return [
            {"id": nth, "name": "Other", key: value, "primary": False}
            for nth, value in enumerate(values, start=1)
        ]

    mails = listed("address", "  ", "Jon@Mail.test", "jon@mail.TEST", "second@mail.test")
    phones = listed("number", "(919) 555-0103 ext. 7", "+44 20 7946 0958", "call my wife", "")
    phones[2]["primary"] = True
    places = [
        {"id": 1, "name": "Home", "street": "", "city": None, "primary": True},
        {"id": 2, "name": "Work", "street": "1 High St", "city": "Apex", "primary": False},
    ]
    record = {"email_addresses": mails, "phone_numbers": phones, "addresses": places}
    clio(pulled).put("contact", {"id": 1010, **record})
    await pulled.run()
    jon = await contact(pulled, "1010")
    assert [(mail["address"], mail["primary"]) for mail in jon["emails"]] == [
        ("Jon@Mail.test", True),
        ("second@mail.test", False),
    ]
    assert [(phone["number"], phone["raw"], phone["primary"]) for phone in jon["phones"]] == [
        (None, "call my wife", True),
        ("+19195550103", "(919) 555-0103 ext. 7", False),
        ("+442079460958", "+44 20 7946 0958", False),
    ]
    (work,) = jon["addresses"]
    assert (work["street"], work["city"], work["state"], work["primary"]) == (
        "1 High St", "Apex", None, True,
    )  # fmt: skip


async def test_a_number_is_read_in_the_format_of_the_accounts_country(pulled: World):
    # DM-5: a change of the account's country causes no request to Clio
    phones = [{"id": 1, "name": "Home", "number": "020 7946 0958", "primary": True}]
    clio(pulled).put("contact", {"id": 1010, "phone_numbers": phones})
    await pulled.run()
    assert (await contact(pulled, "1010"))["phones"][0]["number"] is None
    account = (await pulled.api.get("/v1/accounts/hp")).json()
    kept = ("name", "time_zone", "primary_user_id", "enabled")
    body = {**{name: account[name] for name in kept}, "country": "GB"}
    pulled.simulator.log.clear()
    assert (await pulled.api.put("/v1/accounts/hp", json=body)).status_code == 200
    await pulled.settled()
    assert pulled.simulator.requests() == []
    assert (await contact(pulled, "1010"))["phones"][0]["number"] == "+442079460958"
    assert (await lines_of(pulled, "1010"))[-1]["cause"] == "users"


async def test_every_pulled_field_equals_clios_value_after_the_next_run(pulled: World):
    # DM-2, DM-3, DM-9: changed and cleared fields
    alice = known(pulled, "contact", 1001)
    emptied = {"title": None, "phone_numbers": [], "addresses": alice["addresses"][1:]}
    clio(pulled).put("contact", {"id": 1001, **emptied, "last_name": "Moreno-Diaz"})
    clio(pulled).put("contact", {"id": 1007, "company_id": None})
    await pulled.run()
    found = await contact(pulled, "1001")
    assert (found["title"], found["phones"], found["last_name"]) == (None, [], "Moreno-Diaz")
    (address,) = found["addresses"]
    assert (address["city"], address["primary"], address["clio_primary"]) == ("Durham", True, True)
    told = (await lines_of(pulled, "1001"))[-1]["fields"]
    assert told["title"] == {"from": "Teacher", "to": None}
    assert set(told) == {"title", "phones", "addresses", "last_name"}
    gail = await contact(pulled, "1007")
    assert (gail["state"], gail["company"]["name"]) == ("out_of_scope", "Northwind Bakery LLC")
