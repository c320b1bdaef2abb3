"""The parts of an assessment that a login may be shown [API-30, T10]."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import encode

from app.rules import assess, view
from app.rules.facts import ContactFacts
from app.rules.records import Address, Attorney, CustomValue, Email, MatterRecord, Phone
from app.rules.results import Assessment, Owner
from app.rules.settings import OwnerSource
from app.rules.shown import content_of
from app.rules.visible_parts import (
    NOT_SHOWN,
    REASON_NOT_SHOWN,
    Seen,
    named_matters,
    visible_assessment,
    visible_view,
)
from tests.rules.builders import Office, cases
from tests.rules.generators import FIRMS, SETTINGS, USERS, all_facts
from tests.support.values import replace

TOKEN = re.compile(r"([a-z_]+)-(\d+)z", re.IGNORECASE)


def told(matter: MatterRecord) -> MatterRecord:
    """Return the matter with texts that no other record has."""
    n = matter.clio_id
    return replace(
        matter,
        number=f"number-{n}z",
        practice_area=f"area-{n}z",
        practice_area_category=None,
        stage=f"stage-{n}z",
        responsible=Attorney(501, f"responsible-{n}z") if matter.responsible else None,
        originating=Attorney(502, f"originating-{n}z") if matter.originating else None,
    )


def with_tokens(facts: ContactFacts) -> ContactFacts:
    """Return the facts with texts that say of which matter, or of which field of the contact, they are."""
    contact = replace(
        facts.contact,
        middle_name="middle_name-1z",
        prefix="prefix-1z",
        title="title-1z",
        company_id=2,
        company_name="company_name-2z",
        emails=(Email("emails-1z@mail.test"),),
        phones=(Phone("phones-1z"),),
        addresses=(Address("addresses-1z", city="addresses-1z"),),
        custom_values=(CustomValue(5, "custom_values-5z"), CustomValue(7, "custom_values-7z")),
    )
    links = [
        replace(link, matter=told(link.matter), description=f"role-{link.matter.clio_id}z")
        for link in facts.related_matters
    ]
    return replace(
        facts,
        contact=contact,
        company=replace(facts.company, name="company_name-2z") if facts.company else None,
        own_matters=tuple(map(told, facts.own_matters)),
        company_matters=tuple(map(told, facts.company_matters)),
        related_matters=tuple(links),
    )


def tokens(*shown: Any) -> set[tuple[str, int]]:
    text = " ".join(encode(one).decode() for one in shown)
    return {(kind.lower(), int(number)) for kind, number in TOKEN.findall(text)}


def ids_in(found: Assessment) -> set[int]:
    return named_matters(found)


@given(
    all_facts(), FIRMS, SETTINGS, st.none() | USERS, st.frozensets(st.integers(201, 208)), st.data()
)
def test_nothing_that_is_shown_comes_from_a_matter_or_a_field_that_is_not_seen(
    facts, firm, chosen, previous, matters, data
):
    facts = with_tokens(facts)
    found = assess(facts, firm, chosen, previous)
    fields = data.draw(st.sets(st.sampled_from(sorted(content_of(facts.contact)))))
    sees_company = data.draw(st.booleans())
    seen = Seen(matters, frozenset({2} if sees_company else ()), frozenset(fields))
    shown = visible_assessment(found, seen)
    stored = view(None, found)
    shown_view = visible_view(stored, shown, seen) if stored else None
    assert ids_in(shown) <= matters
    for kind, number in tokens(shown, shown_view):
        if number > 200:
            assert number in matters, (kind, number)
        elif kind == "company_name":
            company_matter = any(one.clio_id in matters for one in facts.company_matters)
            assert sees_company or kind in fields or company_matter
        elif kind == "custom_values":
            assert f"custom_values.{number}" in fields
        else:
            assert kind in fields


@given(all_facts(), FIRMS, SETTINGS, st.none() | USERS)
def test_a_login_that_sees_everything_is_shown_everything(facts, firm, chosen, previous):
    found = assess(facts, firm, chosen, previous)
    everything = Seen(frozenset(range(201, 209)), frozenset({2}), None, whole=True)
    assert visible_assessment(found, everything) == found


@pytest.mark.parametrize(
    ("clio_id", "office", "matters", "expected"),
    cases(
        [
            ("seen", 1001, Office(), {201}, ("u_ann", "responsible_attorney", 201, None)),
            ("hidden", 1001, Office(), {202}, ("u_ann", NOT_SHOWN, None, None)),
            (
                "no attorney is named, one matter is seen", 1003,
                Office().without_matters(205), {204}, ("u_off", "fallback", None, "no_attorney_named"),
            ),
            ("no attorney is named, no matter is seen", 1003, Office().without_matters(205), set(),
             ("u_off", NOT_SHOWN, None, None)),
            (
                "an attorney who is no user, in a matter that is hidden", 1004,
                Office().matter(206, originating=None).matter(299, client_id=1004), {299},
                ("u_off", NOT_SHOWN, None, None),
            ),
            ("no matter", 1008, Office(), set(), ("u_off", "fallback", None, "no_visible_matter")),
            (
                "chosen by the settings", 1001, Office().with_settings(ownership__source=OwnerSource.PRIMARY_USER),
                set(), ("u_off", "primary_user", None, None),
            ),
        ]
    ),
)  # fmt: skip
def test_the_reason_of_an_owner_is_shown_with_the_matter_that_decided(
    clio_id: int, office: Office, matters: set[int], expected: tuple[object, ...]
):
    found = visible_assessment(office.assess(clio_id), Seen(frozenset(matters))).owner
    assert isinstance(found, Owner)
    assert (found.user_id, found.rule, found.matter_id, found.detail) == expected
    assert {one.matter_id for one in found.considered} <= matters


def test_a_grant_of_several_matters_names_those_that_are_seen():
    (tag,) = [
        tag
        for tag in visible_assessment(Office().assess(1001), Seen(frozenset({202}))).tags
        if tag.label == "Client"
    ]
    assert [(grant.matter_ids, grant.because) for grant in tag.grants] == [
        ((), "This person is marked as a client in Clio"),
        ((202,), "By these matters in Clio: 202"),
    ]


def test_a_representative_is_explained_to_those_who_see_the_company_or_its_matter():
    found = Office().assess(1007)
    by_company = visible_assessment(found, Seen(contacts=frozenset({2001}), fields=frozenset()))
    by_matter = visible_assessment(found, Seen(matters=frozenset({207}), fields=frozenset()))
    by_none = visible_assessment(found, Seen(fields=frozenset()))
    labels = [{tag.label for tag in one.tags} for one in (by_company, by_matter, by_none)]
    assert "Company" in labels[0]
    assert {"Company", "Active Client", "Business Law"} <= labels[1]
    assert labels[2] == {"Clio", "Person"}


@pytest.mark.parametrize(
    ("clio_id", "office", "shown"),
    cases(
        [
            ("flag", 1001, Office(), True),
            ("matter", 1001, Office().contact(1001, is_client=False), False),
            ("company", 1007, Office(), False),
            ("related", 1005, Office().with_settings(scope__include_related=True), False),
            ("role", 1009, Office().with_settings(scope__include_related=True), False),
            ("is a company", 2001, Office(), True),
            ("others", 1006, Office().with_settings(scope__include_non_clients=True), True),
            ("nobody", 1006, Office(), False),
        ]
    ),
)
def test_the_scope_is_explained_if_the_reason_is_in_the_contacts_own_record(
    clio_id: int, office: Office, shown: bool
):
    found = office.assess(clio_id)
    scope = visible_assessment(found, Seen()).scope
    assert scope.in_scope == found.scope.in_scope
    if shown:
        assert scope == found.scope
    else:
        assert (scope.rule, scope.detail, scope.reason) == (NOT_SHOWN, REASON_NOT_SHOWN, None)
    assert visible_assessment(found, Seen(whole=True)).scope == found.scope


def test_what_was_not_granted_is_shown_to_those_who_see_all_matters():
    found = Office().assess(1004)
    assert found.not_granted
    assert not visible_assessment(found, Seen(frozenset({206}))).not_granted
    assert visible_assessment(found, Seen(frozenset({206}), whole=True)).not_granted == (
        found.not_granted
    )
