"""The lines that use a name that a file defines at import: a constant, a field of a class, an alias."""

from collections import defaultdict
from dataclasses import dataclass

from tests.mutants.places import name_of, places
from tests.mutants.source import Source

Line = tuple[str, int]


@dataclass(frozen=True)
class Definition:
    """The names that one statement defines at import, and the names that it reads."""

    path: str
    names: frozenset[str]
    reads: frozenset[str]


class Uses:
    """The lines of functions that read a name. Two objects with the same name are not distinguished."""

    def __init__(self, files: dict[str, Source]) -> None:
        self._lines: dict[str, set[Line]] = defaultdict(set)
        self._definitions: list[Definition] = []
        for path, source in files.items():
            for place in places(source.tree):
                reads = frozenset(filter(None, map(name_of, place.expressions())))
                if place.defines:
                    self._definitions.append(Definition(path, place.defines, reads))
                for name in () if place.defines else reads:
                    self._lines[name].add((path, place.lines[0]))

    def of(self, path: str, name: str) -> set[Line]:
        """Return the lines that use a name of a file, directly or through other names that are defined with it."""
        return {
            line
            for origin, one in self._dependent_names(path, name)
            for line in self._lines[one]
            if _is_visible(line[0], one, origin)
        }

    def _dependent_names(self, path: str, name: str) -> set[tuple[str, str]]:
        found, left = {(path, name)}, [(path, name)]
        while left:
            origin, one = left.pop()
            for other in self._definitions:
                if one in other.reads and _is_visible(other.path, one, origin):
                    new = {(other.path, further) for further in other.names} - found
                    found |= new
                    left += new
        return found


def _is_visible(path: str, name: str, defined_in: str) -> bool:
    """Return whether a name is visible in a file: a private name is visible only in its own file."""
    return path == defined_in or not name.startswith("_")
