"""Whatever Clio's OpenAPI document allows is read without a word, with nulls everywhere but in ids [F16, row 49]."""

import json
import random
from typing import Any

import httpx
import pytest

from app.clio import pagination, resources
from app.clio.resources import Page, Resource
from app.rules import assess
from app.rules.facts import ContactFacts, FirmFacts
from app.rules.settings import Settings
from app.sync.pull import mapping
from tests.support import schema_data
from tests.support.scripted_clio import NOW, ORIGIN

LISTS = [value for value in vars(resources).values() if isinstance(value, Resource)]
RECORDS = 300


def page_of(resource: Resource[Any], seed: int = 1) -> Page[Any]:
    dice = random.Random(seed)  # noqa: S311
    return read(
        resource, [schema_data.record(resource.path, nth, dice) for nth in range(1, RECORDS + 1)]
    )


def read(resource: Resource[Any], data: list[Any]) -> Page[Any]:
    body = json.dumps({"data": data}).encode()
    address = httpx.URL(ORIGIN + resource.path)
    return pagination.parse_page(resource, body, address=address, asked_at=NOW)


@pytest.mark.parametrize("resource", LISTS, ids=lambda resource: resource.name)
def test_a_record_that_the_document_allows_can_be_read(resource: Resource[Any]):
    page = page_of(resource)
    assert (len(page.items), page.unreadable) == (RECORDS, ())
    left_out = {value.field for values in page.unread.values() for value in values}
    assert left_out <= ({"status"} if resource is resources.MATTERS else set())


ODD: tuple[Any, ...] = (
    "",
    [],
    {},
    "\0",
    True,
    -1,
    2**64,
    1.5,
    "x" * 20_000,
    [None],
    [[]],
    {"id": "x"},
    ["41"],
    {"value": 1},
)


def spoil(value: Any, dice: random.Random, share: float) -> Any:
    """Return a record in which some values, at any depth, have another form."""
    if dice.random() < share:
        return dice.choice(ODD)
    if isinstance(value, list):
        return [spoil(part, dice, share) for part in value]
    if isinstance(value, dict):
        return {name: spoil(part, dice, share) for name, part in value.items()}
    return value


@pytest.mark.parametrize("resource", LISTS, ids=lambda resource: resource.name)
@pytest.mark.parametrize("share", [0.02, 0.3])
def test_whatever_form_the_values_have_the_record_is_read(resource: Resource[Any], share: float):
    dice = random.Random(4)  # noqa: S311
    data: list[dict[str, Any]] = []
    for nth in range(1, RECORDS + 1):
        made = schema_data.record(resource.path, nth, dice)
        kept: dict[str, Any] = {name: made[name] for name in ("id", "type") if name in made}
        spoilt: dict[str, Any] = {name: spoil(value, dice, share) for name, value in made.items()}
        data.append(spoilt | kept)
    page = read(resource, data)
    assert (len(page.items), page.unreadable) == (len(data), ())
    assert page.unread


def test_the_rules_assess_every_contact_that_the_document_allows():
    matters = [mapping.matter_record(one) for one in page_of(resources.MATTERS, 2).items]
    for nth, contact in enumerate(page_of(resources.CONTACTS, 3).items):
        own = tuple(matters[nth % 7 :: 7][:3])
        facts = ContactFacts(mapping.contact_record(contact), own_matters=own)
        found = assess(facts, FirmFacts(country="US"), Settings())
        assert found.scope.in_scope == (found.scope.reason is None)
