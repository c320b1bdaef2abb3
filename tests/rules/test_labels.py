"""Equal labels, their spelling, and restricted tags: TG-21, S7, rows 11, 22."""

import pytest

from app.rules import assess, diff, view
from app.rules.labels import MAX_NOT_GRANTED
from app.rules.results import Category, ContactView, Refusal, Tag
from app.rules.settings import Segment
from app.rules.texts import compared
from tests.rules.builders import CLOSED, Office
from tests.support.values import replace

RELATED = {"scope__include_related": True}


def tag(office: Office, clio_id: int, label: str) -> Tag:
    [found] = [tag for tag in office.assess(clio_id).tags if tag.label == label]
    return found


def of(office: Office, clio_id: int, category: Category) -> list[str]:
    return [tag.label for tag in office.assess(clio_id).tags if tag.category is category]


def test_equal_labels_of_two_categories_are_one_tag_of_the_first():
    # TG-21, row 11
    office = (
        Office().link(207, 1001, " family  LAW").with_settings(tags__relationships__enabled=True)
    )
    found = tag(office, 1001, "Family Law")
    assert found.category is Category.PRACTICE_AREA
    assert [grant.rule for grant in found.grants] == ["practice_area", "relationships"]
    kept = office.matter(201, practice_area=None)
    assert tag(kept, 1001, "family LAW").category is Category.RELATIONSHIP


def test_two_areas_with_one_name_have_the_spelling_of_the_lower_id():
    # row 11
    low, high = {"practice_area_id": 11}, {"practice_area_id": 12}
    office = Office().matter(201, practice_area="FAMILY law", **high)
    office = office.matter(300, client_id=1001, practice_area="Family  Law ", **low)
    assert of(office, 1001, Category.PRACTICE_AREA) == ["Family Law"]


def test_our_own_labels_keep_our_spelling():
    office = (
        Office().link(207, 1001, "active CLIENT").with_settings(tags__relationships__enabled=True)
    )
    assert len(tag(office, 1001, "Active Client").grants) == 2


def test_labels_are_compared_trimmed_collapsed_and_case_folded():
    assert compared("  Straße\t und  Weg ") == compared("STRASSE UND WEG")
    assert compared("a b") != compared("ab")


def test_grants_are_listed_in_one_order_whatever_the_order_of_matters():
    office = Office().matter(300, client_id=1001, practice_area="Family Law", practice_area_id=11)
    found = tag(office, 1001, "Family Law")
    assert [grant.matter_ids for grant in found.grants] == [(201,), (300,)]


def test_a_tag_is_restricted_only_if_all_its_grants_are():
    # S7, row 22: only Ben sees the only matter of 1008
    office = Office().ben_connects()
    marked = {tag.label: tag.restricted for tag in office.assess(1008).tags}
    assert marked == {
        "Clio": False, "Person": False, "Active Client": True, "Client": False,
        "Employment": True, "Personal": False,
    }  # fmt: skip
    assert office.owner(1008) == ("u_ben", "responsible_attorney", 208)
    second = office.matter(300, client_id=1008, practice_area="Employment")
    marked = {tag.label: tag.restricted for tag in second.assess(1008).tags}
    assert not marked["Employment"]
    assert not marked["Active Client"]
    assert [grant.restricted for grant in tag(second, 1008, "Employment").grants] == [True, False]


GROUPS = [
    ("AccountGroup", False),
    ("AdhocGroup", True),
    ("UserGroup", True),
    ("TeamGroup", True),
    (None, False),
]


@pytest.mark.parametrize(("kind", "expected"), GROUPS)
def test_a_matter_in_another_group_than_the_accounts_is_restricted(kind, expected):
    # S7, row 22
    office = Office().matter(201, group_type=kind)
    assert tag(office, 1001, "Family Law").restricted is expected
    related = office.with_settings(**RELATED)
    assert tag(related, 1005, "Related Contacts").restricted is expected
    company = Office().matter(207, group_type=kind)
    assert tag(company, 1007, "Business Law").restricted is expected
    assert not tag(company, 1007, "Company").restricted  # Clio flags the company too
    assert tag(company.contact(2001, is_client=False), 1007, "Company").restricted is expected


def test_tags_from_restricted_matters_only_can_be_withheld():
    # S7
    office = Office().ben_connects().with_settings(restricted_matters__withhold=True)
    assert office.labels(1008) == ["Clio", "Person", "Client", "Personal"]
    refused = {(i.label, i.rule): i for i in office.assess(1008).not_granted}
    assert set(refused) == {("Active Client", "client_status"), ("Employment", "practice_area")}
    assert {item.refusal for item in refused.values()} == {Refusal.RESTRICTED}
    assert office.labels(1001) == Office().labels(1001)


def test_the_number_of_refusals_is_limited():
    office = Office()
    for place in range(60):
        office = office.matter(
            400 + place, client_id=1001, status=CLOSED, practice_area=f"Area {place:02}"
        )
    found = office.assess(1001).not_granted
    assert len(found) == MAX_NOT_GRANTED
    assert [item.label for item in found] == sorted(item.label for item in found)


def test_equal_refusals_are_listed_once():
    office = Office().matter(300, client_id=1001, status=CLOSED, number="00202-Moreno",
                             practice_area=" estate PLANNING")  # fmt: skip
    refused = [item for item in office.assess(1001).not_granted if item.rule == "practice_area"]
    assert len(refused) == 1


def test_a_matter_listed_twice_counts_once():
    office = Office()
    facts = office.facts(1001)
    twice = replace(facts, own_matters=facts.own_matters * 2)
    assert assess(twice, office.firm, office.settings) == office.assess(1001)


NFC, NFD = "Caf\u00e9 Law", "\u200bCafe\u0301  Law\ufeff"


def test_labels_that_differ_only_in_what_cannot_be_seen_are_one_tag():
    # TG-21, row 51
    office = Office().with_settings(tags__relationships__enabled=True).link(207, 1001, NFC)
    office = office.link(210, 1001, NFD).link(206, 1001, "\u2060")
    assert of(office, 1001, Category.RELATIONSHIP) == [NFC]


def test_a_label_that_changes_only_in_what_cannot_be_seen_is_neither_added_nor_removed():
    # TG-21, row 51: also a long one, and one that the user had before
    for old, new in ((NFC, NFD), (NFD, NFC), ("x" * 59 + "\u00e9", "x" * 59 + "e\u0301")):
        plain = Office().with_settings(tags__relationships__enabled=True)
        before = view(None, plain.link(207, 1001, old).assess(1001))
        after = view(before, plain.link(207, 1001, new).assess(1001))
        assert before is not None
        assert after is not None
        change = diff(before, after)
        assert change is None or (change.tags_added, change.tags_removed) == ((), ())
        gone = diff(after, held_without(plain), frozenset({compared(old)}))
        assert gone is not None
        assert gone.tags_removed == ("Related Contacts",)


def held_without(office: Office) -> ContactView:
    found = view(None, office.assess(1001))
    assert found is not None
    return found


def test_a_segment_names_a_label_by_what_can_be_seen_of_it():
    # CS-6, row 51
    for name in ("family\u200b  law", "\ufeffFamily Law", "FAMILY\u00a0LAW"):
        office = Office().with_settings(scope__segment=Segment((name,)))
        assert office.in_scope() == {1001}
        office = Office().with_settings(scope__segment=Segment((), (name,)))
        assert office.assess(1001).scope.reason == "segment"
