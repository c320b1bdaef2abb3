"""The words that a change and a test have in common. A test that names what the changed line names often notices it.

A word counts more, the fewer tests have it.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from math import log
from pathlib import Path

from tests.mutants.source import Change, Source

_WORD = re.compile(r"[A-Za-z][a-z]+|[A-Z]{3,}")
_MIN_LENGTH = 4


class TestWords:
    """The words of each test function: its file, its name and its code."""

    __test__ = False

    def __init__(self, tree: Path, tests: Iterable[str]) -> None:
        functions = {test.partition("[")[0] for test in tests}
        files = {function.partition("::")[0] for function in functions}
        bodies = {file: _functions(tree / file) for file in files}
        self._of = {
            function: _words(function) | _words(bodies[file].get(name, ""))
            for function in functions
            for file, _, name in [function.partition("::")]
        }
        counts = Counter(word for words in self._of.values() for word in words)
        self._weights: Mapping[str, float] = {
            word: log((len(functions) + 1) / count) for word, count in counts.items()
        }

    def relevance(self, words: frozenset[str], test: str) -> float:
        """Return the sum of the weights of the words that the test has."""
        return sum(self._weights[word] for word in words & self._of[test.partition("[")[0]])


def words_of(source: Source, change: Change) -> frozenset[str]:
    """Return the words of the changed lines, of the function around them and of the file's name."""
    first, last = change.lines
    lines = source.text.decode().splitlines()[first - 1 : last]
    around = [
        node.name
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and node.lineno <= first <= (node.end_lineno or 0)
    ]
    return _words(" ".join([change.path, *lines, *around, *change.defines]))


def _functions(file: Path) -> dict[str, str]:
    """Return the text of each test of a file, by name; methods as `Class::name`."""
    if not file.is_file():
        return {}
    text = file.read_text()
    found = {}
    for node in ast.parse(text).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        for one in inner:
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
                found[prefix + one.name] = ast.get_source_segment(text, one) or ""
    return found


def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(text) if len(word) >= _MIN_LENGTH)
