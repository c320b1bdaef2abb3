"""The numbers of a list's items, as a mail shows them: in digits, letters or Roman numerals."""

from collections.abc import Mapping
from dataclasses import dataclass

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
    (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_KINDS = {
    "a": "lower-alpha", "lower-latin": "lower-alpha", "upper-latin": "upper-alpha", "i": "lower-roman",
}  # fmt: skip
_CAPITALS = {"A": "upper-alpha", "I": "upper-roman"}


@dataclass
class Numbering:
    """The number of the next item, and how it is written; a list without numbers has bullets."""

    following: int | None = None
    kind: str = ""

    def marker(self, value: str | None) -> str:
        """Return what stands before the next item; `value` is the number that the item gives itself."""
        if self.following is None:
            return "- "
        number = _integer(value, self.following)
        self.following = number + 1
        return f"{written(number, self.kind)}. "


def numbering(tag: str, attributes: Mapping[str, str], style: str) -> Numbering:
    """Return the numbering of a list with this tag, its attributes and its `list-style-type`."""
    if tag != "ol":
        return Numbering()
    kind = attributes.get("type", "").strip()
    named = style or _CAPITALS.get(kind) or _KINDS.get(kind, kind)
    return Numbering(_integer(attributes.get("start"), 1), _KINDS.get(named, named))


def written(number: int, kind: str) -> str:
    """Return the number in letters or Roman numerals, if the kind says so and it can be written in them."""
    if not 0 < number < 4000:
        return str(number)
    text = (
        _roman(number)
        if kind.endswith("-roman")
        else _alpha(number)
        if kind.endswith("-alpha")
        else str(number)
    )
    return text.upper() if kind.startswith("upper-") else text


def _alpha(number: int) -> str:
    text = ""
    while number:
        number, place = divmod(number - 1, 26)
        text = _LETTERS[place] + text
    return text


def _roman(number: int) -> str:
    text = ""
    for value, letters in _ROMAN:
        count, number = divmod(number, value)
        text += letters * count
    return text


def _integer(text: str | None, otherwise: int) -> int:
    text = (text or "").strip()
    return (
        int(text)
        if len(text) < 10 and text.lstrip("-").isascii() and text.lstrip("-").isdigit()
        else otherwise
    )
