"""Where the names are used that a file defines at import: a constant, a field of a class, an alias."""

from collections import defaultdict
from dataclasses import dataclass

from tests.mutants.places import name_of, places
from tests.mutants.source import Source

Line = tuple[str, int]


@dataclass(frozen=True)
class Definition:
    """Names that one statement defines at import, and the names that it reads for them."""

    path: str
    names: frozenset[str]
    reads: frozenset[str]


class Uses:
    """The lines of functions that read a name, by the name alone: two things of one name count as one."""

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
        """Return the lines that use a name of a file, also by way of what else is defined with it."""
        return {
            line
            for known_in, one in self._reached(path, name)
            for line in self._lines[one]
            if _knows(line[0], one, known_in)
        }

    def _reached(self, path: str, name: str) -> set[tuple[str, str]]:
        found, left = {(path, name)}, [(path, name)]
        while left:
            known_in, one = left.pop()
            for other in self._definitions:
                if one in other.reads and _knows(other.path, one, known_in):
                    new = {(other.path, further) for further in other.names} - found
                    found |= new
                    left += new
        return found


def _knows(path: str, name: str, defined_in: str) -> bool:
    """Return whether a file may know a name: a private one is known in its own file alone."""
    return path == defined_in or not name.startswith("_")
