"""The seeded firm resembles a real one, with its bad data (clio.md §20.11, §20.12, §20.18)."""

from collections import Counter
from typing import Any

import pytest

from app.simulator.firms.seeded import seeded_firm
from app.simulator.store.firm import KINDS, Firm
from tests.support.visitor import Clock

TODAY = "2026-03-03"


@pytest.fixture(scope="module")
def seeded() -> Firm:
    return seeded_firm(contacts=2000, now=Clock())


def records(firm: Firm, kind: str) -> list[dict[str, Any]]:
    return [firm.find(kind, record_id) or {} for record_id in firm.ids(kind)]


def parts(firm: Firm, name: str) -> list[dict[str, Any]]:
    return [part for contact in records(firm, "contact") for part in contact.get(name) or []]


def test_the_same_seed_gives_the_same_firm_and_another_seed_another_firm():
    first, again, other = (
        [records(seeded_firm(contacts=60, seed=seed, now=Clock()), kind) for kind in KINDS]
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_names_have_non_ascii_letters_and_some_people_have_no_name(seeded):
    # clio.md §20.18
    names = [contact["name"] for contact in records(seeded, "contact")]
    assert sum(not name.isascii() for name in names) > 500
    assert 0 < names.count("") < 60
    assert any(
        (contact.get("last_name") or "").startswith(" ") for contact in records(seeded, "contact")
    )


def test_addresses_have_line_breaks_and_some_are_blank(seeded):
    # clio.md §20.18
    streets = [address["street"] for address in parts(seeded, "addresses")]
    assert any("\n" in (street or "") for street in streets)
    assert None in streets
    assert {"NC", "nc", "N.C.", "North Carolina", None} <= {
        a["province"] for a in parts(seeded, "addresses")
    }


@pytest.mark.parametrize(
    "name", ["date_of_birth", "first_name", "middle_name", "prefix", "title", "company_id"]
)
def test_each_optional_contact_field_is_both_empty_and_filled(seeded, name):
    # clio.md §20.18
    found = [contact.get(name) for contact in records(seeded, "contact")]
    assert None in found
    assert any(found)


@pytest.mark.parametrize(
    "name",
    ["practice_area_id", "matter_stage_id", "responsible_attorney_id", "originating_attorney_id", "open_date",
     "close_date", "pending_date", "location", "client_reference"],
)  # fmt: skip
def test_each_optional_matter_field_is_both_empty_and_filled(seeded, name):
    # clio.md §20.18
    found = [matter.get(name) for matter in records(seeded, "matter")]
    assert None in found
    assert any(found)


def test_some_birthdays_are_placeholders_or_leap_days(seeded):
    born = {contact.get("date_of_birth") for contact in records(seeded, "contact")}
    assert {"1900-01-01", "1984-02-29"} <= born


def test_some_phone_numbers_are_not_numbers(seeded):
    numbers = {phone["number"] for phone in parts(seeded, "phone_numbers")}
    assert {"call the office", "x204", "+44 20 7946 0958"} <= numbers
    assert not all(phone["primary"] for phone in parts(seeded, "phone_numbers"))


def test_contacts_share_addresses_and_some_are_blank(seeded):
    found = Counter(email["address"].lower() for email in parts(seeded, "email_addresses"))
    assert found["info@family.test"] > 5
    assert sum(count > 1 for address, count in found.items() if address.startswith("person")) > 5
    assert found[""] > 5


def test_deleted_options_are_in_use_and_are_sent_as_text_and_as_numbers(seeded):
    # clio.md §20.11
    chosen = [v["value"] for v in parts(seeded, "custom_field_values") if v["custom_field_id"] == 4]
    assert {404, "404", 401, "401"} <= set(chosen)
    option = (seeded.find("custom_field", 4) or {})["picklist_options"][3]
    assert (option["id"], bool(option["deleted_at"])) == (404, True)


def test_values_have_every_type_and_both_forms_of_empty(seeded):
    # clio.md §20.11
    values = parts(seeded, "custom_field_values")
    filled = {
        value["id"].split("-")[0] for value in values if value["id"] and value["value"] is not None
    }
    types = {field["field_type"] for field in records(seeded, "custom_field")}
    assert types - filled <= {"text_line", "url"}  # the two with the empty values
    assert {(value["id"], value["value"]) for value in values if value["value"] is None} == {
        (None, None),
        ("url-8", None),
    }
    assert any(value["custom_field_id"] == 10 for value in values)  # its field is deleted
    assert any(matter["custom_field_values"] for matter in records(seeded, "matter"))
    names = Counter(field["name"] for field in records(seeded, "custom_field"))
    assert names["Text Line 5"] == 2  # one of contacts, one of matters


def test_some_matters_close_in_the_future_and_some_open_ones_have_a_close_date(seeded):
    closes = [(m["status"], m["close_date"]) for m in records(seeded, "matter")]
    assert any(status == "closed" and (day or "") > TODAY for status, day in closes)
    assert ("closed", None) in closes
    assert any(status == "open" and day for status, day in closes)


def test_some_companies_have_no_people_and_some_are_clients(seeded):
    contacts = records(seeded, "contact")
    companies = {contact["id"] for contact in contacts if contact["type"] == "Company"}
    employers = {contact.get("company_id") for contact in contacts} - {None}
    assert employers < companies
    assert companies & {matter["client_id"] for matter in records(seeded, "matter")}


def test_a_restricted_user_sees_unrelated_contacts_only_if_the_user_created_them(seeded):
    # clio.md §20.13: user 607 is restricted
    tied = {matter["client_id"] for matter in records(seeded, "matter")}
    tied |= {link["contact_id"] for link in records(seeded, "relationship")}
    loose = [contact for contact in records(seeded, "contact") if contact["id"] not in tied]
    seen = [contact for contact in loose if seeded.sees(607, "contact", contact["id"])]
    assert 0 < len(seen) < len(loose)
    assert any(contact["created_by"] == 607 for contact in seen)
    assert all(seeded.sees(601, "contact", contact["id"]) for contact in loose)


def test_some_clients_are_related_to_their_own_matter(seeded):
    # clio.md §20.12
    links = records(seeded, "relationship")
    clients = {matter["id"]: matter["client_id"] for matter in records(seeded, "matter")}
    own = [link for link in links if link["contact_id"] == clients[link["matter_id"]]]
    assert len(own) > 10
    assert {"Spouse", "spouse ", ""} <= {link["description"] for link in links}
    assert min(link["id"] for link in links) > 2**32


def test_some_matters_are_visible_to_two_users_only_whatever_the_roles_of_others(seeded):
    # clio.md §20.13
    kept = [m["id"] for m in records(seeded, "matter") if not seeded.sees(603, "matter", m["id"])]
    assert kept
    assert all(seeded.sees(601, "matter", matter_id) for matter_id in kept)
