"""The settings document as flat values by the path of the leaf, and what a person sent in the form.

Values are as in the JSON of the API. What the form sent may be invalid: the API's own check says so.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData

from app.api import schemas, settings_document
from app.console.settings.options import Group, Kind, Leaf, Option
from app.console.words.settings import OWNERSHIP, SCOPE, WRITEBACK
from app.console.words.settings_tags import KEY_FACTS, STATUSES, TAGS
from app.rules.settings import Settings

GROUPS: tuple[Group, ...] = (SCOPE, OWNERSHIP, WRITEBACK, TAGS, KEY_FACTS)
OPTIONS: tuple[Option, ...] = tuple(
    option for group in GROUPS for option in (*group.options, *group.more)
)
LEAVES: Mapping[str, Leaf] = {leaf.path: leaf for option in OPTIONS for leaf in option.leaves}
Values = Mapping[str, Any]


@dataclass(frozen=True)
class SentForm:
    """A form that a person sent: the version that the form showed, all values, and the note."""

    version: int
    values: Values
    note: str


def values_of(settings: Settings) -> Values:
    """Return the values of a document by the path of the leaf."""
    return values_of_body(settings_document.to_body(settings))


def values_of_body(body: schemas.Settings) -> Values:
    """Do the same for a document of the API."""
    return dict(_flat("", body.model_dump(mode="json")))


def _flat(path: str, document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if isinstance(value, dict):
            yield from _flat(f"{path}{name}.", value)
        else:
            yield f"{path}{name}", value


DEFAULTS: Values = values_of(Settings())


def nested(values: Values) -> dict[str, Any]:
    """Return values as a merge patch of the document."""
    document: dict[str, Any] = {}
    for path, value in values.items():
        *sections, name = path.split(".")
        place = document
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = value
    return document


def read_form(form: FormData, base: Values) -> Values:
    """Return the values of the form. A leaf that the form did not show keeps its value in `base`."""
    shown = set(form.getlist("leaf")) & LEAVES.keys()
    return {
        path: _read(LEAVES[path], form, base[path]) if path in shown else base[path]
        for path in base
    }


def _read(leaf: Leaf, form: FormData, before: Any) -> Any:
    sent = [text for text in form.getlist(leaf.path) if isinstance(text, str)]
    if leaf.kind is Kind.TAG_FIELDS:
        known = {field["field_id"]: field["label_format"] for field in before}
        formats = {one: form.get(f"{leaf.path}.{one}") or known.get(one) for one in sent}
        return [
            {"field_id": one, "label_format": formats[one] or "default"}
            for one in _in_order(sent, list(known))
        ]
    if leaf.kind is Kind.DATE_FIELDS:
        return _in_order(sent, before)
    return _READERS[leaf.kind](sent)


def _first(sent: Sequence[str]) -> str:
    return sent[0] if sent else ""


def _number(sent: Sequence[str]) -> int | str:
    text = _first(sent).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


_READERS: Mapping[Kind, Callable[[Sequence[str]], Any]] = {
    Kind.SWITCH: bool,
    Kind.CHOICE: _first,
    Kind.NUMBER: _number,
    Kind.WORDS: lambda sent: [line.strip() for line in _first(sent).splitlines() if line.strip()],
    Kind.STATUSES: lambda sent: [status for status in STATUSES if status in sent],
    Kind.CHECKBOX_FIELD: lambda sent: _first(sent) or None,
}


def _in_order(sent: list[str], before: list[str]) -> list[str]:
    """Return the chosen ids: those that were chosen before stay in their order, so that nothing changes by itself."""
    chosen = dict.fromkeys(sent)
    kept = [one for one in before if one in chosen]
    return [*kept, *(one for one in chosen if one not in kept)]


def differing(before: Values, after: Values) -> Values:
    """Return the values of `after` that differ from those before, in the order of the page."""
    return {path: after[path] for path in LEAVES if before[path] != after[path]}


def on_top_of(current: Values, base: Values, sent: Values) -> Values:
    """Return the current values with what a person changed in the form, which showed the values of `base`."""
    return {**current, **differing(base, sent)}


def mistakes_by_leaf(errors: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Return the words for pointers of invalid values, by the path of the leaf. A pointer may begin with `settings`."""
    found = {}
    for pointer, _ in errors:
        path = pointer.strip("/").removeprefix("settings/").replace("/", ".")
        for leaf in LEAVES.values():
            if f"{path}.".startswith(f"{leaf.path}."):
                found[leaf.path] = leaf.mistake
    return found
