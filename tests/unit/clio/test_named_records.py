"""The record that a webhook of Clio names, and whether as a deleted one (clio.md §15)."""

import json
from typing import Any

import pytest

from app.clio.webhooks import Named, named_record

CASES: list[tuple[Any, Named | None]] = [
    ({"data": {"id": 7}, "meta": {"event": "deleted", "webhook_id": 1}}, Named(7, deleted=True)),
    ({"data": {"id": 7}, "meta": {"event": "updated"}}, Named(7, deleted=False)),
    ({"data": {"id": 7}, "meta": {"event": None}}, Named(7, deleted=False)),
    ({"data": {"id": 7}, "meta": ["deleted"]}, Named(7, deleted=False)),
    ({"data": {"id": 7}}, Named(7, deleted=False)),
    ({"data": {"id": 2**63}}, None),
    ({"data": {"id": "7"}}, None),
    ({"data": {"id": 0}}, None),
    ([], None),
]


@pytest.mark.parametrize(("body", "named"), CASES)
def test_a_webhook_names_a_record_and_says_if_it_was_deleted(body: Any, named: Named | None):
    assert named_record(json.dumps(body).encode()) == named
