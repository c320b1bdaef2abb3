"""Describes an option of the settings on the page: its place, its controls, and the leaves of the document behind them.

A leaf is one value of the settings document of the API, named by its path (`scope.include_related`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """The kinds of controls."""

    SWITCH = "switch"
    CHOICE = "choice"
    WORDS = "words"
    STATUSES = "statuses"
    NUMBER = "number"
    CHECKBOX_FIELD = "checkbox_field"
    TAG_FIELDS = "tag_fields"
    DATE_FIELDS = "date_fields"


@dataclass(frozen=True)
class Leaf:
    """A value of the document; `text` stands beside its control, `mistake` when the value cannot be saved."""

    path: str
    text: str
    kind: Kind = Kind.SWITCH
    choices: Mapping[str, str] = field(default_factory=dict)
    mistake: str = "Choose one of the values."

    @property
    def name(self) -> str:
        """The leaf's own name, which also names its place on the page: `include_related`."""
        return self.path.rpartition(".")[2]


@dataclass(frozen=True)
class Option:
    """An option with one value or several. `offers` names what the firm's Clio has for it, to look up."""

    name: str
    why: str
    leaves: tuple[Leaf, ...]
    anchor: str = ""
    offers: str = ""

    @property
    def place(self) -> str:
        """The part of the page's address that leads to the option."""
        return self.anchor or self.leaves[0].name

    @property
    def is_tall(self) -> bool:
        """True if its control needs the whole width."""
        return any(leaf.kind in (Kind.WORDS, Kind.TAG_FIELDS) for leaf in self.leaves)


@dataclass(frozen=True)
class Group:
    """A group of options; `more` are those that few firms need."""

    anchor: str
    name: str
    about: str
    options: tuple[Option, ...]
    more: tuple[Option, ...] = ()


def switch(path: str, name: str, why: str, text: str) -> Option:
    """Return an option that is on or off."""
    return Option(name, why, (Leaf(path, text),))


def one_of(path: str, name: str, why: str, choices: Mapping[str, str]) -> Option:
    """Return an option with one of several values."""
    return Option(name, why, (Leaf(path, name, Kind.CHOICE, choices),))
