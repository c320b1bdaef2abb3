"""The banner that a page shows after a form: what was done, and what happens now.

The address names the banner in `done`, and may have a count in `n`; never a name of a person. Each page has its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias


@dataclass(frozen=True)
class Banner:
    """A message about a form: what was done, and what happens now. `kind` is ok, warn or bad."""

    title: str
    text: str = ""
    kind: str = "ok"


Banners: TypeAlias = Mapping[str, Callable[[Mapping[str, str]], Banner]]
NO_BANNERS: Banners = MappingProxyType({})


def banner(title: str, text: str = "", kind: str = "ok") -> Callable[[Mapping[str, str]], Banner]:
    """Return a banner that is always the same."""
    return lambda _: Banner(title, text, kind)


def count_in(query: Mapping[str, str]) -> int:
    """Return the count in an address, 0 if there is none."""
    text = query.get("n", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
