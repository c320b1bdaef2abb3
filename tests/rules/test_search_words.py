"""The words by which people are found [row 51]."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules import search_words
from app.rules.records import Email, Phone
from app.rules.results import Company
from app.rules.search_words import (
    MOST_CHARACTERS,
    MOST_TERMS,
    MOST_WORDS,
    after_all,
    has_terms,
    may_differ_in_words,
    parse_search,
    words_of_profile,
    words_of_record,
)
from app.rules.texts import compared
from tests.rules.builders import Office, person
from tests.support.values import replace

ANNA = person(
    4711,
    first_name="Anna-Lena",
    middle_name="  José\u200b",
    last_name="O’Brien",
    company_name="Northwind Bakery, LLC",
    emails=(Email("Anna.OBrien@mail.Northwind.test"), Email("home@x.test")),
    phones=(Phone("919 555 0102 ext. 77"), Phone("+44 20 7946 0958"), Phone("call 5-12")),
)

FOUND = [
    *("a", "anna", "ANNA-LENA", "lena", "josé", "JOSE\u0301", "o'brien", "O\u2019Brien", "brien"),
    *("northwind", "bakery llc", "Northwind Bakery, LLC", "lena o'br north", "anna brien"),
    *("anna.obrien@mail.northwind.test", "anna.o", "anna.obrien@", "mail.northwind.test", "x.test"),
    *("@x.test", "home@x.test", "<home@x.test>", "HOME"),
    *(
        "+1 919",
        "1919555",
        "919",
        "(919) 555-0102",
        "9195550102",
        "+19195550102",
        "0102",
        "5550102",
    ),
    *(
        "919 555",
        "anna 919 555 0102",
        "4420",
        "0044 20 7946 0958",
        "020 7946 0958",
        "20794",
        "0958",
    ),
    *("512", "4711", "4711 anna"),
]
NOT_FOUND = [
    *("nna", "ena", "jose", "obrien", "anna smith", "bakery inc", "northwind.test", "47", "47110"),
    *("102", "77", "555", "19195550103", "&", "...", "home@x.test y", "#2010", "=no_email"),
]


@pytest.mark.parametrize("q", FOUND)
def test_a_person_is_found(q: str):
    assert has_terms(words_of_record(ANNA, "US"), 4711, parse_search(q, "US")), words_of_record(
        ANNA, "US"
    )


@pytest.mark.parametrize("q", NOT_FOUND)
def test_a_person_is_not_found(q: str):
    terms = parse_search(q, "US")
    assert not terms or not has_terms(words_of_record(ANNA, "US"), 4711, terms)


def test_signs_alone_are_no_term():
    assert parse_search(" & ... - () ", "US") == ()


def test_a_company_is_found_by_its_name_and_a_person_by_a_name_in_one_piece():
    company = replace(person(1, first_name=None, last_name=None), is_person=False)
    company = replace(company, name="Smith & Jones")
    assert words_of_record(company, "US") == {"smith", "jones"}
    whole = person(1, name="Cher de Sá", first_name=None, last_name=None, emails=())
    assert words_of_record(whole, "US") == {"cher", "de", "sá"}


def test_a_number_without_country_code_belongs_to_the_country():
    one = person(1, first_name=None, last_name=None, phones=(Phone("020 7946 0958"),))
    assert words_of_record(one, "GB") == {"2079460958", "#859064970244"}
    assert words_of_record(one, "US") == {"02079460958", "#85906497020"}


@pytest.mark.parametrize("country", ["US", "GB", "DE", "ZZ"])
@pytest.mark.parametrize(
    "q", ["+1 919", "1919555", "+4420794", "0044 20 79", "20 79460958", "0958"]
)
def test_a_valid_number_is_found_with_its_country_code_in_an_account_of_any_country(
    country: str, q: str
):
    phones = (Phone("+1 919 555 0102"), Phone("+44 20 7946 0958"))
    one = person(1, first_name=None, last_name=None, phones=phones)
    assert has_terms(words_of_record(one, country), 1, parse_search(q, country))


def test_versions_that_differ_elsewhere_need_no_words():
    assert not may_differ_in_words(ANNA, replace(ANNA, title="Judge", custom_values=()))
    assert may_differ_in_words(ANNA, replace(ANNA, phones=()))
    assert may_differ_in_words(ANNA, replace(ANNA, company_name="Southwind"))


def test_a_person_is_found_by_what_is_published():
    profile = replace(Office().assess(1001).profile, company=Company(1, "Renamed Works"))
    assert {"alice", "moreno", "renamed", "works", "9195550102"} <= words_of_profile(profile, "US")


def test_words_are_bounded():
    many = person(
        1,
        first_name="x" * 1000,
        last_name="-".join("ab" * 500),
        emails=tuple(Email(f"m{n}@d{n}.test") for n in range(2000)),
    )
    words = words_of_record(many, "US")
    assert len(words) == MOST_WORDS
    assert max(map(len, words)) == MOST_CHARACTERS
    assert {"m0@d0.test", "d0.test"} <= words
    two_hundred = person(1, emails=tuple(Email(f"m{n}@d{n}.test") for n in range(200)))
    assert {"m199@d199.test", "d199.test"} <= words_of_record(two_hundred, "US")
    assert has_terms(words, 1, parse_search("x" * 1000, "US"))
    terms = parse_search(" ".join(f"{n:03}abc" for n in range(99)), "US")
    assert len(terms) == MOST_TERMS


@given(st.text(st.characters(exclude_categories=["Nd", "Cs"]), max_size=80))
def test_every_name_is_found_by_itself_and_by_its_beginning(name: str):
    words = words_of_record(person(1, first_name=name, last_name="x"), "US")
    assert has_terms(words, 2, parse_search(name, "US"))
    assert all(word < after_all(word[:1]) for word in words)
    for word in search_words.words_of_record(person(1, first_name=name, last_name=None), "US"):
        assert not word.startswith(("#", "="))
        assert word == compared(word) or len(word) == MOST_CHARACTERS
