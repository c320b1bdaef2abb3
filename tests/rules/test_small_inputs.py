"""The small inputs of `tests/data/cases.json` about names, roles and phone numbers [rows 50, 51]."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.rules.profile import phones
from app.rules.records import ContactRecord, Phone
from tests.rules.builders import Office

CASES: dict[str, list[dict[str, Any]]] = json.loads(Path("tests/data/cases.json").read_text())


def of(kind: str) -> list[Any]:
    return [pytest.param(case, id=f"{case['id']} {case['kind']}") for case in CASES[kind]]


@pytest.mark.parametrize("case", of("names"))
def test_a_name_counts_when_there_is_something_to_see(case: dict[str, Any]):
    # DM-10, row 51
    record = ContactRecord(**{"clio_id": case["contact"].get("id", 1), "is_person": True, "is_client": True}
                           | {name: value for name, value in case["contact"].items() if name != "id"})  # fmt: skip
    office = Office(contacts={record.clio_id: record})
    assert office.assess(record.clio_id).scope.in_scope is case["in"]


@pytest.mark.parametrize("case", of("roles"))
def test_a_role_is_excluded_by_what_can_be_seen_of_it(case: dict[str, Any]):
    # CS-4, row 51
    office = Office().with_settings(scope__include_related=True)
    office = office.link(201, 1006, case["description"])
    assert office.assess(1006).scope.in_scope is case["in"]


@pytest.mark.parametrize("case", of("phones"))
def test_the_first_phone_of_a_field_is_its_first_number(case: dict[str, Any]):
    # DM-5, row 50
    found = phones([Phone(case["raw"])], case["country"])
    assert found[0].number == case["number"] != case.get("not")
    assert {phone.raw for phone in found} == {case["raw"]}
