"""Adds to the OpenAPI document what FastAPI does not know of responses: their headers, and an example of each body.

The examples are answers of the demo firm. They are kept in `examples.json` beside this file, by operation, and a test
compares them with the document and with the answers of today.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).with_name("examples.json")

_LOCATION = {
    "description": "The address of what was made or started.",
    "schema": {"type": "string", "format": "uri-reference"},
}
_RETURN_URL = {
    "description": "The `return_url` of the attempt, with `clio=connected` or `clio=<code>`.",
    "schema": {"type": "string", "format": "uri"},
}
_ETAG = {
    "description": "The version of what the response shows. Send it as `If-Match` to change that version.",
    "schema": {"type": "string"},
}
_RETRY_AFTER = {
    "description": "The seconds after which the request can be sent again.",
    "schema": {"type": "integer", "minimum": 0},
}
_FILE_NAME = {
    "description": "With `format=csv`: the name of the file, `attachment; filename=…` (RFC 6266).",
    "schema": {"type": "string"},
}
_HEADERS: dict[str, dict[str, Any]] = {  # by status
    "201": {"Location": _LOCATION},
    "202": {"Location": _LOCATION},
    "303": {"Location": _RETURN_URL},
    "429": {"Retry-After": _RETRY_AFTER},
    "503": {"Retry-After": _RETRY_AFTER},
}
_HEADERS_OF_ONE: dict[tuple[str, str], dict[str, Any]] = {
    ("delete_contact", "204"): {"Location": _LOCATION},
    ("get_run_report", "200"): {"Content-Disposition": _FILE_NAME},
    **{
        (f"{verb}_{what}", "200"): {"ETag": _ETAG}
        for verb in ("get", "put", "patch")
        for what in ("account", "settings")
    },
}


def add_details(document: dict[str, Any]) -> None:
    """Add the headers and the examples to all operations of a document."""
    examples = json.loads(EXAMPLES.read_text())
    for operation in _operations(document):
        name = operation["operationId"]
        for status, response in operation["responses"].items():
            headers = {**_HEADERS.get(status, {}), **_HEADERS_OF_ONE.get((name, status), {})}
            if headers:
                response["headers"] = headers
        _add_examples(operation, examples.get(name, {}))


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        yield from methods.values()


def _add_examples(operation: dict[str, Any], examples: dict[str, Any]) -> None:
    """Set the example of the request's body, and of the response's for each status and media type that has one."""
    if "request" in examples:
        for content in operation["requestBody"]["content"].values():
            content["example"] = examples["request"]
    for status, by_media_type in examples.get("responses", {}).items():
        contents = operation["responses"][status].get("content", {})
        for media_type, example in by_media_type.items():
            contents[media_type]["example"] = example
