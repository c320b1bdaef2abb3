"""Lines of plain text that are written piece by piece, with marks for quotes and indents in front of them."""

import re
from dataclasses import dataclass, field

MAX_QUOTES = 10  # more marks than that before a line say nothing more
MAX_INDENT = 40  # characters
_BLANKS = re.compile(r"[ \t\r\n\f\xa0]+")


@dataclass
class Canvas:
    """The lines so far, and the line that is being written.

    `quotes` and `indent` stand before each new line; `marker` stands in the indent of the next one only.
    """

    lines: list[str] = field(default_factory=list)
    quotes: int = 0
    indent: str = ""
    marker: str = ""
    _parts: list[str] = field(default_factory=list)
    _prefix: str = ""
    _last_quotes: int = 0
    _line_quotes: int = 0
    _wants_blank: bool = False
    _has_hard_space: bool = False

    @property
    def is_at_start(self) -> bool:
        """Return whether nothing is written on the line yet."""
        return not self._parts

    def write(self, text: str) -> None:
        """Write text in which any white space is one space."""
        folded = _BLANKS.sub(" ", text)
        if folded.startswith(" ") and (not self._parts or self._parts[-1].endswith(" ")):
            folded = folded[1:]
        if folded:
            self._add(folded)
        elif "\xa0" in text and not self._parts:
            self._has_hard_space = True

    def write_as_typed(self, text: str) -> None:
        """Write text with its spaces and lines."""
        first, *others = text.split("\n")
        for place, line in enumerate((first, *others)):
            if place:
                self.break_line()
            if line:
                self._add(line)

    def break_line(self) -> None:
        """End the line; an empty one becomes a blank line."""
        self.end_line(blank=not self._parts)

    def end_line(self, *, blank: bool = False) -> None:
        """End the line if something is written on it. `blank`: a blank line follows, however often this is said."""
        line = "".join(self._parts).rstrip()
        if line:
            self._finish(line)
        elif self._has_hard_space:
            blank = True
        self._parts.clear()
        self._has_hard_space = False
        self._wants_blank |= blank

    def append(self, text: str, *, spaced: bool) -> None:
        """Write text behind the last word, even if its line has ended."""
        if self._parts and spaced:
            before = self._parts[-1]
            self._parts[-1] = before.rstrip(" ")
            self._parts.append(f" {text} " if before.endswith(" ") else f" {text}")
        elif self._parts:
            self._parts.append(text)
        elif self.lines:
            self.lines[-1] += f" {text}" if spaced else text
        else:
            self._add(text)

    def add_lines(self, lines: list[str]) -> None:
        """Add finished lines, each behind the marks and the indent."""
        self.end_line()
        if not (self.quotes or self.indent or self.marker or self._wants_blank):
            self.lines += lines
            return
        for line in lines:
            if line:
                self._add(line)
            self.end_line(blank=not line)

    def finish(self) -> list[str]:
        """End the line and return all lines."""
        self.end_line()
        return self.lines

    def _add(self, text: str) -> None:
        if not self._parts:
            self._prefix, self._line_quotes = self._start(), self.quotes
        self._parts.append(text)

    def _start(self) -> str:
        """Return what stands before the line, and use up the marker."""
        indent = self.indent[:MAX_INDENT]
        if self.marker:
            indent = (
                indent[: -len(self.marker)] + self.marker
                if len(self.marker) <= len(indent)
                else self.marker
            )
            self.marker = ""
        return "> " * min(self.quotes, MAX_QUOTES) + indent

    def _finish(self, line: str) -> None:
        if self._wants_blank and self.lines:
            shared = min(self._last_quotes, self._line_quotes, MAX_QUOTES)
            self.lines.append(("> " * shared).rstrip())
        self._wants_blank = False
        self._last_quotes = self._line_quotes
        self.lines.append(self._prefix + line)
