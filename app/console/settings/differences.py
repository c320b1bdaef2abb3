"""Values of settings and their differences in words: `Related contacts connected to matters: off → on`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.console.settings.document import DEFAULTS, OPTIONS, Values, differing
from app.console.settings.options import Kind, Leaf, Option
from app.console.words.settings_tags import FORMATS

SHOWN_WORDS = 12  # lines of a list that are told one by one

LISTS = (Kind.WORDS, Kind.TAG_FIELDS, Kind.DATE_FIELDS)
FieldNames = Mapping[str, str]  # of custom fields, by Clio's id


@dataclass(frozen=True)
class Difference:
    """A value that two documents have differently. A list tells only what was added and removed, in `after`."""

    name: str
    place: str
    before: str
    after: str


def differences(before: Values, after: Values, fields: FieldNames) -> list[Difference]:
    """Return how two documents differ, in the order of the page."""
    changed = differing(before, after)
    return [
        _difference(option, leaf, before[leaf.path], after[leaf.path], fields)
        for option in OPTIONS
        for leaf in option.leaves
        if leaf.path in changed
    ]


def _difference(
    option: Option, leaf: Leaf, before: Any, after: Any, fields: FieldNames
) -> Difference:
    name = _name(option, leaf)
    if leaf.kind in LISTS:
        moved = _moves(_items(leaf, before, fields), _items(leaf, after, fields))
        return Difference(name, option.place, "", moved or "in another order")
    words = [in_words(leaf, value, fields) for value in (before, after)]
    return Difference(name, option.place, *words)


def _name(option: Option, leaf: Leaf) -> str:
    """Return what the value is called where its option is not seen: `Location: City`, or `Email` of the writeback."""
    if len(option.leaves) == 1 or leaf.name == "enabled":
        return option.name
    if leaf.kind is Kind.STATUSES:
        return f"{option.name}, statuses"
    return (
        leaf.text if option.place in ("writeback", "key_facts") else f"{option.name}: {leaf.text}"
    )


def _moves(before: Sequence[str], after: Sequence[str]) -> str:
    added = [one for one in after if one not in before]
    removed = [one for one in before if one not in after]
    parts = [
        f"{verb} {_listed(some)}" for verb, some in (("added", added), ("removed", removed)) if some
    ]
    return ", ".join(parts)


def _listed(items: Sequence[str]) -> str:
    rest = len(items) - SHOWN_WORDS
    return ", ".join(items[:SHOWN_WORDS]) + (f" and {rest:,} more" if rest > 0 else "")


def _items(leaf: Leaf, value: Any, fields: FieldNames) -> list[str]:
    if leaf.kind is Kind.TAG_FIELDS:
        return [_field(one, fields) for one in value]
    return (
        [fields.get(one, f"field {one}") for one in value]
        if leaf.kind is Kind.DATE_FIELDS
        else value
    )


def _field(one: Mapping[str, str], fields: FieldNames) -> str:
    name = fields.get(one["field_id"], f"field {one['field_id']}")
    chosen = one["label_format"]
    return name if chosen == "default" else f"{name} ({FORMATS.get(chosen, chosen).lower()})"


def in_words(leaf: Leaf, value: Any, fields: FieldNames) -> str:
    """Return a value in words: `off`, `Open matters, Pending matters`, `empty`."""
    if leaf.kind in LISTS:
        nothing = "empty" if leaf.kind is Kind.WORDS else "none"
        return _listed(_items(leaf, value, fields)) or nothing
    if leaf.kind is Kind.CHECKBOX_FIELD:
        return "none" if value is None else fields.get(value, f"field {value}")
    return _WORDS[leaf.kind](leaf, value)


def _number(_: Leaf, value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"“{value}”"


_WORDS: Mapping[Kind, Callable[[Leaf, Any], str]] = {
    Kind.SWITCH: lambda _, value: "on" if value else "off",
    Kind.CHOICE: lambda leaf, value: leaf.choices.get(value, str(value)),
    Kind.STATUSES: lambda leaf, value: ", ".join(leaf.choices[one] for one in value) or "none",
    Kind.NUMBER: _number,
}


def default_in_words(option: Option) -> str:
    """Return the defaults of an option: `on, for open matters`, `Birthday, Client ID`."""
    first = option.leaves[0]
    if len(option.leaves) == 1:
        return in_words(first, DEFAULTS[first.path], {})
    if first.name == "enabled":
        if not DEFAULTS[first.path]:
            return "off"
        return f"on, for {_together(option, DEFAULTS)}".lower()
    on = [leaf.text for leaf in option.leaves if DEFAULTS[leaf.path]]
    return "all" if len(on) == len(option.leaves) else ", ".join(on) or "none"


def _together(option: Option, values: Values) -> str:
    statuses = option.leaves[1]
    return " and ".join(statuses.choices[one] for one in values[statuses.path])


def was(option: Option, saved: Values, shown: Values, fields: FieldNames) -> str:
    """Return the saved values of an option that are shown otherwise: `was off`, `Changed` of a list; empty if none."""
    changed = [leaf for leaf in option.leaves if saved[leaf.path] != shown[leaf.path]]
    if not changed:
        return ""
    if len(option.leaves) == 1:
        return f"was {in_words(changed[0], saved[changed[0].path], fields)}"
    words = [(leaf, in_words(leaf, saved[leaf.path], fields)) for leaf in changed]
    return ", ".join(
        f"was {value}" if leaf.kind is Kind.STATUSES else f"{leaf.text} was {value}"
        for leaf, value in words
    )
