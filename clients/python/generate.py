"""Writes `levitate_clio/_generated` from `docs/openapi.json`. `make clients` runs it in an environment of its own.

The document is prepared first, so that a call returns one type and its arguments are few:
only paths below `/v1`, no error responses (they become exceptions), only JSON, no acting user (the client sends it), an
optional idempotency key (the client makes one), and no defaults (the service has them).
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openapi_python_client
from openapi_python_client.config import ClassOverride, Config, ConfigFile, MetaType
from openapi_python_client.strings import snake_case

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parents[1] / "docs" / "openapi.json"
TARGET = HERE / "levitate_clio" / "_generated"
ACTING = {"Levitate-User", "Levitate-Role"}
METHODS = {"get", "put", "post", "patch", "delete"}
LINE_LENGTH = "100"
# A line break inside a paragraph: not its end, and not before an item of a list.
LINE_BREAK = re.compile(r"(?<!\n)\n(?![\n -])")
NULL = {"type": "null"}


def main(target: Path) -> None:
    """Write the generated package into a folder, in place of what is there."""
    document = json.loads(DOCUMENT.read_text())
    prepare(document)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "openapi.json")
        source.write_text(json.dumps(document))
        run_generator(source, target)
    for unused in ("client.py", "errors.py"):
        (target / unused).unlink()
    ruff("check", "--fix", "--quiet", "--select", "F401,I", str(target))
    ruff("format", "--quiet", str(target))


def run_generator(source: Path, target: Path) -> None:
    """Run openapi-python-client. Exit if it leaves something out."""
    options = ConfigFile(
        class_overrides=colliding(json.loads(source.read_text())["components"]["schemas"]),
        literal_enums=True,
        docstrings_on_attributes=True,
        post_hooks=[],
    )
    config = Config.from_sources(
        options,
        MetaType.NONE,
        document_source=source,
        file_encoding="utf-8",
        overwrite=True,
        output_path=target,
    )
    problems = openapi_python_client.generate(
        config=config, custom_template_path=HERE / "templates"
    )
    if problems:
        sys.exit("\n".join(f"{problem.header}: {problem.detail}" for problem in problems))


def colliding(named: dict[str, Any]) -> dict[str, ClassOverride]:
    """Give a schema with a property of its own name another module: the generator names a variable after it."""
    return {
        name: ClassOverride(class_name=name, module_name=f"{snake_case(name)}_body")
        for name, schema in named.items()
        if snake_case(name) in schema.get("properties", {})
    }


def ruff(command: str, *arguments: str) -> None:
    """Run the ruff of this environment, with no settings of the repository."""
    program = Path(sys.executable).with_name("ruff")
    own = 'lint.isort.known-first-party = ["levitate_clio"]'  # wherever the target is
    options = ["--isolated", "--config", own, "--line-length", LINE_LENGTH, "--no-cache"]
    subprocess.run([program, command, *options, *arguments], check=True)  # noqa: S603


def prepare(document: dict[str, Any]) -> None:
    """Change the document in place (see the module)."""
    document["paths"] = {
        path: item for path, item in document["paths"].items() if path.startswith("/v1/")
    }
    for item in document["paths"].values():
        for method in METHODS & item.keys():
            prepare_operation(item[method])
            if streams_only(item[method]):
                del item[method]
    for schema in objects(document):
        schema.pop("default", None)
        if isinstance(schema.get("description"), str):
            schema["description"] = LINE_BREAK.sub(" ", schema["description"])
        if schema.get("type") == "object" and schema.get("additionalProperties") is True:
            make_free(schema)


def prepare_operation(operation: dict[str, Any]) -> None:
    """Leave the parameters and the successful responses that the generated code shall know."""
    kept = [one for one in operation.get("parameters", []) if one["name"] not in ACTING]
    for parameter in kept:
        if parameter["name"] == "Idempotency-Key":
            parameter["required"] = False
    operation["parameters"] = kept
    for media_type in operation.get("requestBody", {}).get("content", {}).values():
        alternatives = media_type["schema"].get("anyOf", [])
        if (
            NULL in alternatives
        ):  # a body that may be left out; the generated code would send "unset"
            (media_type["schema"],) = [one for one in alternatives if one != NULL]
    operation["responses"] = {
        status: response
        for status, response in operation["responses"].items()
        if status.startswith("2")
    }
    for response in operation["responses"].values():
        content = response.get("content", {})
        if "application/json" in content:
            response["content"] = {"application/json": content["application/json"]}


def streams_only(operation: dict[str, Any]) -> bool:
    """Return whether an operation has no response that can be read as a whole."""
    contents = [response.get("content", {}) for response in operation["responses"].values()]
    return any(list(content) == ["text/event-stream"] for content in contents)


def objects(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of the document, the outer ones first, except examples and maps from names to schemas."""
    if isinstance(node, dict):
        yield node
        for key, value in node.items():
            if key == "properties":
                yield from objects(list(value.values()))
            elif key not in {"example", "examples"}:
                yield from objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from objects(value)


def make_free(schema: dict[str, Any]) -> None:
    """Make an object without known fields a plain `dict`; the generator would make a class without fields."""
    description = schema.get("description")
    schema.clear()
    if description:
        schema["description"] = description


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
