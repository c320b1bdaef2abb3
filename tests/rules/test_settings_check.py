"""Tests of the fields that settings refer to, and of changes of settings that cannot change an assessment."""

from dataclasses import replace

import pytest

from app.rules import settings_check
from app.rules.facts import CustomField
from app.rules.settings import (
    CustomFieldTag,
    FallbackAuthor,
    InitialSync,
    KeyFactSettings,
    LabelFormat,
    NewClientSettings,
    OwnershipSettings,
    ScopeSettings,
    Settings,
    TagSettings,
    WritebackSettings,
)
from app.rules.settings_check import Use


def chosen(
    *, opt_out: int | None = None, tags: tuple[int, ...] = (), dates: tuple[int, ...] = ()
) -> Settings:
    return Settings(
        scope=ScopeSettings(opt_out_field_id=opt_out),
        tags=TagSettings(custom_fields=tuple(CustomFieldTag(i) for i in tags)),
        key_facts=KeyFactSettings(custom_date_field_ids=dates),
    )


def field(
    field_type: str | None, parent: str | None = "Contact", *, deleted: bool = False
) -> CustomField:
    return CustomField(1, "A field", field_type, parent, deleted)


TAGS, DATES, OPT_OUT = ({use} for use in Use)


@pytest.mark.parametrize(
    ("definition", "uses"),
    [
        (field("checkbox"), TAGS | OPT_OUT),
        (field("currency"), TAGS),
        (field("numeric"), TAGS),
        (field("picklist"), TAGS),
        (field("text_line"), TAGS),
        (field("text_area"), TAGS),
        (field("date"), DATES),
        *((field(kind), set()) for kind in ("time", "email", "url", "contact", "matter", None)),
        (field("checkbox", "contact"), TAGS | OPT_OUT),  # clio.md §16.6: case is not promised
        (field("checkbox", "Matter"), set()),
        (field("checkbox", None), set()),
        (field("checkbox", deleted=True), set()),
        (None, set()),
    ],
)
def test_a_field_is_usable_by_parent_and_type(definition, uses):
    # CF-1, CF-2, KF-4
    assert {use for use in Use if settings_check.is_usable(definition, use)} == uses


FIELDS = {1: field("checkbox"), 2: field("date"), 3: field("numeric")}
DATE_POINTERS = [f"/key_facts/custom_date_field_ids/{nth}" for nth in range(3)]
TAG_POINTERS = [f"/tags/custom_fields/{nth}/field_id" for nth in range(3)]


@pytest.mark.parametrize(
    ("new", "before", "pointers"),
    [
        (chosen(opt_out=1, tags=(1, 3), dates=(2,)), chosen(), []),
        (chosen(opt_out=3), chosen(), ["/scope/opt_out_field_id"]),
        (chosen(tags=(2, 1, 9)), chosen(), [TAG_POINTERS[0], TAG_POINTERS[2]]),
        (chosen(tags=(1, 1)), chosen(), [TAG_POINTERS[1]]),
        (chosen(dates=(2, 2, 1)), chosen(), DATE_POINTERS[1:]),
        # EN-3: a field that was chosen before may stay for the same use although it was deleted
        (chosen(tags=(3, 9)), chosen(tags=(9,)), []),
        (chosen(dates=(9,)), chosen(tags=(9,)), [DATE_POINTERS[0]]),
        (chosen(tags=(9, 9)), chosen(tags=(9,)), [TAG_POINTERS[1]]),
    ],
)
def test_an_invalid_reference_is_named_by_its_pointer(new, before, pointers):
    # CF-1, EN-3
    assert [
        pointer for pointer, _ in settings_check.invalid_references(new, before, FIELDS)
    ] == pointers


def test_a_deleted_field_is_found_where_the_settings_use_it():
    # EN-3
    found = settings_check.unusable_references(chosen(opt_out=9, tags=(1, 2), dates=(2, 8)), FIELDS)
    assert [(reference.pointer, reference.field_id) for reference in found] == [
        ("/scope/opt_out_field_id", 9),
        (TAG_POINTERS[1], 2),
        (DATE_POINTERS[1], 8),
    ]


@pytest.mark.parametrize(
    ("change", "alike"),
    [
        ({}, True),
        ({"writeback": WritebackSettings(email=False)}, True),
        ({"writeback": WritebackSettings(fallback_author=FallbackAuthor.PRIMARY_CONNECTION)}, True),
        ({"new_client": NewClientSettings(initial_sync=InitialSync.HOLD, surge_threshold=1)}, True),
        ({"new_client": NewClientSettings(require_open_matter=True)}, False),  # NC-3, row 20
        ({"ownership": OwnershipSettings(sticky=True)}, False),
        ({"tags": TagSettings(custom_fields=(CustomFieldTag(1, LabelFormat.NAME),))}, False),
        ({"writeback": WritebackSettings(email=False), "scope": ScopeSettings(True)}, False),
    ],
)
def test_only_some_changes_can_change_an_assessment(change, alike):
    # TG-1
    assert settings_check.have_same_results(Settings(), replace(Settings(), **change)) is alike
    assert settings_check.have_same_results(replace(Settings(), **change), Settings()) is alike
