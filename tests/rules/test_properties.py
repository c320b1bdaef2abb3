"""Properties that hold for any data from Clio and any settings."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules import assess, diff, merge_contact, merge_matter, view
from app.rules.facts import ContactFacts, FirmFacts
from app.rules.records import ContactRecord
from app.rules.results import Assessment, Category, ContactView, State
from app.rules.settings import AttorneyTags, Segment, Settings, TagSettings
from app.rules.texts import compared
from tests.rules.builders import setting
from tests.rules.generators import CONTACTS, FIRMS, MATTERS, SETTINGS, USERS, all_facts
from tests.support.values import field_names, replace

NO_SEGMENT = SETTINGS.map(  # no tag excludes a contact, so that switching a tag off does not change the scope
    lambda chosen: setting(chosen, ["scope", "segment"], Segment())
)


@given(all_facts(), FIRMS, SETTINGS, st.none() | USERS)
def test_assess_never_raises_whatever_clio_left_out(facts, firm, chosen, previous):
    found = assess(facts, firm, chosen, previous)
    assert isinstance(found, Assessment)
    if not found.scope.in_scope:
        assert found.scope.reason is not None
        assert (found.tags, found.owner, found.key_facts, found.client) == ((), None, (), None)
    else:
        assert found.owner is not None
        assert found.owner.user_id is None or found.owner.user_id in firm.users
    labels = [compared(tag.label) for tag in found.tags]
    assert len(set(labels)) == len(labels)
    assert all(labels)
    assert all(tag.grants for tag in found.tags)


@given(all_facts(), FIRMS, SETTINGS, st.none() | USERS, st.randoms(use_true_random=False))
def test_the_order_of_matters_relationships_and_values_does_not_matter(
    facts, firm, chosen, previous, random
):
    def shuffled(listed: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(random.sample(listed, len(listed)))

    again = replace(
        facts,
        own_matters=shuffled(facts.own_matters),
        company_matters=shuffled(facts.company_matters),
        related_matters=shuffled(facts.related_matters),
        contact=replace(facts.contact, custom_values=shuffled(facts.contact.custom_values)),
    )
    assert assess(again, firm, chosen, previous) == assess(facts, firm, chosen, previous)


SWITCHES: list[tuple[str, Any, str]] = [  # a rule's setting, the value that switches it off, the start of its pointers
    ("tags__practice_area__enabled", False, "/tags/practice_area"),
    ("tags__related_practice_area__enabled", False, "/tags/related_practice_area"),
    ("tags__relationships__enabled", False, "/tags/relationships"),
    ("tags__matter_number__enabled", False, "/tags/matter_number"),
    ("tags__matter_tag__enabled", False, "/tags/matter_tag"),
    *((f"tags__location__{part}", False, f"/tags/location/{part}")
      for part in ("city", "state", "postal_code", "country")),
    ("tags__responsible_attorney", AttorneyTags.NONE, "/tags/responsible_attorney"),
    ("tags__originating_attorney", AttorneyTags.NONE, "/tags/originating_attorney"),
    ("tags__custom_fields", (), "/tags/custom_fields"),
]  # fmt: skip


# Settings below /tags that switch no tag of their own, with the reason.
NO_SWITCHES = {
    "tags__company_representatives"
}  # it decides who is a client, so it changes the scope too


def switches_of_the_settings() -> set[str]:
    """Return the path of every setting below /tags that switches tags: `enabled`, else each part, else the field."""
    found = set()
    for kind in fields(TagSettings):
        value = getattr(TagSettings(), kind.name)
        parts = {part.name for part in fields(value)} if is_dataclass(value) else {""}
        parts = {"enabled"} if "enabled" in parts else parts
        found |= {f"tags__{kind.name}__{part}".removesuffix("__") for part in parts}
    return found


def test_every_kind_of_tag_in_the_settings_is_switched_off_by_a_property():
    covered = {path for path, _, _ in SWITCHES} | NO_SWITCHES
    wanted = switches_of_the_settings()
    assert len(wanted) > 10
    assert not wanted - covered, (
        f"add to SWITCHES, with the value that switches the tags off: {sorted(wanted - covered)}"
    )
    assert not covered - wanted, f"no setting of tags any more: {sorted(covered - wanted)}"


def grants_of(found: Assessment) -> set[Any]:
    return {grant for tag in found.tags for grant in tag.grants}


@given(all_facts(), FIRMS, NO_SEGMENT, st.sampled_from(SWITCHES))
def test_a_rule_that_is_switched_off_removes_exactly_its_own_grants(facts, firm, chosen, switch):
    path, off, pointer = switch
    before = assess(facts, firm, chosen)
    after = assess(facts, firm, setting(chosen, path.split("__"), off))
    own = {g for g in grants_of(before) if g.setting and g.setting.startswith(pointer)}
    assert grants_of(after) == grants_of(before) - own
    assert replace(after, tags=(), not_granted=()) == replace(before, tags=(), not_granted=())


@given(all_facts(), all_facts(), FIRMS, SETTINGS, SETTINGS)
def test_a_change_applied_to_the_old_view_gives_the_new_view(first, second, firm, chosen, later):
    before = view(None, assess(first, firm, chosen))
    after = view(before, assess(second, firm, later))
    if after is None:
        assert before is None
        return
    change = diff(before, after)
    if change is None:
        assert before == after
        return
    was = before or ContactView(after.state, None, type(after.profile)())
    labels = {compared(tag.label) for tag in was.tags} - set(map(compared, change.tags_removed))
    labels |= set(map(compared, change.tags_added))
    assert labels == {compared(tag.label) for tag in after.tags}
    of_view = {name for name in change.fields if hasattr(was, name)}
    for name, (old, _) in change.fields.items():
        assert getattr(was if name in of_view else was.profile, name) == old
    new: dict[str, Any] = {name: pair[1] for name, pair in change.fields.items()}
    profile = replace(was.profile, **{name: new[name] for name in new.keys() - of_view})
    now = replace(was, profile=profile, **{name: new[name] for name in of_view})
    assert replace(now, tags=after.tags, owner=after.owner) == after
    owners = tuple(of.owner.user_id if of.owner else None for of in (was, after))
    if change.owner is not None:
        assert (change.owner.before, change.owner.after) == owners
    assert (change.owner is not None) == (owners[0] != owners[1])


@given(all_facts(), FIRMS, SETTINGS)
def test_exactly_the_restricted_grants_are_withheld(facts, firm, chosen):
    # S7
    shown, withheld = (
        assess(facts, firm, setting(setting(chosen, ["scope", "segment"], Segment()), path, on))
        for path, on in (
            (["restricted_matters", "withhold"], False),
            (["restricted_matters", "withhold"], True),
        )
    )
    assert grants_of(withheld) == {grant for grant in grants_of(shown) if not grant.restricted}
    assert not any(tag.restricted for tag in withheld.tags)
    assert withheld.owner == shown.owner


@given(all_facts(), FIRMS, SETTINGS)
def test_there_is_at_most_one_status_and_one_of_personal_and_company(facts, firm, chosen):
    # C-1, TG-16
    found = assess(facts, firm, setting(chosen, ["restricted_matters", "withhold"], value=False))
    rules = [{grant.rule for grant in tag.grants} for tag in found.tags]
    assert sum("client_status" in held for held in rules) <= 1
    assert sum(bool(held & {"personal", "company"}) for held in rules) == found.scope.in_scope


def says(value: object) -> bool:
    return value not in (None, (), False)


@given(CONTACTS, CONTACTS)
def test_a_restricted_view_removes_nothing_from_a_contact(known, seen):
    # S3
    known = merge_contact(None, known, full_view=True)
    found = merge_contact(known, seen, full_view=False)
    for name in field_names(ContactRecord):
        if name in ("company_name", "is_person") or not says(getattr(known, name)):
            continue
        assert says(getattr(found, name)), name
    told = {value.field_id for value in known.custom_values}
    assert told <= {value.field_id for value in found.custom_values}
    assert not any(value.stripped for value in found.custom_values)


@given(CONTACTS, CONTACTS, st.booleans())
def test_seeing_the_same_record_again_changes_nothing(known, seen, full_view):
    once = merge_contact(known, seen, full_view=full_view)
    assert merge_contact(once, seen, full_view=full_view) == once


@given(MATTERS, MATTERS, st.booleans())
def test_seeing_the_same_matter_again_changes_nothing(known, seen, full_view):
    once = merge_matter(known, seen, full_view=full_view)
    assert merge_matter(once, seen, full_view=full_view) == once


@given(all_facts(), FIRMS, SETTINGS)
def test_a_contact_that_was_never_in_scope_has_no_view(facts, firm, chosen):
    found = assess(facts, firm, chosen)
    held = view(None, found)
    assert (held is not None) == found.scope.in_scope
    if held is not None:
        assert held.state is State.IN_SCOPE
        assert [tag.label for tag in held.tags] == [tag.label for tag in found.tags]


def test_the_generators_reach_every_category():
    """A generator that never makes a kind of tag would prove nothing about it."""
    seen: set[Category] = set()

    @settings(max_examples=300, database=None, derandomize=True)
    @given(all_facts(), FIRMS, SETTINGS)
    def collect(facts: ContactFacts, firm: FirmFacts, chosen: Settings) -> None:
        seen.update(tag.category for tag in assess(facts, firm, chosen).tags)

    run: Callable[[], None] = collect
    run()
    assert seen == set(Category)
