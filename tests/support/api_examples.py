"""Makes the examples of the OpenAPI document from the calls of the demo firm's story."""

import json
import re
from collections.abc import Iterable
from typing import Any

from tests.support.api_story import OPERATIONS, Call

MOST_ITEMS = 2  # of a list, so that an example can be read at a glance
LINES = 6  # of a text
# Secrets of the test, and addresses of its machine.
REPLACED = (
    (re.compile(r"whsec_[A-Za-z0-9+/=]+"), "whsec_ZXhhbXBsZSBvZiBhIHNlY3JldCBrZXkh"),
    (
        re.compile(r"(https://service\.test/(?:connect|oauth|console|c)[^?\s]*/)[\w.~-]{20,}"),
        r"\1…",
    ),
    (re.compile(r"http://127\.0\.0\.1:\d+/hook"), "https://levitate.example/hooks/clio"),
    (re.compile(r"https://service\.test"), "https://clio.levitate.example"),
    (re.compile(r"https://levitate\.test"), "https://app.levitate.example"),
)


def examples_of(calls: Iterable[Call]) -> dict[str, Any]:
    """Return the first body that was sent, and the last answer of each status and media type, by operation."""
    found: dict[str, Any] = {}
    for call in calls:
        if not call.is_example:
            continue
        example = found.setdefault(call.operation, {})
        if call.body is not None and "requestBody" in OPERATIONS[call.operation]:
            example.setdefault("request", _shortened(call.body))
        if call.answer.content:
            responses = example.setdefault("responses", {})
            responses.setdefault(call.status, {})[call.media_type] = _body(call)
    return {name: example for name, example in sorted(found.items()) if example}


def _body(call: Call) -> Any:
    if call.media_type == "application/json":
        return _shortened(call.answer.json())
    lines = call.answer.text.split("\n")
    return _replaced("\n".join(lines[:LINES]) + "\n")


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shortened(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_shortened(part) for part in value[:MOST_ITEMS]]
    return _replaced(value) if isinstance(value, str) else value


def _replaced(text: str) -> str:
    for pattern, stand_in in REPLACED:
        text = pattern.sub(stand_in, text)
    return text


def written(examples: dict[str, Any]) -> str:
    """Return the examples as their file has them."""
    return json.dumps(examples, indent=1, ensure_ascii=False) + "\n"
