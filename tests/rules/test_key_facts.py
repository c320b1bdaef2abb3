"""Key facts: KF-1..4, row 17."""

from datetime import date

import pytest

from app.rules import diff, view
from app.rules.facts import CustomField
from app.rules.records import CustomValue
from app.rules.results import KeyFact, Refusal
from tests.rules.builders import FIELDS, Office, at, cases
from tests.support.values import replace

BIRTHDAY = KeyFact("birthday", "Birthday", "1984-03-09")
CLIO_ID = KeyFact("clio_id", "Clio ID", "1001")
WEDDING = KeyFact("custom_date", "Wedding Anniversary", "2010-06-12", field_id=6)


def facts(office: Office, clio_id: int = 1001) -> tuple[KeyFact, ...]:
    return office.assess(clio_id).key_facts


def test_birthday_and_clio_id_are_shown_by_default():
    assert facts(Office()) == (BIRTHDAY, CLIO_ID)  # KF-1, KF-3
    assert facts(Office(), 1002) == (KeyFact("clio_id", "Clio ID", "1002"),)


def test_each_key_fact_can_be_switched_off():
    assert facts(Office().with_settings(key_facts__birthday=False)) == (CLIO_ID,)
    assert facts(Office().with_settings(key_facts__clio_id=False)) == (BIRTHDAY,)


def test_the_clio_id_is_also_shown_for_non_clients():
    office = Office().with_settings(scope__include_non_clients=True)  # KF-3, C-15
    assert facts(office, 1006) == (KeyFact("clio_id", "Clio ID", "1006"),)


def test_chosen_dates_are_last_and_in_the_order_of_the_setting():
    # KF-2, row 17
    first = CustomField(10, "Will signed", "date")
    office = Office().with_firm_facts(fields={**FIELDS, 10: first})
    values = (CustomValue(6, "2010-06-12"), CustomValue(10, "2020-01-01"))
    office = office.contact(1001, custom_values=values)
    signed = KeyFact("custom_date", "Will signed", "2020-01-01", field_id=10)
    for order, expected in (((6, 10), (WEDDING, signed)), ((10, 6), (signed, WEDDING))):
        chosen = office.with_settings(key_facts__custom_date_field_ids=order)
        assert facts(chosen) == (BIRTHDAY, CLIO_ID, *expected)


def test_a_date_chosen_twice_is_shown_once():
    office = Office().with_settings(key_facts__custom_date_field_ids=(6, 6))
    assert facts(office) == (BIRTHDAY, CLIO_ID, WEDDING)


UPDATED = at("2026-03-01")
BIRTHDAYS = [  # KF-1: passed on, flagged
    ("a leap day is kept as it is", date(1984, 2, 29), UPDATED, None),
    ("1900", date(1900, 1, 1), UPDATED, "implausible"),
    ("the end of 1900", date(1900, 12, 31), UPDATED, "implausible"),
    ("1901", date(1901, 1, 1), UPDATED, None),
    ("the first year", date(1, 1, 1), UPDATED, "implausible"),
    ("after the record was written", date(2026, 3, 2), UPDATED, "implausible"),
    ("the day that it was written", date(2026, 3, 1), UPDATED, None),
    ("nobody knows when it was written", date(2999, 1, 1), None, None),
]


@pytest.mark.parametrize(("born", "updated", "flag"), cases(BIRTHDAYS))
def test_a_doubtful_birthday_is_passed_on_and_flagged(born, updated, flag):
    office = Office().contact(1001, date_of_birth=born, updated_at=updated)
    assert facts(office)[0] == KeyFact("birthday", "Birthday", born.isoformat(), flag=flag)


USELESS = [
    ("not a date", {"value": "soon"}, {}, Refusal.UNPARSABLE),
    ("not a date field", {"value": "2010-06-12"}, {"field_type": "time"}, Refusal.NOT_USABLE),
    ("a matter's", {"value": "2010-06-12"}, {"parent_type": "Matter"}, Refusal.NOT_USABLE),
    ("a deleted field", {"value": "2010-06-12"}, {"deleted": True}, Refusal.DELETED),
    ("a deleted value", {"value": "2010-06-12", "soft_deleted": True}, {}, Refusal.DELETED),
    ("empty", {"value": ""}, {}, None),
    ("nothing", {"value": None}, {}, None),
]


@pytest.mark.parametrize(("value", "field", "refusal"), cases(USELESS))
def test_a_value_that_is_not_a_date_is_not_shown_and_has_a_reason(value, field, refusal):
    office = Office().with_settings(key_facts__custom_date_field_ids=(6,))
    office = office.with_firm_facts(fields={6: replace(FIELDS[6], **field)})
    found = office.contact(1001, custom_values=(CustomValue(6, **value),)).assess(1001)
    assert found.key_facts == (BIRTHDAY, CLIO_ID)
    told = [item for item in found.not_granted if item.rule == "custom_date"]
    expected = [("Wedding Anniversary", refusal)] if refusal else []
    assert [(item.label, item.refusal) for item in told] == expected


def test_unknown_and_empty_fields_give_no_key_fact_and_no_refusal():
    office = Office().with_settings(key_facts__custom_date_field_ids=(6, 99))
    for clio_id in (1001, 1002):
        assert not [i for i in office.assess(clio_id).not_granted if i.rule == "custom_date"]


def test_a_date_field_without_a_name_has_its_id_as_a_name():
    office = Office().with_settings(key_facts__custom_date_field_ids=(6,))
    office = office.with_firm_facts(fields={6: replace(FIELDS[6], name=" ")})
    assert facts(office)[-1].label == "Field 6"


def test_at_most_twenty_custom_dates_are_shown():
    # KF-4
    ids = tuple(range(100, 125))
    fields = {id_: CustomField(id_, f"Date {id_}", "date") for id_ in ids}
    values = tuple(CustomValue(id_, "2010-06-12") for id_ in ids if id_ != 100)
    office = Office().with_firm_facts(fields=fields).contact(1001, custom_values=values)
    found = office.with_settings(key_facts__custom_date_field_ids=ids).assess(1001)
    assert [fact.field_id for fact in found.key_facts[2:]] == list(ids[1:21])
    left = [item for item in found.not_granted if item.refusal is Refusal.LIMIT]
    assert [item.label for item in left] == [f"Date {id_}" for id_ in ids[21:]]
    assert {(item.rule, item.why) for item in left} == {
        ("custom_date", "Only the first 20 custom dates are shown")
    }


def test_a_date_that_is_cleared_in_clio_is_removed():
    # KF-4
    office = Office().with_settings(key_facts__custom_date_field_ids=(6,))
    before = view(None, office.assess(1001))
    after = view(before, office.contact(1001, custom_values=()).assess(1001))
    assert after is not None
    change = diff(before, after)
    assert change is not None
    assert change.fields["key_facts"] == ((BIRTHDAY, CLIO_ID, WEDDING), (BIRTHDAY, CLIO_ID))
