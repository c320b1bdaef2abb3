"""What may be published of a contact that a login set aside has ever seen [row 53]."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules import assess, view
from app.rules.results import Assessment, Owner
from app.rules.set_aside import UNLIMITED_CAUSES, limit_end, publishable
from app.rules.settings import OwnerFallback, Settings
from app.rules.texts import compared
from tests.rules.builders import (
    ANN,
    BEN,
    CLOSED,
    DANA,
    OPEN,
    PENDING,
    Office,
    at,
    cases,
    matter,
    setting,
)
from tests.rules.generators import FIRMS, SETTINGS, USERS, all_facts
from tests.support.values import replace

OPT_OUT = setting(Settings(), ["scope", "opt_out_field_id"], 1)
STATUSES = {OPEN: "Active Client", PENDING: "Pending Client", CLOSED: "Past Client"}


def labels(found: Assessment) -> set[str]:
    return {tag.label for tag in found.tags}


def status(found: Assessment) -> list[str]:
    return [label for label in STATUSES.values() if label in labels(found)]


def bram(office: Office | None = None, **changes: Any) -> Assessment:
    """Assess Bram, a flagged client with one matter (203, closed, Ann, June 2025), after changes of that matter."""
    return (office or Office()).matter(203, **changes).assess(1002)


@pytest.mark.parametrize("held", STATUSES)
@pytest.mark.parametrize("found", STATUSES)
def test_the_status_moves_up_and_not_down(held, found):
    order = [CLOSED, PENDING, OPEN]
    shown = publishable(bram(status=held), bram(status=found), "sync")
    assert status(shown) == [STATUSES[max(held, found, key=order.index)]]
    assert status(publishable(bram(status=held), bram(status=found), "settings")) == [
        STATUSES[found]
    ]


def test_a_custom_tag_with_the_label_of_a_status_is_a_tag_like_any_other():
    held, found = bram(status=OPEN), bram(status=CLOSED)
    spelled = replace(found.tags[0].grants[0], label="past client", rule="custom_field")
    tag = replace(found.tags[0], label="past client", grants=(spelled,))
    shown = publishable(replace(held, tags=(*held.tags, tag)), found, "sync")
    assert {"Active Client", "past client"} <= labels(shown)


def test_tags_and_key_facts_are_added_and_none_is_taken_away():
    office = Office().with_settings(key_facts__custom_date_field_ids=(6,))
    held = office.assess(1001)
    changed = office.matter(201, practice_area_id=13, practice_area="Real Estate")
    found = changed.contact(1001, date_of_birth=None, custom_values=()).assess(1001)
    shown = publishable(held, found, "sync")
    assert labels(shown) == labels(held) | {"Real Estate"}
    assert [(fact.kind, fact.value) for fact in shown.key_facts] == [
        ("birthday", "1984-03-09"),
        ("clio_id", "1001"),
        ("custom_date", "2010-06-12"),
    ]
    assert "Family Law" not in {item.label for item in shown.not_granted}


CHLOE = 1003  # her matters: 204 (pending, nobody, 2026-02-20), 205 (closed, Ben, 2024-11-02)


@pytest.mark.parametrize(
    ("changes", "owner"),
    cases([
        ("a later matter", {"responsible": ANN, "updated": "2026-02-20"}, "u_ann"),
        ("an earlier matter", {"responsible": ANN, "updated": "2023-01-01"}, "u_ben"),
        ("an earlier matter of nobody", {"responsible": DANA, "updated": "2026-02-20"}, "u_ben"),
    ]),
)  # fmt: skip
def test_the_owner_moves_to_a_later_matter_only(changes, owner):
    held = Office().assess(CHLOE)
    assert held.owner is not None
    assert held.owner.user_id == "u_ben"
    known = {"number": "00204-Tan", "status": PENDING, "area": 14}
    office = Office().without_matters(204)
    later = replace(office, matters={**office.matters, 204: matter(204, CHLOE, **known, **changes)})
    if owner == "u_ben":  # the matter that decided is no longer seen
        later = later.without_matters(205)
    shown = publishable(held, later.assess(CHLOE), "sync").owner
    assert shown is not None
    assert shown.user_id == owner


def test_another_attorney_of_the_same_matter_becomes_the_owner():
    shown = publishable(bram(), bram(responsible=BEN), "sync")
    assert shown.owner is not None
    assert shown.owner.user_id == "u_ben"


def test_an_owner_without_a_matter_is_replaced_but_not_removed():
    held, found = bram(responsible=None), bram(responsible=BEN)
    nobody = Office().with_settings(ownership__fallback=OwnerFallback.UNASSIGNED)
    shown = publishable(held, found, "sync").owner
    assert shown is not None
    assert shown.user_id == "u_ben"
    assert publishable(held, bram(nobody, responsible=None), "sync").owner == held.owner
    gone = replace(held, owner=Owner(None, "unassigned"))
    assert publishable(gone, found, "sync").owner == found.owner


@pytest.mark.parametrize(
    ("cause", "reason", "leaves"),
    cases([
        ("no longer a client", "sync", "not_a_client", False),
        ("by decision of a person", "manual", "not_a_client", False),
        ("nobody sees it", "sync", "not_visible", False),
        ("opted out", "sync", "opt_out", True),
        ("deleted", "sync", "removed_in_clio", True),
        ("by settings", "settings", "not_a_client", True),
        ("by users", "users", "not_a_client", True),
    ]),
)  # fmt: skip
def test_a_contact_leaves_only_for_these_reasons(cause, reason, leaves):
    held, found = bram(), Office().without_matters(203).contact(1002, is_client=False).assess(1002)
    found = replace(found, scope=replace(found.scope, reason=reason))
    assert publishable(held, found, cause) == (found if leaves else held)


def test_the_limit_ends_after_seven_days_or_thirty_days_after_the_disconnection():
    since = at("2026-03-01")
    assert limit_end(since, None) == since + timedelta(days=7)
    left = since + timedelta(days=6)
    assert limit_end(since, left) == left + timedelta(days=30)
    assert limit_end(since, since + timedelta(days=8)) == since + timedelta(days=7)


# --- properties ------------------------------------------------------------------------------------

CAUSES = st.sampled_from(["sync", "manual"])


@given(all_facts(), all_facts(), FIRMS, SETTINGS, st.none() | USERS, CAUSES)
def test_nothing_is_taken_away_and_everything_is_added(first, second, firm, chosen, user, cause):
    held = assess(first, firm, chosen, user)
    found = assess(second, firm, chosen, user)
    shown = publishable(held, found, cause)
    if not held.scope.in_scope or found.scope.reason == "opt_out":
        assert shown == found
        return
    assert shown.scope.in_scope
    before, after = ({compared(tag.label) for tag in one.tags} for one in (held, shown))
    lost = {label for label in before - after if label not in map(str.casefold, STATUSES.values())}
    assert not lost
    assert len({g.label for t in shown.tags for g in t.grants if g.rule == "client_status"}) <= 1
    facts = [{(fact.kind, fact.field_id) for fact in one.key_facts} for one in (held, shown)]
    assert facts[0] <= facts[1]
    assert held.owner is not None
    assert shown.owner is not None
    assert held.owner.user_id is None or shown.owner.user_id is not None
    if found.scope.in_scope:
        assert (shown.profile, shown.client) == (found.profile, found.client)


@given(all_facts(), all_facts(), FIRMS, SETTINGS, CAUSES)
def test_publishing_again_changes_nothing(first, second, firm, chosen, cause):
    found = assess(second, firm, chosen)
    shown = publishable(assess(first, firm, chosen), found, cause)
    assert publishable(shown, found, cause) == shown
    assert publishable(found, found, cause) == found


@given(all_facts(), all_facts(), FIRMS, SETTINGS, st.sampled_from(sorted(UNLIMITED_CAUSES)))
def test_without_the_limit_the_plain_assessment_is_published(first, second, firm, chosen, cause):
    held, found = assess(first, firm, chosen), assess(second, firm, chosen)
    assert publishable(held, found, cause) == found
    if found.scope.in_scope:
        shown = view(None, publishable(held, found, "sync"))
        assert view(shown, found) == view(view(None, held), found)
