"""Data mapping: DM-1..9, rows 14..16, 26."""

from typing import Any

import pytest

from app.rules import diff, view
from app.rules.profile import addresses, emails, names, phones
from app.rules.records import Address, Email, Phone
from app.rules.results import Company, ContactEmail
from tests.rules.builders import Office, person
from tests.support.values import replace

NAMES = [  # DM-1, row 14: first, last, name
    ("Alice", "Moreno", "ignored", ("Alice", "Moreno")),
    (" Alice ", None, "Alice Moreno", ("Alice", None)),
    ("", "Moreno", "Alice Moreno", (None, "Moreno")),
    (None, None, "Alice Moreno", ("Alice", "Moreno")),
    (None, "", "Ana  Maria de Sá", ("Ana Maria de", "Sá")),
    (None, None, "Cher", (None, "Cher")),
    (None, None, "  ", (None, None)),
    (None, None, None, (None, None)),
    ("\u200b", "\u2060", "\u200b \u2060", (None, None)),
    ("\u200b", None, "\ufeffAna Sá", ("Ana", "Sá")),
    ("\u202dAna\u202c", "S\u00adá\u200b", None, ("Ana", "Sá")),
    ("🦊", None, None, ("🦊", None)),
]


@pytest.mark.parametrize(("first", "last", "name", "expected"), NAMES)
def test_a_name_is_its_parts_or_is_split(first, last, name, expected):
    assert names(person(1, first_name=first, last_name=last, name=name)) == expected


def test_alice_is_mapped_as_in_the_requirements():
    # DM-1, DM-5, DM-7
    found = Office().assess(1001).profile
    assert (found.first_name, found.last_name) == ("Alice", "Moreno")
    assert [(p.number, p.kind) for p in found.phones] == [
        ("+19195550102", "Mobile"),
        ("+19195550101", "Home"),
    ]
    abroad = Office().with_firm_facts(country="DE").assess(1001).profile
    assert [p.number for p in abroad.phones] != [p.number for p in found.phones]


def test_the_other_parts_of_a_name_are_passed_on():
    # DM-1, DM-3: the title is not the prefix
    office = Office().contact(1001, prefix="Ms.", middle_name=" B. ", title=" Judge ")
    found = office.assess(1001).profile
    assert (found.prefix, found.middle_name, found.title) == ("Ms.", "B.", "Judge")


def test_the_company_has_the_name_of_its_own_contact():
    # DM-2, DM-9, row 26
    office = Office().contact(1007, company_name="Old Bakery")
    assert office.assess(1007).profile.company == Company(2001, "Northwind Bakery LLC")
    renamed = office.contact(2001, name="Southwind")
    assert renamed.assess(1007).profile.company == Company(2001, "Southwind")
    hidden = office.contact(2001, name=None)
    assert hidden.assess(1007).profile.company == Company(2001, "Old Bakery")
    assert office.assess(1001).profile.company is None


EMAILS = [  # DM-4, row 15
    ([Email("a@x", "Home"), Email("b@x", "Work", primary=True)], ["b@x", "a@x"]),
    ([Email("a@x"), Email("b@x")], ["a@x", "b@x"]),
    ([Email("a@x"), Email(" A@X "), Email("b@x")], ["a@x", "b@x"]),
    ([Email("a@x"), Email("A@X", primary=True)], ["A@X"]),
    ([Email(" "), Email("b@x")], ["b@x"]),
    ([Email(""), Email("")], []),
]


@pytest.mark.parametrize(("listed", "expected"), EMAILS)
def test_addresses_are_listed_once_the_primary_first(listed, expected):
    found = emails(listed)
    assert [mail.address for mail in found] == expected
    assert [mail.primary for mail in found] == [place == 0 for place in range(len(found))]


def test_an_address_keeps_its_kind():
    assert emails([Email("a@x", " Home ")]) == (ContactEmail("a@x", "Home", primary=True),)
    assert emails([Email("a@x", " ")])[0].kind is None


def test_phones_are_listed_with_the_primary_first_and_then_as_in_clio():
    # DM-7, C-8
    listed = [Phone("1"), Phone("2"), Phone(" "), Phone("3", primary=True)]
    found = phones(listed, "US")
    assert [(phone.raw, phone.primary) for phone in found] == [
        ("3", True), ("1", False), ("2", False),
    ]  # fmt: skip


def test_each_number_of_a_field_is_a_phone_and_the_first_keeps_the_flag():
    # DM-5, row 50
    raw = "919-555-0102 or 919-555-0103 (ask for Ann)"
    listed = [Phone("919 555 0101", "Home"), Phone(f" {raw} ", " Work ", primary=True)]
    found = [(phone.number, phone.raw, phone.kind, phone.primary) for phone in phones(listed, "US")]
    assert found == [
        ("+19195550102", raw, "Work", True),
        ("+19195550103", raw, "Work", False),
        ("+19195550101", "919 555 0101", "Home", False),
    ]


def test_a_field_without_a_number_is_kept_as_it_is_written_and_one_without_anything_is_not():
    # DM-5, rows 50, 51
    found = phones([Phone("ask Ann"), Phone("\u200b\u2060"), Phone("\u202d919\u202c")], "US")
    assert [(phone.number, phone.raw) for phone in found] == [
        (None, "ask Ann"), (None, "\u202d919\u202c"),
    ]  # fmt: skip


def test_the_address_listed_first_is_primary_whatever_the_flag_in_clio():
    # DM-6, DM-8, C-8
    found = Office().assess(1001).profile.addresses
    assert [(a.city, a.primary, a.clio_primary) for a in found] == [
        ("Raleigh", True, False), ("Durham", False, True),
    ]  # fmt: skip
    home = found[0]
    assert (home.kind, home.street, home.state, home.postal_code, home.country) == (
        "Home", "12 Elm St", "NC", "27601", "US",
    )  # fmt: skip


@pytest.mark.parametrize("part", ["street", "city", "province", "postal_code", "country"])
def test_an_address_needs_at_least_one_part(part):
    one_part: dict[str, Any] = {part: " x "}
    found = addresses([Address(kind="Home", city=" "), replace(Address(), **one_part)])
    assert [(a.kind, a.primary) for a in found] == [(None, True)]
    parts = {found[0].street, found[0].city, found[0].state, found[0].postal_code, found[0].country}
    assert parts == {None, "x"}


def test_a_title_that_clio_loses_is_cleared():
    # DM-9
    before = view(None, Office().assess(1001))
    after = view(before, Office().contact(1001, title=None).assess(1001))
    assert after is not None
    change = diff(before, after)
    assert change is not None
    assert change.fields == {"title": ("Teacher", None)}
    assert (change.tags_added, change.tags_removed, change.owner) == ((), (), None)
