"""The small inputs of `cases.json` about values of records: what Clio sends, and what the rules make of it [row 49]."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.clio import pagination
from app.clio.resources import CONTACTS
from app.rules import assess
from app.rules.facts import ContactFacts, CustomField, FirmFacts, Option
from app.rules.settings import CustomFieldTag, LabelFormat, Settings
from app.sync.pull.mapping import contact_record
from tests.rules.builders import setting
from tests.support.scripted_clio import NOW, ORIGIN

CASES = json.loads((Path(__file__).parents[3] / "data" / "cases.json").read_text())["records"]
SENT: dict[str, Any] = {
    "id": 1001,
    "type": "Person",
    "first_name": "Alice",
    "last_name": "Moreno",
    "is_client": True,
    "email_addresses": [{"id": 1, "name": "Home", "address": "alice@home.test", "primary": True}],
    "custom_field_values": [],
}
TIERS = {41: Option("Gold"), 42: Option("Lead")}
FIRM = FirmFacts(
    country="US",
    primary_user_id="u_off",
    users=frozenset({"u_off"}),
    attorneys={},
    fields={1: CustomField(1, "Tier", "picklist", "contact", deleted=False, options=TIERS)},
)
TAGGED = setting(Settings(), ["tags", "custom_fields"], (CustomFieldTag(1, LabelFormat.VALUE),))


def sent(case: dict[str, Any]) -> dict[str, Any]:
    values = [
        {"id": f"picklist-{field_id}", "field_name": "Tier", "field_type": "picklist",
         "custom_field": {"id": int(field_id)}, "value": value}
        for field_id, value in case.get("patch_value", {}).items()
    ]  # fmt: skip
    return {**SENT, **({"custom_field_values": values} if values else {}), **case.get("patch", {})}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['id']} {case['kind']}")
def test_a_value_of_an_odd_kind_leaves_the_contact_in_scope(case: dict[str, Any]):
    body = json.dumps({"data": [sent(case)]}).encode()
    page = pagination.parse_page(
        CONTACTS, body, address=httpx.URL(ORIGIN + CONTACTS.path), asked_at=NOW
    )
    assert page.unreadable == ()
    found = assess(ContactFacts(contact_record(page.items[0])), FIRM, TAGGED)
    assert found.scope.in_scope is case["in"]
    tags = {tag.label for tag in found.tags}
    assert ("Gold" in tags) == (case.get("tag") == "Gold")
    birthdays = [fact.value for fact in found.key_facts if fact.kind == "birthday"]
    assert birthdays == ([case["birthday"]] if "birthday" in case else [])
    if case["id"] == "V05":
        (address,) = found.profile.addresses
        assert address.postal_code == "27601"
