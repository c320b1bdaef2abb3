"""What an OpenAPI document promises to callers, and which changes of it break them.

A caller relies on what an operation takes, on what its answers always have, and on being asked for no more than before.
What is added to answers, and what may be sent in addition, breaks nobody: clients ignore what they do not know.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Document = Mapping[str, Any]
UPPER = ("maxLength", "maximum", "maxItems")
LIMITS = (*UPPER, "minLength", "minimum", "minItems")


@dataclass
class Promises:
    """The promises of one document, by place: an operation, and a parameter or a field of a body in it."""

    places: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    """What must not vanish: operations, what they take, and what their answers always have."""

    burdens: dict[str, str] = field(default_factory=dict)
    """What must not be added: what a caller must send or must cope with; by each the place where it would be new."""

    limits: dict[str, float] = field(default_factory=dict)
    """The limits of what can be sent, by place and name of the limit."""


def breaks(before: Promises, after: Promises) -> list[str]:
    """Return the changes that break callers, each in a line that begins with the operation id."""
    gone = [f"{line} is gone" for line in before.kept - after.kept]
    added = [
        f"{line} is new"
        for line, place in after.burdens.items()
        if line not in before.burdens and place in before.places
    ]
    tighter = [
        f"{line} became {limit:g}"
        for line, limit in after.limits.items()
        if line.rpartition(" ")[0] in before.places
        and _is_tighter(line, before.limits.get(line), limit)
    ]
    return sorted([*gone, *added, *tighter])


def _is_tighter(line: str, before: float | None, after: float) -> bool:
    if before is None:
        return True
    return after < before if line.endswith(UPPER) else after > before


def promises_of(document: Document) -> Promises:
    """Return what a document promises."""
    found = Promises()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = operation["operationId"]
            found.places.add(name)
            found.kept.add(f"{name}: {method.upper()} {path}")
            for place, part in _sent_by(operation):
                _sent(found, document, f"{name}: {place}", part["schema"])
                if part.get("required"):
                    found.burdens[f"{name}: {place} is required"] = name
            for place, schema in _answered_by(operation):
                found.kept.add(f"{name}: {place}")
                _answered(found, document, f"{name}: {place}", schema)
    return found


def _sent_by(operation: Document) -> Iterator[tuple[str, Document]]:
    """Yield the places of what can be sent, with the schema and whether it is required."""
    for parameter in operation.get("parameters", ()):
        yield f"{parameter['in']} {parameter['name']}", parameter
    body = operation.get("requestBody", {})
    for media_type, content in body.get("content", {}).items():
        yield f"body {media_type}", {**content, "required": body.get("required")}


def _answered_by(operation: Document) -> Iterator[tuple[str, Document]]:
    """Yield the places of what a success answers, with the schema of each."""
    for status, response in operation["responses"].items():
        if status < "400":
            yield f"status {status}", {}
            for name, header in response.get("headers", {}).items():
                yield f"status {status} header {name}", header["schema"]
            for media_type, content in response.get("content", {}).items():
                yield f"status {status} body {media_type}", content["schema"]


def _sent(found: Promises, document: Document, place: str, schema: Document) -> None:
    found.places.add(place)
    for part in _alternatives(document, schema):
        found.kept.add(f"{place} can be {_type(part)}")
        found.kept.update(f"{place} can be {value!r}" for value in part.get("enum", ()))
        found.limits.update({f"{place} {name}": part[name] for name in LIMITS if name in part})
        for name, member in _members(part):
            _sent(found, document, f"{place}/{name}", member)
        for name in part.get("required", ()):
            found.burdens[f"{place}/{name} is required"] = place


def _answered(found: Promises, document: Document, place: str, schema: Document) -> None:
    found.places.add(place)
    for part in _alternatives(document, schema):
        found.burdens[f"{place} can be {_type(part)}"] = place
        for name, member in _members(part):
            _answered(found, document, f"{place}/{name}", member)
        found.kept.update(f"{place}/{name} is always there" for name in part.get("required", ()))


def _alternatives(document: Document, schema: Document) -> Iterator[Document]:
    """Yield what a schema can be, without references and without the words for alternatives."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield from _alternatives(document, document["components"]["schemas"][name])
    elif "anyOf" in schema or "oneOf" in schema:
        for part in schema.get("anyOf", schema.get("oneOf", ())):
            yield from _alternatives(document, part)
    else:
        yield schema


def _members(schema: Document) -> Iterator[tuple[str, Document]]:
    yield from schema.get("properties", {}).items()
    if "items" in schema:
        yield "*", schema["items"]
    if isinstance(schema.get("additionalProperties"), dict):
        yield "*", schema["additionalProperties"]


def _type(schema: Document) -> str:
    """Return the type of a value in words; a closed list of values is a type of its own."""
    kind = str(schema.get("type", "anything"))
    if "format" in schema:
        kind = f"{kind} ({schema['format']})"
    return f"{kind} of a list" if "enum" in schema else kind
