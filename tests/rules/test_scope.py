"""Tests of the scope of contacts: CS-1..8, DM-10, S8, and the scope's truth table of requirements.md section 12."""

import time

import pytest

from app.rules import assess
from app.rules.facts import ContactFacts
from app.rules.records import CustomValue, Email
from app.rules.results import Refusal
from app.rules.scope import role_pattern
from app.rules.settings import Representatives, Segment
from tests.rules.builders import ALL_SEVEN, CLOSED, FIRM, PENDING, Office, cases, person

ROLE_LIST = ("opposing*", "adverse*", "judge", "witness")
NOBODY = person(1, "No Body")


def reason(office: Office, clio_id: int) -> str | None:
    return office.assess(clio_id).scope.reason


# The truth table: client, related (role), and whether include_related and include_non_clients include the person.
TRUTH = [
    ("client", "client", None, (True, True, True, True)),
    ("client with an excluded role", "client", "Judge", (True, True, True, True)),
    ("related", "nobody", "Spouse", (False, True, True, True)),
    ("related in an excluded role", "nobody", "Judge", (False, False, False, False)),
    ("neither", "nobody", None, (False, False, True, True)),
]
SWITCHES = [(False, False), (True, False), (False, True), (True, True)]


@pytest.mark.parametrize(("who", "role", "expected"), cases(TRUTH))
def test_the_scope_follows_its_truth_table(who, role, expected):
    # CS-1, CS-2, CS-3, CS-4, C-9
    office = Office().contact(1, name="A B", is_client=who == "client")
    office = office.link(207, 1, role) if role else office
    found = [
        office.with_settings(scope__include_related=related, scope__include_non_clients=non_clients)
        .assess(1)
        .scope.in_scope
        for related, non_clients in SWITCHES
    ]
    assert tuple(found) == expected


def test_a_flagged_client_without_a_visible_matter_is_in():
    assert Office().assess(1008).scope.rule == "clients"  # CS-1


def test_a_matter_of_ones_own_makes_a_client_with_or_without_the_flag():
    for status in (PENDING, CLOSED):
        office = Office().contact(1006).matter(300, client_id=1006, status=status)
        assert office.assess(1006).scope.in_scope  # CS-1, TG-5


def test_the_setting_includes_non_clients_except_those_with_excluded_roles():
    # CS-3
    office = Office().with_settings(scope__include_non_clients=True)
    assert office.in_scope() == {*ALL_SEVEN, 1005, 1006}
    assert office.labels(1006) == ["Clio", "Person", "Personal"]
    assert reason(office, 1009) == "role_excluded"
    assert 1009 in office.with_settings(scope__related_role_exclude=()).in_scope()


def test_the_setting_includes_related_people():
    # CS-4
    office = Office().with_settings(scope__include_related=True)
    assert office.in_scope() == {*ALL_SEVEN, 1005}
    found = office.assess(1009)
    assert (found.scope.rule, found.scope.reason) == ("related_role_exclude", "role_excluded")
    assert "Opposing Counsel in 00201-Moreno" in found.scope.detail
    assert [(item.rule, item.refusal) for item in found.not_granted] == [
        ("related_role_exclude", Refusal.ROLE_EXCLUDED)
    ]
    assert 1009 in office.with_settings(scope__related_role_exclude=()).in_scope()


def test_an_excluded_role_on_any_matter_excludes_a_non_client():
    # row 1
    office = Office().with_settings(scope__include_related=True).link(203, 1005, "Adverse party")
    assert reason(office, 1005) == "role_excluded"
    assert office.contact(1005, is_client=True).assess(1005).scope.in_scope


def test_a_matter_that_no_login_sees_relates_nobody():
    office = Office().with_settings(scope__include_related=True).without_matters(201)
    assert reason(office, 1005) == "not_a_client"


ROLES = [  # row 1: pattern, role, whether it matches
    ("opposing*", "Opposing Counsel", True),
    ("opposing*", "  OPPOSING  ", True),
    ("opposing*", "Not opposing", False),
    ("*counsel", "Opposing Counsel", True),
    ("*o*n*", "Opposing Counsel", True),
    ("judge", "Judge", True),
    ("judge", "Judge's clerk", False),
    (" Judge ", "judge", True),
    ("STRASSE", "straße", True),
    ("j?dge", "judge", False),
    ("[j]udge", "judge", False),
    ("[j]udge", "[j]udge", True),
    ("a.c", "abc", False),
    ("*", "", True),
    ("*", "anybody", True),
    ("**", "", False),
    ("", "", False),
    ("judge", "", False),
    ("witness*", "witness\nfor the state", True),
]


@pytest.mark.parametrize(("pattern", "role", "expected"), ROLES)
def test_only_the_star_is_special_in_a_role_pattern(pattern, role, expected):
    assert role_pattern((pattern,))(role) is expected


def test_an_empty_list_excludes_nobody():
    assert not role_pattern(())("judge")
    assert not role_pattern(())("")


def test_only_the_star_excludes_a_relationship_without_description():
    office = (
        Office()
        .with_settings(scope__include_related=True)
        .link(201, 1, None)
        .contact(1, name="A B")
    )
    assert office.assess(1).scope.detail == "This person is related to 00201-Moreno (related)"
    found = (
        office.with_settings(scope__related_role_exclude=("*",)).matter(201, number=None).assess(1)
    )
    assert (
        found.scope.detail
        == "This person has a relationship without a description in matter 201; the settings exclude this role"
    )


def test_many_stars_do_not_make_a_pattern_slow():
    began = time.process_time()  # the load of the machine does not count
    assert not role_pattern(("*a" * 12 + "b",))("a" * 5000)
    assert time.process_time() - began < 1


def test_companies_are_never_contacts_but_their_people_can_be():
    # CS-7, C-6
    for office in (Office(), Office().with_settings(scope__include_non_clients=True)):
        assert reason(office, 2001) == "not_a_client"
        assert office.assess(2001).scope.rule == "company"
    assert "Company" in Office().labels(1007)


def test_a_contact_that_clio_does_not_call_a_person_is_out():
    assert not Office().contact(1001, is_person=None).assess(1001).scope.in_scope  # CS-7


def test_only_the_primary_email_is_kept_if_the_firm_wants_that():
    # CS-5
    office = Office().with_settings(scope__primary_email_only=True)
    assert [mail.address for mail in office.assess(1001).profile.emails] == ["alice@home.test"]
    unflagged = office.contact(1001, emails=(Email("first@x.test"), Email("second@x.test")))
    assert [mail.address for mail in unflagged.assess(1001).profile.emails] == ["first@x.test"]
    assert office.assess(1010).scope.in_scope
    assert office.assess(1010).profile.emails == ()
    assert len(Office().assess(1001).profile.emails) == 2


SEGMENTS = [  # CS-6; labels compare as TG-21 says
    ("none chosen", Segment(), set(ALL_SEVEN)),
    ("one included", Segment(("Family Law",)), {1001}),
    ("spelled otherwise", Segment(("  family   LAW ",)), {1001}),
    ("any of two", Segment(("Family Law", "Business Law")), {1001, 1007}),
    ("excluded", Segment((), ("past client",)), set(ALL_SEVEN) - {1002}),
    ("exclusion wins", Segment(("Active Client",), ("Company",)), {1001, 1010}),
    ("not switched on", Segment(("Raleigh",)), set()),
]


@pytest.mark.parametrize(("segment", "expected"), cases(SEGMENTS))
def test_a_segment_keeps_contacts_with_its_tags(segment, expected):
    office = Office().with_settings(scope__segment=segment)
    assert office.in_scope() == expected
    assert {reason(office, clio_id) for clio_id in set(ALL_SEVEN) - expected} <= {"segment"}


def test_a_segment_names_the_tag_that_excludes_a_contact():
    found = Office().with_settings(scope__segment=Segment((), ("PERSONAL",))).assess(1001)
    assert found.scope.detail == "The segment excludes the tag Personal"
    assert (found.tags, found.owner, found.key_facts, found.client) == ((), None, (), None)
    wanted = Office().with_settings(scope__segment=Segment(("Gold", "Silver"))).assess(1001)
    assert wanted.scope.detail == "This person has none of the segment's tags: Gold, Silver"


def test_a_segment_sees_tags_that_are_switched_on_only():
    office = Office().with_settings(scope__segment=Segment(("Raleigh",)))
    assert office.with_settings(tags__location__city=True).in_scope() == {1001}  # CS-6


EXCLUSIONS = [  # CS-8, row 23: the check that excludes a person now
    ("the related switch", 1005, {}, "settings"),
    ("no relationship, no matter", 1006, {}, "not_a_client"),
    ("an excluded role", 1009, {}, "role_excluded"),
    (
        "no representatives",
        1007,
        {"tags__company_representatives": Representatives.NONE},
        "settings",
    ),
    ("a segment", 1001, {"scope__segment": Segment(("x",))}, "segment"),
    ("the opt-out field", 1001, {"scope__opt_out_field_id": 1}, "opt_out"),
]


@pytest.mark.parametrize(("clio_id", "choices", "expected"), cases(EXCLUSIONS))
def test_the_reason_is_the_first_check_that_excludes_a_contact(clio_id, choices, expected):
    assert reason(Office().with_settings(**choices), clio_id) == expected


def test_a_client_without_name_and_email_is_out():
    # DM-10
    bare = {"name": " ", "first_name": None, "last_name": "", "emails": (Email(" "),)}
    office = Office().contact(1001, **bare)
    assert reason(office, 1001) == "no_name_or_email"
    assert office.contact(1001, **{**bare, "name": "Alice"}).assess(1001).scope.in_scope
    assert office.contact(1001, **{**bare, "emails": (Email("a@b.c"),)}).assess(1001).scope.in_scope


TRUE = (True, "true", "1", "Yes", " YES ", 1, 1.0)
FALSE = (False, "false", "0", "No", "", 0, 2, None)
TICKS = [*((value, True) for value in TRUE), *((value, False) for value in FALSE)]


@pytest.mark.parametrize(("value", "out"), TICKS)
def test_a_checked_opt_out_field_excludes_a_contact(value, out):
    # S8, and every spelling of a checkbox in clio.md §16.6
    office = Office().with_settings(scope__opt_out_field_id=1)
    office = office.contact(1001, custom_values=(CustomValue(1, value),))
    assert reason(office, 1001) == ("opt_out" if out else None)


def test_an_opt_out_names_the_field_and_counts_after_the_field_is_deleted():
    # S8: nobody gets mailings again because a field was deleted
    office = Office().with_settings(scope__opt_out_field_id=1)
    assert office.assess(1001).scope.detail == "The opt-out field “Newsletter OK” is ticked in Clio"
    gone = office.with_firm_facts(fields={}).contact(
        1001, custom_values=(CustomValue(1, value=True, soft_deleted=True),)
    )
    assert gone.assess(1001).scope.detail == "The opt-out field “field 1” is ticked in Clio"
    assert reason(office, 1002) is None


def test_the_opt_out_is_checked_only_for_contacts_that_would_be_in():
    office = Office().contact(1006, custom_values=(CustomValue(1, value=True),))
    assert reason(office.with_settings(scope__opt_out_field_id=1), 1006) == "not_a_client"


def test_a_contact_without_data_is_out():
    found = assess(ContactFacts(NOBODY), FIRM, Office().settings)
    assert (found.scope.in_scope, found.scope.reason) == (False, "not_a_client")
