"""A file as bytes and as a syntax tree, and edits of its text at the positions of nodes."""

import ast
import difflib
import warnings
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """A replacement of the bytes from `start` to `end` of a file."""

    start: int
    end: int
    new: bytes


@dataclass(frozen=True)
class Change:
    """One change of one file.

    `lines` are the first and the last line that it affects: a test that runs one of them may notice it. `defines` is
    only used for code that runs at import: a test that runs a use of one of these names may notice it.
    """

    path: str
    line: int
    kind: str
    edits: tuple[Edit, ...]
    lines: tuple[int, int]
    defines: frozenset[str] = frozenset()


class Source:
    """A file's text with the byte offsets of its nodes."""

    def __init__(self, path: str, text: bytes) -> None:
        self.path = path
        self.text = text
        self.tree = ast.parse(text)
        self._starts = [0]
        for line in text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def start(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        """Return the offset of the beginning of the node."""
        return self._starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        """Return the offset after the end of the node."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._starts[node.end_lineno - 1] + node.end_col_offset

    def segment(self, node: ast.expr | ast.stmt) -> bytes:
        """Return the node's text."""
        return self.text[self.start(node) : self.end(node)]

    def indent(self, node: ast.stmt) -> bytes:
        """Return the text before the statement on its line."""
        return self.text[self._starts[node.lineno - 1] : self.start(node)]

    def line_of(self, offset: int) -> int:
        """Return the line number of the first text at or after the offset that is not whitespace."""
        position = offset + len(self.text[offset:]) - len(self.text[offset:].lstrip())
        return bisect_right(self._starts, position)

    def replace(self, node: ast.expr | ast.stmt, new: bytes) -> Edit:
        """Return the edit that replaces a node with other text."""
        return Edit(self.start(node), self.end(node), new)

    def changed(self, edits: Iterable[Edit]) -> bytes:
        """Return the text after the edits, which do not overlap."""
        text = self.text
        for edit in sorted(edits, key=lambda one: one.start, reverse=True):
            text = text[: edit.start] + edit.new + text[edit.end :]
        return text

    def is_valid(self, change: Change) -> bool:
        """Return whether the changed text compiles and has another syntax tree."""
        changed = self.changed(change.edits)
        try:
            with warnings.catch_warnings(action="ignore"):
                tree = ast.parse(changed)
                compile(tree, self.path, "exec")
        except SyntaxError:
            return False
        return ast.dump(tree) != ast.dump(self.tree)

    def diff(self, change: Change) -> str:
        """Return the change as a unified diff."""
        before, after = self.text.decode(), self.changed(change.edits).decode()
        lines = difflib.unified_diff(
            before.splitlines(),
            after.splitlines(),
            f"a/{self.path}",
            f"b/{self.path}",
            lineterm="",
            n=2,
        )
        return "\n".join(lines)
