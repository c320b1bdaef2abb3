"""Tests of the view that Levitate has, and of its changes: CS-8, OW-11, TG-20, TG-21, and the feed line [API-22]."""

from app.rules import diff, view
from app.rules.results import ChangeKind, ContactView, OwnerChange, State
from app.rules.settings import OwnerFallback
from tests.rules.builders import DANA, Office, at
from tests.support.values import replace


def held(office: Office, clio_id: int, before: ContactView | None = None) -> ContactView:
    found = view(before, office.assess(clio_id))
    assert found is not None
    return found


def test_equal_views_give_no_change():
    assert diff(held(Office(), 1001), held(Office(), 1001)) is None


def test_a_contact_that_leaves_keeps_its_last_profile_and_loses_the_rest():
    # CS-8
    related = Office().with_settings(scope__include_related=True)
    before = held(related, 1005)
    after = held(Office().contact(1005, last_name="Changed"), 1005, before)
    assert (after.state, after.state_reason) == (State.OUT_OF_SCOPE, "settings")
    assert after.profile == before.profile
    assert (after.tags, after.owner, after.key_facts) == ((), None, ())
    change = diff(before, after)
    assert change is not None
    assert change.kind is ChangeKind.OUT_OF_SCOPE
    assert change.tags_removed == ("Clio", "Person", "Related Contacts", "Personal")
    assert change.owner == OwnerChange("u_ann", None, None, None)
    assert set(change.fields) == {"state", "state_reason", "key_facts"}


def test_a_contact_that_returns_is_updated_and_not_added_again():
    # CS-8
    related = Office().with_settings(scope__include_related=True)
    left = held(Office(), 1005, held(related, 1005))
    again = diff(left, held(related, 1005, left))
    assert again is not None
    assert again.kind is ChangeKind.UPDATED
    assert again.fields["state"] == (State.OUT_OF_SCOPE, State.IN_SCOPE)


def test_another_reason_for_being_out_of_scope_is_an_update():
    left = held(Office(), 1005, held(Office().with_settings(scope__include_related=True), 1005))
    later = held(Office().without_matters(201), 1005, left)
    change = diff(left, later)
    assert change is not None
    assert change.kind is ChangeKind.UPDATED
    assert change.fields == {"state_reason": ("settings", "not_a_client")}


def test_a_change_of_owner_names_the_matter():
    # OW-11: M202 edited
    before = held(Office(), 1001)
    change = diff(before, held(Office().matter(202, updated_at=at("2026-03-03")), 1001, before))
    assert change is not None
    assert change.owner == OwnerChange("u_ann", "u_ben", "responsible_attorney", 202)
    assert (change.fields, change.tags_added, change.tags_removed) == ({}, (), ())


def test_a_new_reason_for_the_same_owner_is_an_update_without_a_change_of_owner():
    # OW-11: nobody can own 1008 by a matter, and the fallback gets a new reason
    before = held(Office(), 1008)
    after = held(Office().matter(201, client_id=1008, responsible=DANA, originating=None), 1008)
    assert before.owner is not None
    assert after.owner is not None
    assert (before.owner.user_id, before.owner.detail) == ("u_off", "no_visible_matter")
    assert (after.owner.user_id, after.owner.detail) == (
        "u_off",
        "attorney_not_mapped: Dana Voss (504)",
    )
    change = diff(before, after)
    assert change is not None
    assert (change.kind, change.owner) == (ChangeKind.UPDATED, None)


def test_a_contact_without_an_owner_that_leaves_has_no_change_of_owner():
    # OW-8, CS-8
    office = Office().with_settings(ownership__fallback=OwnerFallback.UNASSIGNED)
    before = held(office, 1008)
    after = held(office.contact(1008, is_client=False), 1008, before)
    change = diff(before, after)
    assert change is not None
    assert (before.owner is not None, after.owner, change.owner) == (True, None, None)


def test_a_change_lists_only_added_and_removed_labels():
    # TG-20
    office = Office().with_settings(tags__location__city=True)
    change = diff(held(Office(), 1001), held(office, 1001))
    assert change is not None
    assert (change.tags_added, change.tags_removed, change.owner) == (("Raleigh",), (), None)


def test_a_label_with_a_new_spelling_is_not_removed():
    # TG-21: Levitate ends automations when a tag is removed
    before = held(Office(), 1001)
    after = held(Office().matter(201, practice_area="FAMILY LAW"), 1001, before)
    assert "FAMILY LAW" in [tag.label for tag in after.tags]
    change = diff(before, after)
    assert change is not None
    assert (change.kind, change.fields) == (ChangeKind.UPDATED, {})
    assert (change.tags_added, change.tags_removed) == ((), ())


def test_a_tag_that_becomes_restricted_is_an_update():
    # S7
    before = held(Office(), 1001)
    after = held(Office().matter(201, group_type="AdhocGroup"), 1001, before)
    assert {tag.label for tag in after.tags if tag.restricted} == {"Active Client", "Family Law"}
    change = diff(before, after)
    assert change is not None
    assert (change.tags_added, change.tags_removed) == ((), ())


def test_a_deleted_contact_that_returns_is_updated():
    before = replace(held(Office(), 1001), state=State.DELETED)
    change = diff(before, held(Office(), 1001))
    assert change is not None
    assert change.kind is ChangeKind.UPDATED


def test_a_preexisting_label_leaves_the_view_and_is_not_removed():
    # TG-20, TG-21
    related = Office().with_settings(scope__include_related=True)
    before = held(related, 1005)
    after = held(Office(), 1005, before)
    change = diff(before, after, frozenset({"personal", "related contacts", "vip"}))
    assert change is not None
    assert change.tags_removed == ("Clio", "Person")
    assert after.tags == ()
