"""The tests that may notice a change: those that run its lines, the fast and specific ones first."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from coverage import CoverageData

from tests.mutants.recorder import FIXTURES, LINES, SHARED, TESTS
from tests.mutants.source import Change, Source
from tests.mutants.uses import Uses
from tests.mutants.words import TestWords, words_of

CASES_AT_ONCE = 3  # cases of one test function before the next function
DEFAULT_SECONDS = 20.0  # for a test without a recorded duration


class FixedTests:
    """Tests of the command line, used for every change instead of the covering tests."""

    def __init__(self, tests: Sequence[str]) -> None:
        self.seconds = dict.fromkeys(tests, DEFAULT_SECONDS)
        self.unusable: list[str] = []

    def tests_of(self, _: Change) -> list[str]:
        """Return the same tests for every change."""
        return list(self.seconds)


class LineCoverage:
    """The recorded coverage of the tests, for the lines of the current code."""

    def __init__(self, record: Path, files: dict[str, Source], tree: Path) -> None:
        tests = json.loads((record / TESTS).read_text())
        self.seconds: dict[str, float] = tests["seconds"]
        self.unusable: list[str] = tests["unusable"]
        self._users: dict[str, list[str]] = json.loads((record / FIXTURES).read_text())
        self._lines = _lines(record / LINES)
        self._usable = self.seconds.keys() - set(self.unusable)
        self._in_file = {path: _lines_per_context(lines) for path, lines in self._lines.items()}
        self._in_all_files = sum(self._in_file.values(), Counter[str]())
        self._uses = Uses(files)
        self._files = files
        self._words = TestWords(tree, self.seconds)

    def tests_of(self, change: Change) -> list[str]:
        """Return the usable tests that run a line of the change.

        For code that runs at import, return the tests that run a line that uses one of its names.
        """
        first, last = change.lines
        if change.defines:
            lines = (place for name in change.defines for place in self._uses.of(change.path, name))
        else:
            lines = ((change.path, line) for line in range(first, last + 1))
        tests = {test for path, line in lines for test in self._tests_on(path, line)}
        return self._ranked(change, tests & self._usable)

    def _tests_on(self, path: str, line: int) -> Iterator[str]:
        for context in self._lines.get(path, {}).get(line, ()):
            if context.startswith(SHARED):
                yield from self._users.get(context, ())
            elif context:
                yield context

    def _ranked(self, change: Change, tests: Iterable[str]) -> list[str]:
        """Return the tests by rank: those that name what the change names, do little else and are quick, come first.

        Of many cases of one test function a few come first, and the rest after all other functions.
        """
        words = words_of(self._files[change.path], change)
        cases: Counter[str] = Counter()
        ranked: list[tuple[int, int, str]] = []
        for test in sorted(tests, key=lambda one: (self._cost(change.path, words, one), one)):
            function = test.partition("[")[0]
            ranked.append((cases[function] // CASES_AT_ONCE, len(ranked), test))
            cases[function] += 1
        return [test for *_, test in sorted(ranked)]

    def _cost(self, path: str, words: frozenset[str], test: str) -> float:
        """Return the seconds of a test, weighed by how much of other files it runs and by the words it shares."""
        here = self._in_file.get(path, Counter[str]())[test]
        effort = self.seconds[test] * (self._in_all_files[test] + 1) / (here + 1)
        return effort / (1 + self._words.relevance(words, test)) ** 2


def _lines(data_file: Path) -> dict[str, dict[int, list[str]]]:
    data = CoverageData(basename=str(data_file))
    data.read()
    return {path: data.contexts_by_lineno(path) for path in data.measured_files()}


def _lines_per_context(lines: dict[int, list[str]]) -> Counter[str]:
    return Counter(context for contexts in lines.values() for context in contexts)
