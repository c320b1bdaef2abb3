"""Tests of several views of one record: S3, F19, DM-9. A redacted or stripped value is not empty."""

from typing import Any

import pytest

from app.rules import merge_contact, merge_matter, merge_relationship
from app.rules.records import (
    Address,
    Attorney,
    ContactRecord,
    CustomValue,
    Email,
    Phone,
    RelationshipRecord,
)
from tests.rules.builders import ALICE, ANN, BEN, CLOSED, MATTERS, OPEN, at, cases
from tests.support.values import field_names, replace

OLD, NOW, NEW = at("2026-02-28"), at("2026-03-01"), at("2026-03-02")
STRIPPED = tuple(CustomValue(field_id, stripped=True) for field_id in range(1, 8))
REDACTED = ContactRecord(1001, is_person=None)
KNOWN = replace(ALICE, company_id=2001, company_name="Northwind")
M201 = MATTERS[201]


def contact(known: ContactRecord | None, full_view: bool = False, **seen: Any) -> ContactRecord:
    view = ContactRecord(1001, **{"is_person": True, "updated_at": NOW, **seen})
    return merge_contact(known, view, full_view=full_view)


def test_a_new_record_is_stored_as_seen():
    assert merge_contact(None, ALICE, full_view=False) == ALICE
    assert merge_matter(None, M201, full_view=False) == M201
    link = RelationshipRecord(301, 201, 1005, "Spouse")
    assert merge_relationship(None, link, full_view=False) == link


@pytest.mark.parametrize("full_view", [True, False])
def test_an_older_view_changes_nothing(full_view):
    seen = replace(ALICE, title="Clerk", updated_at=OLD, custom_values=(CustomValue(5, "Al"),))
    assert merge_contact(ALICE, seen, full_view=full_view) == ALICE
    assert (
        merge_matter(M201, replace(M201, status=CLOSED, updated_at=OLD), full_view=full_view)
        == M201
    )


@pytest.mark.parametrize("updated", [NOW, NEW, None])
def test_a_full_view_replaces_the_record(updated):
    # DM-9: an empty value in Clio clears the field
    seen = replace(
        ALICE, title=None, emails=(), is_client=False, custom_values=(), updated_at=updated
    )
    assert merge_contact(ALICE, seen, full_view=True) == seen


def test_a_restricted_view_without_addresses_removes_none():
    # S3: u_cat sees 1001 without e-mails
    found = contact(ALICE, name="Alice Moreno", updated_at=NEW)
    assert found == replace(ALICE, updated_at=NEW)


def test_a_newer_restricted_view_sets_what_it_shows():
    found = contact(
        ALICE,
        title="Judge",
        emails=(Email("new@x"),),
        updated_at=NEW,
        custom_values=(CustomValue(5, "Al"),),
    )
    assert (found.title, found.emails, found.phones) == ("Judge", (Email("new@x"),), ALICE.phones)
    values = {value.field_id: value.value for value in found.custom_values}
    assert values == {**{v.field_id: v.value for v in ALICE.custom_values}, 5: "Al"}
    assert found.updated_at == NEW


@pytest.mark.parametrize("updated", [NOW, None])
def test_a_restricted_view_that_is_not_newer_only_fills_gaps(updated):
    gaps = replace(
        ALICE, title=None, emails=(), is_client=False, custom_values=ALICE.custom_values[:2]
    )
    seen = replace(ALICE, name="A. M.", updated_at=updated)
    assert merge_contact(gaps, seen, full_view=False) == ALICE
    partial = replace(seen, emails=ALICE.emails[:1], custom_values=(CustomValue(5, "Al"),))
    assert merge_contact(ALICE, partial, full_view=False) == ALICE


def test_a_restricted_view_of_a_record_without_a_time_counts_as_newer():
    known = replace(ALICE, updated_at=None)
    assert contact(known, title="Judge", updated_at=None).title == "Judge"
    assert contact(known, title="Judge", updated_at=NOW).title == "Judge"


@pytest.mark.parametrize("full_view", [True, False])
@pytest.mark.parametrize("updated", [NOW, NEW, None])
def test_a_redacted_contact_clears_nothing(full_view, updated):  # F19
    seen = replace(REDACTED, updated_at=updated, created_at=OLD)
    assert merge_contact(ALICE, seen, full_view=full_view) == ALICE


def test_a_contact_first_seen_redacted_is_filled_later():
    first = merge_contact(None, REDACTED, full_view=False)
    assert merge_contact(first, ALICE, full_view=False) == ALICE
    company = ContactRecord(1001, is_person=False, name="Bakery")
    assert merge_contact(first, company, full_view=False).is_person is False


@pytest.mark.parametrize("full_view", [True, False])
def test_the_type_of_a_contact_stays_known(full_view):
    company = ContactRecord(2001, is_person=False, name="Bakery", updated_at=NOW)
    seen = ContactRecord(2001, is_person=None, name="Bakery", updated_at=NEW)
    assert merge_contact(company, seen, full_view=full_view).is_person is False
    turned = ContactRecord(2001, is_person=True, name="Bakery", updated_at=NEW)
    assert merge_contact(company, turned, full_view=full_view).is_person is True


STRIPS = [  # clio.md §16.6: a full view with stripped content; a cleared value is absent
    ("all stripped", STRIPPED, ALICE.custom_values),
    ("stripped, its field not named", (CustomValue(0, stripped=True),), ALICE.custom_values),
    ("one stripped, the others cleared", (CustomValue(5, stripped=True),), (CustomValue(5, "Allie"),)),
    ("one stripped, one set", (CustomValue(5, stripped=True), CustomValue(1, "true")),
     (CustomValue(1, "true"), CustomValue(5, "Allie"))),
    ("stripped and never known", (CustomValue(99, stripped=True),), ()),
    ("all cleared", (), ()),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "expected"), cases(STRIPS))
def test_a_stripped_value_never_overwrites_a_stored_one(seen, expected):
    found = merge_contact(ALICE, replace(ALICE, custom_values=seen), full_view=True)
    assert found.custom_values == expected


def test_a_stripped_value_is_never_stored():
    for full_view in (True, False):
        found = merge_contact(None, replace(ALICE, custom_values=STRIPPED), full_view=full_view)
        assert found.custom_values == ()
        again = merge_contact(ALICE, replace(ALICE, custom_values=STRIPPED), full_view=full_view)
        assert again == ALICE


def test_values_are_sorted_by_field_and_deleted_ones_come_last():
    values = (CustomValue(7, "x"), CustomValue(5, "new"), CustomValue(5, "old", soft_deleted=True))
    found = merge_contact(None, replace(ALICE, custom_values=values), full_view=True)
    assert found.custom_values == (CustomValue(5, "new"), CustomValue(7, "x"))
    turned = merge_contact(None, replace(ALICE, custom_values=values[::-1]), full_view=True)
    assert turned == found


@pytest.mark.parametrize("full_view", [True, False])
def test_a_redacted_name_does_not_clear_the_known_one(full_view):
    # clio.md §4: a record that may not be read has only its id
    seen = replace(KNOWN, company_name=None, updated_at=NEW)
    assert merge_contact(KNOWN, seen, full_view=full_view).company_name == "Northwind"
    bare = replace(
        M201, practice_area=None, practice_area_category=None, stage=None, group_type=None,
        responsible=Attorney(501), originating=Attorney(502), updated_at=NEW,
    )  # fmt: skip
    assert merge_matter(M201, bare, full_view=full_view) == replace(M201, updated_at=NEW)


@pytest.mark.parametrize("full_view", [True, False])
def test_a_name_comes_from_the_same_view_as_its_id(full_view):
    seen = replace(KNOWN, company_id=2002, company_name=None, updated_at=NEW)
    found = merge_contact(KNOWN, seen, full_view=full_view)
    assert (found.company_id, found.company_name) == (2002, None)
    moved = replace(
        M201, practice_area_id=12, practice_area=None, responsible=Attorney(502), updated_at=NEW
    )
    matter = merge_matter(M201, moved, full_view=full_view)
    assert (matter.practice_area_id, matter.practice_area) == (12, None)
    assert matter.responsible == Attorney(502)


def test_another_name_of_the_same_record_does_not_count_in_a_view_that_is_not_newer():
    seen = replace(M201, practice_area="Family", stage="Started", responsible=Attorney(501, "A."))
    assert merge_matter(M201, seen, full_view=False) == M201
    assert merge_matter(M201, seen, full_view=True) == seen


def test_a_withheld_name_is_filled_in_by_any_user_who_sees_it():
    known = replace(M201, practice_area=None, responsible=Attorney(501))
    found = merge_matter(known, M201, full_view=False)
    assert found.practice_area == "Family Law"
    assert merge_matter(replace(M201, responsible=None), M201, full_view=False).responsible == ANN


def test_a_changed_attorney_replaces_the_old_one():
    seen = replace(M201, responsible=BEN, originating=None, updated_at=NEW)
    full, partial = (merge_matter(M201, seen, full_view=full) for full in (True, False))
    assert (full.responsible, full.originating) == (BEN, None)
    assert (partial.responsible, partial.originating) == (BEN, BEN)


def test_a_matter_has_the_newest_status_whoever_sees_it():
    seen = replace(M201, status=CLOSED, updated_at=NEW)
    assert merge_matter(M201, seen, full_view=False).status is CLOSED
    assert merge_matter(seen, replace(M201, updated_at=NOW), full_view=False).status is CLOSED
    assert M201.status is OPEN


def test_a_relationship_keeps_its_description_under_a_view_without_it():
    known = RelationshipRecord(301, 201, 1005, "Spouse", NOW)
    seen = RelationshipRecord(301, 201, 1005, None, NEW)
    assert merge_relationship(known, seen, full_view=False).description == "Spouse"
    assert merge_relationship(known, seen, full_view=True).description is None


FULL = replace(
    KNOWN, prefix="Ms.", middle_name="B.", created_at=OLD,
    emails=(Email("a@x", "Home", primary=True),), phones=(Phone("1"),), addresses=(Address("Home"),),
)  # fmt: skip


@pytest.mark.parametrize("updated", [OLD, NOW, NEW, None])
@pytest.mark.parametrize("name", field_names(ContactRecord))
def test_no_field_that_a_restricted_view_lacks_is_lost(name, updated):
    # S3, for each part in turn
    blank: Any = {"clio_id": 1001, "is_person": None, "is_client": False}.get(name)
    blank = () if isinstance(getattr(FULL, name), tuple) else blank
    seen = replace(FULL, **{"updated_at": updated, name: blank})
    found = merge_contact(FULL, seen, full_view=False)
    assert replace(found, updated_at=None) == replace(FULL, updated_at=None)
