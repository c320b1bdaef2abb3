"""Functions that compare present names with the pinned ones in `tests/data/pinned/`, on which others rely."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PINNED = Path(__file__).parents[1] / "data" / "pinned"
MOST_SHOWN = 40


def check(name: str, found: Any, folder: Path) -> None:
    """Fail with the places that differ if `found` is not what `tests/data/pinned/<name>.json` holds."""
    pinned = PINNED / f"{name}.json"
    text = json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    lines = list(differences("", json.loads(pinned.read_text()), json.loads(text)))
    if not lines:
        return
    present = folder / pinned.name
    present.write_text(text)
    more = [f"… and {len(lines) - MOST_SHOWN} more"] if len(lines) > MOST_SHOWN else []
    pytest.fail(
        "\n".join(
            [
                f"{len(lines)} places differ from {pinned.name} (- is pinned, + is new, ~ is changed):",
                *lines[:MOST_SHOWN],
                *more,
                f"If callers and stored data can cope with this change: cp {present} {pinned}",
            ]
        ),
        pytrace=False,
    )


def differences(path: str, pinned: Any, found: Any) -> Iterator[str]:
    """Return a line for each place where two JSON documents differ; a part that is missing is one place."""
    if isinstance(pinned, dict) and isinstance(found, dict):
        for name in sorted(pinned.keys() | found.keys()):
            below = f"{path}/{name}"
            if name not in found:
                yield f"- {below}{_shown(pinned[name])}"
            elif name not in pinned:
                yield f"+ {below}{_shown(found[name])}"
            else:
                yield from differences(below, pinned[name], found[name])
    elif isinstance(pinned, list) and isinstance(found, list):
        yield from _differing_items(path, pinned, found)
    elif pinned != found or type(pinned) is not type(found):
        yield f"~ {path}: {json.dumps(pinned)} became {json.dumps(found)}"


def _differing_items(path: str, pinned: list[Any], found: list[Any]) -> Iterator[str]:
    are_documents = any(isinstance(item, dict | list) for item in (*pinned, *found))
    if are_documents and len(pinned) == len(found):
        for place, (old, new) in enumerate(zip(pinned, found, strict=True)):
            yield from differences(f"{path}/{place}", old, new)
        return
    lost = [item for item in pinned if item not in found]
    new = [item for item in found if item not in pinned]
    yield from (f"- {path}[]{_shown(item)}" for item in lost)
    yield from (f"+ {path}[]{_shown(item)}" for item in new)
    if pinned != found and not lost and not new:
        yield f"~ {path}: the order of the items, or how often one occurs"


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return f": {text}" if len(text) <= 120 else ""
