"""Tests of cleared fields and of the order of versions: rows 38 and 49, DM-9, S3, F19."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules import merge_contact, merge_matter, merge_relationship
from app.rules.record_versions import compare
from app.rules.records import (
    ContactRecord,
    CustomValue,
    Email,
    MatterRecord,
    RelationshipRecord,
)
from app.rules.shown import (
    Sight,
    cleared,
    content_of,
    counts_as_newest,
    emptied,
    has_content,
    sight_of,
)
from tests.rules.builders import ALICE, MATTERS, at, cases
from tests.support.values import field_names, replace

OLD, NOW, NEW, FUTURE = at("2026-02-28"), at("2026-03-01"), at("2026-03-02"), at("2099-01-01")
BARE = replace(ALICE, title=None, emails=(), is_client=False, custom_values=(), updated_at=NEW)
LOST = content_of(ALICE) - content_of(BARE)
SAW_ALL = Sight(NOW, content_of(ALICE))
M201 = MATTERS[201]


def test_the_content_of_a_record_has_a_name_for_each_custom_field():
    shown = ContactRecord(
        1, is_person=True, title="Judge", is_client=False, emails=(Email("a@b"),),
        custom_values=(CustomValue(5, "x"), CustomValue(6, stripped=True)), updated_at=NOW,
    )  # fmt: skip
    assert content_of(shown) == {"title", "emails", "custom_values.5"}


EMPTIED: list[tuple[str, Sight | None, bool, bool, frozenset[str]]] = [
    # what the login was shown before, full view, newer version, what it empties
    ("restricted, showed all of it", SAW_ALL, False, True, LOST),
    ("restricted, showed it, not newer", SAW_ALL, False, False, frozenset()),
    ("restricted, showed the title only", Sight(NOW, frozenset({"title", "name"})), False, True, frozenset({"title"})),
    ("restricted, showed none of it", Sight(NOW, frozenset({"name"})), False, True, frozenset()),
    ("restricted, sees it for the first time", None, False, True, frozenset()),
    ("restricted since it showed it", replace(SAW_ALL, full_view=True), False, True, frozenset()),
    ("full, newer, for the first time", None, True, True, LOST),
    ("full, not newer, for the first time", None, True, False, frozenset()),
    ("full, not newer, showed it", replace(SAW_ALL, full_view=True), True, False, LOST),
    ("full now, showed it restricted", SAW_ALL, True, False, LOST),
]  # fmt: skip


@pytest.mark.parametrize(("before", "full_view", "newer", "expected"), cases(EMPTIED))
def test_a_login_empties_what_it_can_read(before, full_view, newer, expected):
    # row 38
    assert emptied(ALICE, BARE, before, full_view=full_view, newer=newer) == expected


OTHERS: list[tuple[str, list[Sight], frozenset[str]]] = [
    ("nobody else", [], LOST),
    ("another shows it in an older version", [SAW_ALL], LOST),
    ("another shows it in this version", [replace(SAW_ALL, updated_at=NEW)], frozenset()),
    ("another shows the title without a time", [Sight(None, frozenset({"title"}))], LOST - {"title"}),
    ("another shows it as empty too", [sight_of(BARE, None, full_view=True)], LOST),
]  # fmt: skip


@pytest.mark.parametrize(("others", "expected"), cases(OTHERS))
def test_a_field_that_another_login_shows_now_is_not_cleared(others, expected):
    assert cleared(LOST, NEW, others) == expected


def test_the_cleared_fields_are_empty_after_the_merge_and_no_others():
    clears = frozenset({"title", "emails", "custom_values.5"})
    for full_view in (True, False):
        found = merge_contact(ALICE, BARE, full_view=full_view, clears=clears)
        values = tuple(value for value in ALICE.custom_values if value.field_id != 5)
        assert found == replace(ALICE, title=None, emails=(), custom_values=values, updated_at=NEW)


def test_of_a_matter_and_a_relationship_fields_are_cleared_alike():
    # row 38: an attorney, a stage and a date are removed in Clio, and only a restricted login sees the matter
    seen = replace(M201, responsible=None, stage_id=None, stage=None, updated_at=NEW)
    before = sight_of(M201, None, full_view=False)
    version = compare(M201, seen, before, full_view=False, defers=False, latest=None)
    assert version.merged(merge_matter, ()) == seen
    link = RelationshipRecord(301, 201, 1005, "Spouse", NOW)
    gone = replace(link, description=None, updated_at=NEW)
    shown = sight_of(link, None, full_view=False)
    found = compare(link, gone, shown, full_view=False, defers=False, latest=None)
    assert found.merged(merge_relationship, ()) == gone


@pytest.mark.parametrize("full_view", [True, False])
def test_only_a_full_view_takes_the_client_from_a_matter(full_view):
    seen = replace(M201, client_id=None, updated_at=NEW)
    before = sight_of(M201, None, full_view=full_view)
    version = compare(M201, seen, before, full_view=full_view, defers=False, latest=None)
    found = version.merged(merge_matter, ())
    assert found.client_id == (None if full_view else M201.client_id)


def test_a_name_is_cleared_with_the_record_that_it_names():
    known = replace(ALICE, company_id=2001, company_name="Northwind")
    alone = replace(known, company_id=None, company_name=None, updated_at=NEW)
    found = merge_contact(known, alone, full_view=False, clears=frozenset({"company_id"}))
    assert (found.company_id, found.company_name) == (None, None)


def test_redacted_and_withheld_values_are_not_empty_and_were_shown_before():
    redacted = ContactRecord(1001, is_person=None, updated_at=NEW)
    assert sight_of(redacted, SAW_ALL, full_view=False).shown == SAW_ALL.shown
    withheld = replace(BARE, custom_values=(CustomValue(5, stripped=True),))
    still = sight_of(withheld, SAW_ALL, full_view=False).shown & {
        "custom_values.5",
        "custom_values.1",
    }
    assert still == {"custom_values.5"}
    unnamed = replace(BARE, custom_values=(CustomValue(0, stripped=True),))
    assert {"custom_values.5", "custom_values.1"} <= sight_of(
        unnamed, SAW_ALL, full_view=False
    ).shown
    for seen in (redacted, withheld):
        version = compare(ALICE, seen, SAW_ALL, full_view=True, defers=False, latest=None)
        assert CustomValue(5, "Allie") in version.merged(merge_contact, ()).custom_values


NEWEST: list[tuple[str, datetime | None, datetime | None, Sight | None, datetime | None, bool]] = [
    # the stored time, the version's time, what the login was shown before, the latest possible time, newest?
    ("the login itself showed the later time", NEW, OLD, Sight(NEW), None, True),
    ("the login showed a later time still", NOW, OLD, Sight(NEW), None, True),
    ("another login showed the later time", NEW, OLD, Sight(NOW), None, False),
    ("the login sees it for the first time", NEW, OLD, None, None, False),
    ("a stored time in the future, of another login", FUTURE, NOW, Sight(OLD), NEW, True),
    ("a stored time in the future, new login", FUTURE, NOW, None, NEW, True),
    ("a stored time that is possible", NEW, NOW, Sight(OLD), NEW, False),
    ("a newer time", NOW, NEW, Sight(NOW), NEW, False),
    ("no stored time", None, NEW, Sight(NOW), NEW, False),
    ("no time", NOW, None, Sight(NOW), NEW, False),
]


@pytest.mark.parametrize(("stored", "time", "before", "latest", "expected"), cases(NEWEST))
def test_the_later_answer_of_a_login_counts_although_its_time_is_lower(
    stored, time, before, latest, expected
):
    known, seen = replace(ALICE, updated_at=stored), replace(ALICE, title="Judge", updated_at=time)
    assert counts_as_newest(known, seen, before, latest) is expected
    if expected:
        for full_view in (True, False):
            found = compare(known, seen, before, full_view=full_view, defers=True, latest=latest)
            assert found.merged(merge_contact, ()) == seen


# Several logins read a record that changes in Clio, each when it likes.

BEGIN, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
TITLE, EMAILS = "title", "emails"
NAMES: tuple[str, ...] = (TITLE, EMAILS)
VALUES: dict[str, list[Any]] = {
    TITLE: [None, "Judge", "Clerk"],
    EMAILS: [(), (Email("a@b"),), (Email("c@d"),)],
}


@dataclass
class Login:
    """A login that can read some of the fields; a full view can read them all."""

    full_view: bool
    reads: frozenset[str]
    sight: Sight | None = None
    last: ContactRecord | None = None

    def can_read(self, name: str) -> bool:
        return self.full_view or name in self.reads

    def view(self, record: Any) -> ContactRecord:
        hidden = {name: VALUES[name][0] for name in NAMES if not self.can_read(name)}
        shown: ContactRecord = replace(record, **hidden)
        return shown


class Firm:
    """What is stored of the record, and the logins that read it."""

    def __init__(self, logins: list[Login]) -> None:
        self.logins = [Login(one.full_view, one.reads) for one in logins]
        self.clio: Any = ContactRecord(1, is_person=True, name="Al", updated_at=BEGIN)
        self.stored: Any = None

    def edit(self, name: str, value: Any, moment: datetime) -> None:
        self.clio = replace(self.clio, **{name: value, "updated_at": moment})

    def read(self, nth: int) -> None:
        login = self.logins[nth % len(self.logins)]
        view = login.view(self.clio)
        if view == login.last:
            return
        others = [other for other in self.logins if other is not login]
        fuller = not login.full_view and any(one.full_view and one.last for one in others)
        version = compare(
            self.stored, view, login.sight, full_view=login.full_view,
            defers=fuller or login.last is None, latest=None,
        )  # fmt: skip
        sights = [other.sight for other in others if other.sight]
        self.stored = version.merged(merge_contact, sights)
        login.last, login.sight = view, version.sight

    def shows(self, name: str) -> bool:
        """Return whether some login showed the field when it read last."""
        return any(one.last and has_content(name, getattr(one.last, name)) for one in self.logins)


LOGINS = st.lists(
    st.builds(Login, st.booleans(), st.frozensets(st.sampled_from(NAMES))), min_size=1, max_size=3
)
EDITS = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.integers(0, 2),
        st.integers(0, 9),
        st.sets(st.integers(0, 2), min_size=1),
    ),
    min_size=2,
    max_size=6,
)


@settings(max_examples=400)
@given(LOGINS, EDITS, st.permutations(range(3)))
def test_when_all_logins_have_read_it_a_record_is_what_somebody_can_read_of_it(
    logins: list[Login], edits: list[tuple[str, int, int, set[int]]], order: list[int]
):
    # row 38, S3: whoever reads when; an edit may leave Clio's time as it was, or set it back
    firm = Firm(logins)
    for name, word, day, readers in edits:
        firm.edit(name, VALUES[name][word], BEGIN + timedelta(days=day))
        for nth in readers:
            firm.read(nth)
    firm.edit(TITLE, firm.clio.title, END)
    shown = {name for name in NAMES if firm.shows(name)}
    before = firm.stored
    for nth in order:
        firm.read(nth)
    assert firm.stored.updated_at == END
    for name in NAMES:
        found, true = getattr(firm.stored, name), getattr(firm.clio, name)
        known = {one.full_view for one in firm.logins if one.can_read(name)}
        if (known and true) or True in known or name in shown:
            assert found == true
        elif before is not None:  # nobody who can read it is known to
            assert found == getattr(before, name)


@settings(max_examples=400)
@given(LOGINS, st.sampled_from(NAMES), st.integers(0, 2), st.permutations(range(3)))
def test_a_change_that_leaves_the_time_as_it_was_is_found_in_whatever_order_the_logins_read(
    logins: list[Login], name: str, word: int, order: list[int]
):
    # rows 38 and 49, S3: a person's company that is deleted in Clio disappears without a new time of the person
    firm = Firm(logins)
    for one in NAMES:
        firm.edit(one, VALUES[one][1], BEGIN)
    for nth in order:
        firm.read(nth)
    before = getattr(firm.stored, name)
    firm.edit(name, VALUES[name][word], BEGIN)
    for nth in order:
        firm.read(nth)
    is_read = any(one.can_read(name) for one in firm.logins)
    assert getattr(firm.stored, name) == (getattr(firm.clio, name) if is_read else before)


def test_every_field_of_the_records_can_be_shown_or_is_never_empty():
    shown: set[str] = set()
    names: set[str] = set()
    for kind in (ContactRecord, MatterRecord, RelationshipRecord):
        filled: dict[str, Any] = dict.fromkeys(field_names(kind), "x")
        names |= filled.keys()
        shown |= content_of(
            kind(**{**filled, **({"custom_values": ()} if kind is ContactRecord else {})})
        )
    never = {
        "clio_id",
        "is_person",
        "created_at",
        "updated_at",
        "status",
        "matter_id",
        "contact_id",
    }
    assert shown == names - never - {"custom_values"}
