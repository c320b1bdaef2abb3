"""The tests that may notice a change: those that run its lines, the most telling first."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from coverage import CoverageData

from tests.mutants.recorder import FIXTURES, LINES, SHARED, TESTS
from tests.mutants.source import Change, Source
from tests.mutants.uses import Uses

CASES_AT_ONCE = 3  # cases of one test function that go before other functions have had theirs
UNKNOWN = 20.0  # seconds for a test that was named and not recorded


class Named:
    """Tests that were named, in place of those that a record says."""

    def __init__(self, tests: Sequence[str]) -> None:
        self.seconds = dict.fromkeys(tests, UNKNOWN)
        self.unusable: list[str] = []

    def tests_of(self, _: Change) -> list[str]:
        """Return the named tests, for every change."""
        return list(self.seconds)


class Covering:
    """A record of the tests, and what it says about the lines of the present code."""

    def __init__(self, record: Path, files: dict[str, Source]) -> None:
        tests = json.loads((record / TESTS).read_text())
        self.seconds: dict[str, float] = tests["seconds"]
        self.unusable: list[str] = tests["unusable"]
        self._users: dict[str, list[str]] = json.loads((record / FIXTURES).read_text())
        self._lines = _lines(record / LINES)
        self._usable = self.seconds.keys() - set(self.unusable)
        self._in_file = {path: _counted(lines) for path, lines in self._lines.items()}
        self._everywhere = sum(self._in_file.values(), Counter[str]())
        self._uses = Uses(files)

    def tests_of(self, change: Change) -> list[str]:
        """Return the usable tests that run a line of the change, or for code of import a line that uses its names."""
        first, last = change.lines
        if change.defines:
            reached = (
                place for name in change.defines for place in self._uses.of(change.path, name)
            )
        else:
            reached = ((change.path, line) for line in range(first, last + 1))
        found = {test for path, line in reached for test in self._tests_on(path, line)}
        return self._ranked(change.path, found & self._usable)

    def _tests_on(self, path: str, line: int) -> Iterator[str]:
        for context in self._lines.get(path, {}).get(line, ()):
            if context.startswith(SHARED):
                yield from self._users.get(context, ())
            elif context:
                yield context

    def _ranked(self, path: str, tests: Iterable[str]) -> list[str]:
        """Return the tests that do little beside what the file does, and that quickly, before the others.

        Of many cases of one test function a few come first, and the rest after all other functions.
        """
        cases: Counter[str] = Counter()
        ranked: list[tuple[int, int, str]] = []
        for test in sorted(tests, key=lambda one: (self._effort(path, one), one)):
            function = test.partition("[")[0]
            ranked.append((cases[function] // CASES_AT_ONCE, len(ranked), test))
            cases[function] += 1
        return [test for *_, test in sorted(ranked)]

    def _effort(self, path: str, test: str) -> float:
        """Return the seconds of a test, weighed by how much of what it runs stands in other files."""
        here = self._in_file.get(path, Counter[str]())[test]
        return self.seconds[test] * (self._everywhere[test] + 1) / (here + 1)


def _lines(data_file: Path) -> dict[str, dict[int, list[str]]]:
    data = CoverageData(basename=str(data_file))
    data.read()
    return {path: data.contexts_by_lineno(path) for path in data.measured_files()}


def _counted(lines: dict[int, list[str]]) -> Counter[str]:
    return Counter(context for contexts in lines.values() for context in contexts)
