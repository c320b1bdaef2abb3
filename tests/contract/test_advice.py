"""Every error says what is wrong and what to do next, in our own words: each class and each fault of a value."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic_core._pydantic_core import list_all_errors

import app
from app.api import advice, problems, webhook_endpoints
from app.api.schemas import activities, events, issues, new_clients, runs, settings
from app.db.outbox import maintenance
from app.errors import AppError
from app.sync.events import retries
from app.sync.writeback import outcomes

# What is wrong, then what to do.
ADVICE = re.compile(r"(; |\. ).{4,}")
LIBRARY = re.compile(
    r"value error|input should|extra inputs|field required|permitted|valid (dictionary|string|list)|pydantic|traceback"
    r"|\bassert",
    re.IGNORECASE,
)
VERBS = re.compile(
    r"\b(send|leave|use|choose|check|read|list|lists|wait|ask|go|write|try|give|compare|delete|create|release|replay"
    r"|begin|remove|retry|rotate|enable|mend|add|connects?|put|post|get|decide|start|restart|look|stop|discard|see"
    r"|reload|repeat|open|request|end|close|set|let|resolve|call|change|nothing|not carried out)\b",
    re.IGNORECASE,
)


def all_errors(kind: type[AppError] = AppError) -> Iterator[type[AppError]]:
    for child in kind.__subclasses__():
        yield child
        yield from all_errors(child)


def import_all() -> None:
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def faults(text: str) -> list[str]:
    """Return what is missing in the words of an error."""
    found = []
    if not ADVICE.search(text) or not VERBS.search(text):
        found.append("it does not say what to do")
    if LIBRARY.search(text):
        found.append("these are the words of a library")
    return found


def test_every_error_says_what_is_wrong_and_what_to_do():
    import_all()
    kinds = [kind for kind in all_errors() if kind.__module__.startswith("app.")]
    assert len(kinds) > 50
    inherited = [
        kind.code for kind in kinds if "title" in vars(kind) and "next_step" not in vars(kind)
    ]
    assert not inherited, f"give these a title and a next_step: {inherited}"
    details = {kind.code: kind.usual_detail() for kind in kinds}
    details |= {
        code: f"{title}; {step}"
        for code, title, step in (*problems._HTTP_ERRORS.values(), problems.OTHER_HTTP_ERROR)
    }
    details |= webhook_endpoints._PROBLEMS
    details |= {one.code: one.detail for one in (retries.GONE, retries.FAILING)}
    details |= {str(reason): text for reason, text in maintenance._EXPIRED.items()}
    details |= {"blocked": outcomes._CONNECT, "unknown": outcomes.USER_UNKNOWN}
    wrong = {code: (text, faults(text)) for code, text in details.items() if faults(text)}
    assert not wrong
    repeated = [kind.code for kind in kinds if kind.usual_detail() == kind.title]
    assert not repeated, "detail must say more than title"
    long = [kind.code for kind in kinds if "; " in kind.title or not kind.title[0].isupper()]
    long = [code for code in long if code != "unknown_activity_kind" and code != "contact_mismatch"]
    assert not long, "a title says what is wrong, the next step is in next_step"


@pytest.mark.parametrize("kind", [error["type"] for error in list_all_errors()])
def test_every_error_that_pydantic_can_find_has_our_own_words(kind: str):
    context = next(error for error in list_all_errors() if error["type"] == kind).get(
        "example_context"
    )
    if kind == "value_error":
        context = {"error": ValueError("must be one; send one")}
    text = advice.of({"type": kind, "msg": "Input should be a library", "ctx": context or {}})
    assert not faults(text), text
    assert "{" not in text


def own_messages() -> Iterator[tuple[str, str]]:
    """Yield the texts with which validators refuse a value."""
    for path in sorted(Path("app/api").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                call = node.exc
                if isinstance(call.func, ast.Name) and call.func.id == "ValueError":
                    parts = ast.walk(call.args[0])
                    yield (
                        str(path),
                        "".join(str(p.value) for p in parts if isinstance(p, ast.Constant)),
                    )


def test_every_validator_of_this_service_says_what_to_send():
    found = list(own_messages())
    assert len(found) >= 10
    assert not [(path, text, faults(text)) for path, text in found if faults(text)]


PROVOKED: list[tuple[Any, Any]] = [
    (runs.RunIn, {}),
    (runs.RunIn, {"kind": "all"}),
    (runs.RunIn, {"kind": "full", "more": 1}),
    (runs.RunIn, {"contact_id": "not an id"}),
    (runs.RunIn, []),
    (activities.ActivityIn, {}),
    (activities.ActivityIn, {"kind": 1, "user_id": "\x00", "occurred_at": "now"}),
    (activities.ActivityIn, {"kind": "note", "user_id": "u", "occurred_at": "2026-01-01"}),
    (activities.ActivityIn, {"kind": "note", "user_id": "", "occurred_at": 1e400}),
    (
        activities.ActivityIn,
        {"kind": "note", "user_id": "u", "occurred_at": "2026-01-01T00:00:00Z"},
    ),
    (activities.ActivityBatch, {"activities": []}),
    (events.WebhookEndpointIn, {"url": "x" * 3000, "events": ["nothing"], "description": 5}),
    (issues.HoldDecision, {"ids": [""] * 2}),
    (new_clients.ManyNewClients, {"action": "release"}),
    (settings.Settings, {"new_client": {"surge_threshold": "many"}, "writeback": {"email": "x"}}),
]


@pytest.mark.parametrize(("schema", "body"), PROVOKED)
def test_what_is_provoked_has_our_own_words(schema: Any, body: Any):
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(schema).validate_python(body)
    texts = [advice.of(error) for error in caught.value.errors()]
    assert not [(text, faults(text)) for text in texts if faults(text)]
