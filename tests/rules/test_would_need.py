"""Tests of what would bring a person into scope [CS-8]."""

import pytest
from hypothesis import given

from app.rules import assess
from app.rules.facts import ContactFacts, Departed
from app.rules.records import CustomValue
from app.rules.settings import Representatives, Segment, Settings
from app.rules.would_need import would_need
from tests.rules.builders import FIRM, Office, cases, person
from tests.rules.generators import FIRMS, SETTINGS, all_facts
from tests.support.values import replace

JUDGE, SPOUSE = ("Judge",), ("Spouse",)
WITHOUT_NAME = {"name": None, "first_name": None, "last_name": None}
CASES = [
    # what is tried: whether a client, roles, settings, the setting's pointers, what must change in Clio
    ("a client", True, (), {}, [], []),
    ("nobody", False, (), {}, ["/scope/include_non_clients"], ["client"]),
    (
        "related", False, SPOUSE, {},
        ["/scope/include_non_clients", "/scope/include_related"], ["client"],
    ),
    (
        "an excluded role", False, JUDGE, {"scope__include_related": True},
        ["/scope/related_role_exclude"], ["client"],
    ),
    (
        "an excluded role, of a firm that includes others", False, JUDGE,
        {"scope__include_non_clients": True}, ["/scope/related_role_exclude"], ["client", "role"],
    ),
    (
        "an excluded role, and related people are not included", False, JUDGE, {},
        ["+/scope/include_related", "+/scope/related_role_exclude"], ["client"],
    ),
    (
        "another segment", True, (), {"scope__segment": Segment(include_any=("Golf",))},
        ["/scope/segment"], [],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("is_client", "roles", "chosen", "pointers", "in_clio"), cases(CASES))
def test_what_would_bring_a_person_in(is_client, roles, chosen, pointers, in_clio):
    office = Office().contact(1, name="A B", is_client=is_client)
    for role in roles:
        office = office.link(207, 1, role)
    office = office.with_settings(**chosen)
    needs = would_need(office.facts(1), office.firm, office.settings)
    named = [("" if need.alone else "+") + (need.setting or need.clio or "") for need in needs]
    assert sorted(named) == sorted([*pointers, *in_clio])
    assert all(need.detail for need in needs)
    assert all((need.setting is None) != (need.clio is None) for need in needs)


def test_an_opted_out_client_needs_the_box_unticked_or_another_setting():
    facts = ContactFacts(replace(person(1, "A B"), is_client=True))
    facts = replace(facts, contact=replace(facts.contact, custom_values=(CustomValue(7, "true"),)))
    chosen = replace(Settings(), scope=replace(Settings().scope, opt_out_field_id=7))
    needs = would_need(facts, FIRM, chosen)
    assert [need.setting or need.clio for need in needs] == ["/scope/opt_out_field_id", "opt_out"]


def test_a_client_without_a_name_and_an_address_needs_one():
    facts = ContactFacts(replace(person(1, None), is_client=True, **WITHOUT_NAME))
    assert [need.clio for need in would_need(facts, FIRM, Settings())] == ["name"]


def test_two_obstacles_of_two_kinds_are_named_together():
    # a person without a name who is no client: no setting alone, and in Clio only both together
    facts = ContactFacts(replace(person(1, None), **WITHOUT_NAME))
    needs = would_need(facts, FIRM, Settings())
    assert [(need.clio, need.alone) for need in needs] == [("client", False), ("name", False)]


def test_a_deleted_client_needs_to_be_restored():
    facts = replace(
        ContactFacts(replace(person(1, "A B"), is_client=True)),
        departed=Departed("removed_in_clio"),
    )
    assert [need.clio for need in would_need(facts, FIRM, Settings())] == ["contact"]


def test_the_people_of_a_company_may_need_the_setting_of_representatives():
    company = replace(person(2, "Bakery"), is_person=False, is_client=True)
    facts = ContactFacts(replace(person(1, "A B"), company_id=2), company=company)
    tags = replace(Settings().tags, company_representatives=Representatives.NONE)
    needs = would_need(facts, FIRM, replace(Settings(), tags=tags))
    assert [need.setting or need.clio for need in needs] == [
        "/scope/include_non_clients", "/tags/company_representatives", "client",
    ]  # fmt: skip


def test_a_company_is_never_synced_whatever_changes():
    facts = ContactFacts(replace(person(1, "Bakery"), is_person=False))
    assert would_need(facts, FIRM, Settings()) == ()


@given(all_facts(), FIRMS, SETTINGS)
def test_only_people_outside_the_scope_need_anything(facts, firm, chosen):
    needs = would_need(facts, firm, chosen)
    assert not (needs and assess(facts, firm, chosen).scope.in_scope)
    together = [need for need in needs if not need.alone]
    assert len(together) != 1
    if facts.contact.is_person and facts.departed is None:
        assert needs or assess(facts, firm, chosen).scope.in_scope
