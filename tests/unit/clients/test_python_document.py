"""The Python client has every operation of the document, and reads every response that it allows, now and later.

Each operation is called once with every argument. The service answers with every field, and with fields and words that
the document does not know: what the client made of it must contain all of them.
"""

import inspect
import json
import re
from pathlib import Path
from typing import Any, get_args
from urllib.parse import unquote

import httpx
import levitate_clio
import pytest
from levitate_clio import Clio, ClioError

from tests.support.schema_samples import Samples
from tests.support.scripted_api import CLIENTS, scripted, value

ROOT = Path(__file__).parents[3]
DOCUMENT = json.loads((ROOT / "docs" / "openapi.json").read_text())
README = (ROOT / "clients" / "python" / "README.md").read_text()
STREAMS = {"follow_run"}  # it has no response that can be read as a whole
OPERATIONS = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, item in DOCUMENT["paths"].items()
    if path.startswith("/v1/")
    for method, operation in item.items()
}
JSON = "application/json"


def body_schema(operation: dict[str, Any]) -> dict[str, Any] | None:
    """Return the schema of the request's body, or None."""
    content = operation.get("requestBody", {}).get("content", {})
    return next((entry["schema"] for entry in content.values()), None)


def response_of(operation: dict[str, Any], samples: Samples) -> httpx.Response:
    """Return a successful response."""
    status, response = next(
        (code, found) for code, found in operation["responses"].items() if code.startswith("2")
    )
    schema = response.get("content", {}).get(JSON, {}).get("schema")
    return httpx.Response(int(status), json=samples.sample(schema) if schema else None)


def method_of(clio: Any, name: str) -> Any:
    """Return the method of an operation."""
    group = OPERATIONS[name][2]["tags"][0].replace(" ", "_")
    return getattr(getattr(clio, group), name)


def arguments(method: Any, body: Any) -> dict[str, Any]:
    """Return the arguments that an operation must have: ids with a character that has to be encoded, and the body."""
    given: dict[str, Any] = {}
    for name, parameter in inspect.signature(method).parameters.items():
        if name == "body" and body is not None:
            kinds = get_args(parameter.annotation) or (parameter.annotation,)
            model = next((kind for kind in kinds if hasattr(kind, "from_dict")), None)
            given[name] = model.from_dict(body) if model else body
        elif parameter.default is inspect.Parameter.empty:
            given[name] = f"{name}/1"
    return given


def test_the_client_has_every_operation_and_no_other():
    clio = scripted().client(Clio)
    groups = {group for group in vars(clio) if not group.startswith("_")}
    methods = {
        name
        for group in groups
        for name, _ in inspect.getmembers(getattr(clio, group), inspect.ismethod)
        if not name.startswith("_")
    }
    assert methods == OPERATIONS.keys() - STREAMS
    assert len(methods) > 60


def test_the_readme_lists_the_operations_and_the_errors():
    calls, errors = (
        README.split(f"\n## {title}\n")[1].split("\n## ")[0]
        for title in ("Calls", "Errors and retries")
    )
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", calls, re.MULTILINE)
    listed = {name for _, names in rows for name in re.findall(r"`(\w+)`", names)}
    assert listed == OPERATIONS.keys() - STREAMS
    clio = scripted().client(Clio)
    assert all(
        hasattr(getattr(clio, group), name)
        for group, names in rows
        for name in re.findall(r"`(\w+)`", names)
    )
    classes = {
        name
        for name, found in vars(levitate_clio).items()
        if isinstance(found, type) and issubclass(found, ClioError)
    }
    named = set(re.findall(r"`(\w+)`", errors)) | {"InvalidSignature"}  # that one is in Webhooks
    assert classes <= named


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("choice", [0, -1])
@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - STREAMS))
async def test_the_client_sends_and_reads_everything(name, kind, choice):
    method, path, operation = OPERATIONS[name]
    schema = body_schema(operation)
    body = schema and Samples(DOCUMENT, choice=choice, new=False).sample(schema)
    answer = response_of(operation, Samples(DOCUMENT, choice=choice, new=True))
    api = scripted(answer)
    called = method_of(api.client(kind), name)
    given = arguments(called, body)
    result = await value(called(**given))

    (request,) = api.requests
    wanted = re.sub(r"\{(\w+)\}", lambda found: f"{found[1]}/1", path)
    assert (request.method, unquote(request.url.raw_path.decode())) == (method, wanted)
    assert json.loads(request.content or b"null") == body
    assert ("Idempotency-Key" in request.headers) == needs_key(operation)
    assert (result.to_dict() if result is not None else None) == (
        answer.json() if answer.content else None
    )


def needs_key(operation: dict[str, Any]) -> bool:
    """Return whether an operation wants an idempotency key."""
    return any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", []))
