"""The owner of a contact: OW-1..11, C-3, C-4, rows 2, 4, 5, 7, 24."""

from typing import Any

import pytest

from app.rules.results import Refusal
from app.rules.settings import OwnerFallback, OwnerSource, Representatives
from tests.rules.builders import ALL_SEVEN, ANN, BEN, CLOSED, DANA, OPEN, PENDING, Office, at, cases

ORIGINATING, PRIMARY = OwnerSource.ORIGINATING_ATTORNEY, OwnerSource.PRIMARY_USER
UNASSIGNED = OwnerFallback.UNASSIGNED
RESPONSIBLE_RULE, ORIGINATING_RULE = "responsible_attorney", "originating_attorney"

CASES = [  # the examples of the rows: contact, settings, owner, rule, matter
    ("OW-1 the responsible attorney", 1001, {}, ("u_ann", RESPONSIBLE_RULE, 201)),
    ("OW-2 the originating attorney", 1001, {"ownership__source": ORIGINATING}, ("u_ben", ORIGINATING_RULE, 201)),
    ("OW-4 the latest matter, pending", 1010, {}, ("u_ben", RESPONSIBLE_RULE, 210)),
    ("OW-4 open ones preferred", 1010, {"ownership__prefer_open": True}, ("u_ann", ORIGINATING_RULE, 209)),
    ("OW-5 the other role of the same matter", 1004, {}, ("u_ann", ORIGINATING_RULE, 206)),
    ("OW-5 the other way round", 1002, {"ownership__source": ORIGINATING}, ("u_ann", RESPONSIBLE_RULE, 203)),
    ("OW-6 a matter that names nobody", 1003, {}, ("u_ben", RESPONSIBLE_RULE, 205)),
    ("OW-8 the primary user", 1008, {}, ("u_off", "fallback", None)),
    ("OW-8 nobody", 1008, {"ownership__fallback": UNASSIGNED}, (None, "unassigned", None)),
    ("OW-10 the company's matters", 1007, {}, ("u_ben", RESPONSIBLE_RULE, 207)),
    ("OW-10 related matters", 1005, {"scope__include_related": True}, ("u_ann", RESPONSIBLE_RULE, 201)),
    ("OW-10 a non-client without matters", 1006, {"scope__include_non_clients": True}, ("u_off", "fallback", None)),
]  # fmt: skip


@pytest.mark.parametrize(("clio_id", "choices", "expected"), cases(CASES))
def test_the_owner_is_found_as_in_the_requirements(clio_id, choices, expected):
    assert Office().with_settings(**choices).owner(clio_id) == expected


def test_the_primary_user_owns_all_seven_contacts_and_no_matter_is_considered():
    # OW-3
    office = Office().with_settings(ownership__source=PRIMARY)
    for clio_id in ALL_SEVEN:
        assert office.owner(clio_id) == ("u_off", "primary_user", None)
        found = office.assess(clio_id)
        assert found.owner is not None
        assert (found.owner.considered, found.owner.detail) == ((), None)
        assert not any(item.refusal is Refusal.ATTORNEY_NOT_MAPPED for item in found.not_granted)


def two(first: dict[str, Any], second: dict[str, Any]) -> Office:
    """Return a firm whose client has two matters: Ann is the attorney of 300, Ben of 301."""
    known = {"client_id": 1006, "status": OPEN, "updated_at": at("2026-01-01")}
    office = Office().contact(1006, is_client=True)
    office = office.matter(300, responsible=ANN, **{**known, **first})
    return office.matter(301, responsible=BEN, **{**known, **second})


TIES = [  # OW-4, row 7
    ("later wins", {"updated_at": at("2026-01-02")}, {}, 300),
    ("a later closed one wins", {"updated_at": at("2026-01-02"), "status": CLOSED}, {}, 300),
    ("open before pending", {}, {"status": PENDING}, 300),
    ("pending before closed", {"status": PENDING}, {"status": CLOSED}, 300),
    ("the higher id", {}, {}, 301),
    ("a time before none", {}, {"updated_at": None}, 300),
    ("no time at all", {"updated_at": None}, {"updated_at": None}, 301),
]


@pytest.mark.parametrize(("first", "second", "expected"), cases(TIES))
def test_the_most_recently_updated_matter_decides(first, second, expected):
    assert two(first, second).owner(1006)[2] == expected


def test_the_higher_id_is_the_higher_number():
    office = Office().contact(1006, is_client=True)
    for clio_id, who in ((99, ANN), (100, BEN)):
        office = office.matter(clio_id, client_id=1006, responsible=who)
    assert office.owner(1006)[2] == 100  # row 7: ids are not compared as text


def test_after_the_open_matters_the_usual_order_applies():
    # row 7
    closed = {"status": CLOSED}
    office = two({**closed, "updated_at": at("2026-01-02")}, closed)
    assert office.with_settings(ownership__prefer_open=True).owner(1006)[2] == 300
    office = two({**closed, "updated_at": at("2026-01-02")}, {})
    assert office.owner(1006)[2] == 300
    assert office.with_settings(ownership__prefer_open=True).owner(1006)[2] == 301


def test_an_unmapped_attorney_does_not_lead_to_an_older_matter():
    # OW-7, C-4
    office = Office().matter(206, originating=None).matter(300, client_id=1004, responsible=BEN)
    found = office.assess(1004)
    assert found.owner is not None
    assert (found.owner.user_id, found.owner.rule) == ("u_off", "fallback")
    assert found.owner.detail == "attorney_not_mapped: Dana Voss (504)"
    assert [considered.matter_id for considered in found.owner.considered] == [206, 300]
    assert found.owner.considered[1].outcome == "not needed: an earlier matter in this list decides"
    unassigned = office.with_settings(ownership__fallback=UNASSIGNED).assess(1004).owner
    assert unassigned is not None
    assert (unassigned.user_id, unassigned.rule) == (None, "unassigned")
    assert unassigned.detail == "attorney_not_mapped: Dana Voss (504)"


def test_explain_names_the_unmapped_and_the_chosen_attorney():
    # S12: 1004 names M206, 504 as unmapped and 501 as chosen
    found = Office().assess(1004)
    assert found.owner is not None
    [considered] = found.owner.considered
    assert considered.matter_id == 206
    assert considered.outcome == (
        "responsible attorney Dana Voss (504) is not an active Levitate user; "
        "originating attorney Ann Harlow (501) is u_ann: decides"
    )
    [refused] = [item for item in found.not_granted if item.refusal is Refusal.ATTORNEY_NOT_MAPPED]
    assert (refused.label, refused.rule) == ("Dana Voss", "responsible_attorney")
    assert refused.why == (
        "Dana Voss (504) is an attorney of 00206-Kaya, but is not an active Levitate user"
    )


def test_two_unmapped_roles_are_both_named():
    office = Office().matter(206, responsible=DANA, originating=DANA, number=None)
    found = office.assess(1004)
    roles = {i.rule for i in found.not_granted if i.refusal is Refusal.ATTORNEY_NOT_MAPPED}
    assert roles == {"responsible_attorney", "originating_attorney"}
    assert any("matter 206" in item.why for item in found.not_granted)


def test_an_attorney_without_a_name_is_named_by_the_id():
    nameless = type(DANA)(504)
    office = Office().matter(206, responsible=nameless, originating=None)
    found = office.assess(1004).owner
    assert found is not None
    assert found.detail == "attorney_not_mapped: Clio user (504)"
    assert "Clio user (504)" in {item.label for item in office.assess(1004).not_granted}


def test_an_inactive_levitate_user_owns_no_contact():
    # OW-7, row 5
    office = Office().with_firm_facts(users=frozenset({"u_ben", "u_off"}))
    assert office.owner(1002) == ("u_off", "fallback", None)
    assert office.owner(1001) == ("u_ben", ORIGINATING_RULE, 201)


@pytest.mark.parametrize("primary", [None, "u_gone"])
def test_without_a_primary_user_there_is_no_owner(primary):
    # row 5
    office = Office().with_firm_facts(primary_user_id=primary)
    for choices in ({}, {"ownership__source": PRIMARY}):
        found = office.with_settings(**choices).assess(1008).owner
        assert found is not None
        assert (found.user_id, found.rule, found.detail) == (
            None,
            "unassigned",
            "primary_user_missing",
        )


def test_the_owner_has_the_reason_for_the_fallback():
    hugo, chloe = Office().assess(1008), Office().without_matters(205).assess(1003)
    assert hugo.owner is not None
    assert hugo.owner.detail == "no_visible_matter"
    assert chloe.owner is not None
    assert chloe.owner.detail == "no_attorney_named"
    assert [considered.outcome for considered in chloe.owner.considered] == ["names no attorney"]


def test_every_matter_considered_is_listed_with_its_outcome():
    found = Office().assess(1003).owner
    assert found is not None
    assert [(c.matter_id, c.status, c.outcome) for c in found.considered] == [
        (204, PENDING, "names no attorney"),
        (205, CLOSED, "responsible attorney Ben Pike (502) is u_ben: decides"),
    ]
    assert found.considered[0].updated_at == at("2026-02-20")


def test_an_owner_does_not_need_a_connection():
    assert Office().owner(1010)[0] == "u_ben"  # OW-9


def test_related_matters_decide_only_for_people_who_are_not_clients():
    # OW-10, row 4
    office = Office().with_settings(scope__include_related=True)
    hugo = office.link(201, 1008, "Spouse")
    assert hugo.owner(1008) == ("u_off", "fallback", None)
    eva = office.matter(201, responsible=None, originating=None)
    assert eva.owner(1005) == ("u_off", "fallback", None)


def test_the_latest_related_matter_decides():
    office = Office().with_settings(scope__include_related=True).link(210, 1005, "Friend")
    assert office.owner(1005) == ("u_ben", RESPONSIBLE_RULE, 210)
    assert office.with_settings(ownership__prefer_open=True).owner(1005)[2] == 201


def test_own_and_company_matters_of_a_representative_decide_together():
    # row 2
    office = Office().matter(300, client_id=1007, responsible=ANN, updated_at=at("2026-03-01"))
    assert office.owner(1007) == ("u_ann", RESPONSIBLE_RULE, 300)
    office = office.matter(300, updated_at=at("2026-01-01"))
    assert office.owner(1007) == ("u_ben", RESPONSIBLE_RULE, 207)
    alone = office.with_settings(tags__company_representatives=Representatives.NONE)
    assert alone.owner(1007) == ("u_ann", RESPONSIBLE_RULE, 300)


STICKY = {"ownership__sticky": True}


def test_a_newly_updated_matter_moves_the_owner():
    # OW-11
    office = Office().matter(202, updated_at=at("2026-03-03"))
    assert office.owner(1001, previous="u_ann") == ("u_ben", RESPONSIBLE_RULE, 202)


def test_sticky_keeps_an_owner_who_is_still_among_the_attorneys():
    # OW-11, row 24
    office = Office().matter(202, updated_at=at("2026-03-03")).with_settings(**STICKY)
    found = office.assess(1001, "u_ann").owner
    assert found is not None
    assert (found.user_id, found.rule, found.matter_id) == ("u_ann", "sticky", 201)
    assert found.detail == "still the responsible attorney of 00201-Moreno"
    assert [considered.matter_id for considered in found.considered] == [202, 201]


STUCK = [
    ("nobody before", None, {}, ("u_ben", RESPONSIBLE_RULE, 202)),
    ("the same as the rules say", "u_ben", {}, ("u_ben", RESPONSIBLE_RULE, 202)),
    ("one whom no matter names", "u_cat", {}, ("u_ben", RESPONSIBLE_RULE, 202)),
    ("the primary user, named by none", "u_off", {}, ("u_ben", RESPONSIBLE_RULE, 202)),
    ("in either role", "u_ann", {"ownership__source": ORIGINATING}, ("u_ann", "sticky", 201)),
    (
        "never with the primary user",
        "u_ann",
        {"ownership__source": PRIMARY},
        ("u_off", "primary_user", None),
    ),
]


@pytest.mark.parametrize(("previous", "choices", "expected"), cases(STUCK))
def test_sticky_keeps_only_owners_whom_the_matters_name(previous, choices, expected):
    office = Office().matter(202, updated_at=at("2026-03-03"))
    assert office.with_settings(**STICKY, **choices).owner(1001, previous) == expected


def test_sticky_does_not_keep_an_owner_who_left_levitate():
    office = Office().matter(202, updated_at=at("2026-03-03")).with_settings(**STICKY)
    office = office.with_firm_facts(users=frozenset({"u_ben", "u_off"}))
    assert office.owner(1001, previous="u_ann")[0] == "u_ben"


def test_sticky_also_applies_before_the_fallback():
    office = Office().matter(206, originating=None).matter(300, client_id=1004, responsible=BEN)
    assert office.with_settings(**STICKY).owner(1004, "u_ben") == ("u_ben", "sticky", 300)
