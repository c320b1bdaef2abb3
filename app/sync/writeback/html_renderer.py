"""Writes the plain text of HTML while it is parsed.

The parser calls `start`, `data` and `end` in the order of the mail; no tree is built. What elements and styles mean is
in `html_elements`, how lines are laid out in `text_canvas`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.sync.writeback.html_elements import (
    AS_TYPED,
    LINES,
    LISTS,
    PARAGRAPHS,
    STRUCK,
    UNSEEN,
    Style,
    style_of,
)
from app.sync.writeback.list_numbers import Numbering, numbering
from app.sync.writeback.text_canvas import Canvas

MAX_DEPTH = (
    500  # open elements: no real mail has so many, and the parser searches them for each end tag
)
MAX_TABLES = 10  # tables within each other whose rows are kept together
SCHEMES = ("http:", "https:", "mailto:", "tel:")
RULE = "-" * 10
_ORDINALS = frozenset(["st", "nd", "rd", "th", "tm", "sm", "r", "®", "™", "ª", "º"])


class TooDeepError(Exception):
    """More elements are open than `MAX_DEPTH`."""


@dataclass(slots=True)
class Element:
    """An open element. `opens` is written before its first text, `closes` at its end if there was any."""

    tag: str = ""
    starts_line: bool = False
    is_paragraph: bool = False
    is_cell: bool = False
    has_rows: bool = False
    keeps_rows: bool = False
    hidden: bool = False
    invisible: bool = False
    tiny: bool = False
    as_typed: bool = False
    struck: bool = False
    quotes: int = 0
    is_outlook_quote: bool = False
    indent: str = ""
    numbering: Numbering = field(default_factory=Numbering)
    opens: str = ""
    closes: str = ""
    address: str = ""
    texts: list[str] | None = None
    has_text: bool = False


class Renderer:
    """The target of a parser: collects the lines of the text."""

    def __init__(self) -> None:
        self._canvas = Canvas()
        self._outer: list[Canvas] = []  # those in whose cells the text is
        self._rows: list[list[list[str]]] = []  # the finished cells of the open row of each table
        self._open = [Element()]
        self._unopened: list[Element] = []  # elements whose `opens` is not written yet
        self._link: Element | None = None

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Open an element. Raises TooDeepError."""
        if len(self._open) > MAX_DEPTH:
            raise TooDeepError
        style = style_of(tag, attributes)
        if style.heads_quote or attributes.get("id") == "divRplyFwdMsg":
            self._begin_outlook_quote()
        element = self._element(tag, attributes, style)
        self._open.append(element)
        if element.hidden:
            return
        if element.starts_line:
            self._canvas.end_line(blank=element.is_paragraph)
        if element.opens:
            self._unopened.append(element)
        self._begin(element, attributes, style)

    def data(self, text: str) -> None:
        """Write text, unless it is hidden."""
        element = self._open[-1]
        if element.hidden or element.invisible or element.tiny:
            return
        if not text.isspace():
            self._write_openings(text)
        self._write(text)
        element.has_text = True

    def end(self, tag: str) -> None:
        """Close the element that was opened last; the parser closes each element once."""
        element = self._open.pop()
        if element.hidden:
            return
        if element.opens:
            self._close_marks(element)
        if element is self._link:
            self._end_link()
        self._end_table(element)
        if element.starts_line:
            self._canvas.end_line(blank=element.is_paragraph)
        if tag == "li":
            self._canvas.marker = ""

    def close(self) -> list[str]:
        """Return the lines of the text."""
        return self._canvas.finish()

    def _begin_outlook_quote(self) -> None:
        """Quote all that follows: Outlook writes the earlier mail behind its sender, date and subject, unmarked."""
        if not any(element.is_outlook_quote for element in self._open):
            for element in self._open:
                element.quotes += 1

    def _element(self, tag: str, attributes: Mapping[str, str], style: Style) -> Element:
        above = self._open[-1]
        is_quote, is_indent = _quote(tag, attributes, style)
        is_sublist = tag in LISTS and (above.tag == "li" or above.tag in LISTS)
        struck = (tag in STRUCK or style.struck) and not above.struck
        return Element(
            tag=tag,
            keeps_rows=above.keeps_rows,
            starts_line=tag in PARAGRAPHS or tag in LINES or style.block,
            is_paragraph=tag in PARAGRAPHS and not style.tight and not is_sublist,
            hidden=above.hidden or style.hidden or tag in UNSEEN,
            invisible=above.invisible if style.invisible is None else style.invisible,
            tiny=above.tiny if style.tiny is None else style.tiny,
            as_typed=tag in AS_TYPED
            or (above.as_typed if style.as_typed is None else style.as_typed),
            struck=above.struck or struck,
            quotes=above.quotes + is_quote,
            is_outlook_quote=style.quoted,
            indent=above.indent + "    " * is_indent + "  " * (is_sublist and above.tag != "li"),
            numbering=above.numbering,
            opens="[deleted: " if struck else _OPENINGS.get(tag, ""),
            closes="]" if struck else _CLOSINGS.get(tag, ""),
        )

    def _begin(self, element: Element, attributes: Mapping[str, str], style: Style) -> None:
        """Do what only this kind of element needs."""
        tag = element.tag
        if tag == "br":
            self._canvas.break_line()
        elif tag == "hr":
            self.data(RULE)
        elif tag == "img":
            self._begin_image(attributes)
        elif tag == "anchor":
            self._begin_link(element, attributes)
        elif tag in LISTS:
            element.numbering = numbering(tag, attributes, style.numbering)
        elif tag == "li":
            marker = element.numbering.marker(attributes.get("value"))
            element.indent += " " * len(marker)
            self._canvas.marker += marker
        elif tag in ("table", "tr", "td", "th"):
            self._begin_table(element)

    def _begin_image(self, attributes: Mapping[str, str]) -> None:
        described = attributes.get("alt", "").strip()
        if described:
            self.data(f"[{described}]")

    def _begin_link(self, element: Element, attributes: Mapping[str, str]) -> None:
        if self._link is not None:  # it was not closed
            self._end_link()
        address = "".join(attributes.get("href", "").split())
        if address.lower().startswith(SCHEMES):
            element.address, element.texts = address, []
            self._link = element

    def _end_link(self) -> None:
        """Write the address of the link behind its text, unless the text contains it."""
        link, self._link = self._link, None
        if link is None or link.texts is None or link.invisible or link.tiny:
            return
        text = " ".join("".join(link.texts).split())
        bare = link.address.removeprefix("mailto:").removeprefix("tel:")
        if bare not in text:
            self._canvas.append(f"({link.address})", spaced=True)

    def _begin_table(self, element: Element) -> None:
        """Open a table, a row or a cell. A cell has a canvas of its own until its row ends."""
        if element.tag == "table":
            element.keeps_rows = element.has_rows = len(self._rows) < MAX_TABLES
            if element.has_rows:
                self._rows.append([])
        elif element.keeps_rows:
            if element.tag == "tr":
                self._end_row()
                element.has_rows = True
            else:
                self._outer.append(self._canvas)
                self._canvas = Canvas()
                element.is_cell, element.quotes, element.indent = True, 0, ""

    def _end_table(self, element: Element) -> None:
        """Close a cell, a row or a table, if the element is one whose rows are kept together."""
        if element.is_cell:
            lines = self._canvas.finish()
            self._canvas = self._outer.pop()
            self._rows[-1].append(lines)
        elif element.has_rows:
            self._end_row()
            if element.tag == "table":
                self._rows.pop()

    def _end_row(self) -> None:
        """Write the cells of a row on one line, or below each other if one has several lines."""
        cells, self._rows[-1] = self._rows[-1], []
        while cells and not cells[-1]:
            cells.pop()
        self._place()
        if all(len(cell) < 2 and not "".join(cell).startswith(">") for cell in cells):
            row = " | ".join("".join(cell) for cell in cells).removeprefix(" | ")
            self._canvas.add_lines([row] if row else [])
        else:
            for cell in cells:
                self._canvas.add_lines(cell)

    def _write_openings(self, text: str) -> None:
        """Write the marks before the first text of the open elements that have one."""
        for element in self._unopened:
            element.has_text = True
            if element.tag == "sup" and text.strip().lower() in _ORDINALS:
                continue
            self._write(element.opens)
        self._unopened.clear()

    def _close_marks(self, element: Element) -> None:
        if self._unopened and self._unopened[-1] is element:
            self._unopened.pop()
        elif element.closes:
            self._canvas.append(element.closes, spaced=False)

    def _write(self, text: str) -> None:
        element = self._open[-1]
        self._place()
        if self._link is not None and self._link.texts is not None:
            self._link.texts.append(text)
        if not element.as_typed:
            self._canvas.write(text)
        else:
            typed = text.replace("\r\n", "\n").replace("\r", "\n")
            is_first = element.tag in AS_TYPED and not element.has_text
            self._canvas.write_as_typed(typed.removeprefix("\n") if is_first else typed)

    def _place(self) -> None:
        """Set the marks and the indent of the lines that begin now."""
        self._canvas.quotes, self._canvas.indent = self._open[-1].quotes, self._open[-1].indent


_OPENINGS = {"sup": "^", "sub": "_", "q": '"'}
_CLOSINGS = {"q": '"'}


def _quote(tag: str, attributes: Mapping[str, str], style: Style) -> tuple[bool, bool]:
    """Return whether an element quotes somebody, and whether it is only indented: mail programs use the same tag."""
    kind = attributes.get("class", "")
    if tag != "blockquote":
        return style.quoted or "yahoo_quoted" in kind, False
    names = kind.replace("blockquote", "")  # Apple Mail indents with `webkit-indent-blockquote`
    is_cited = attributes.get("type") == "cite" or "cite" in attributes or "quote" in names
    return is_cited or not style.indented, style.indented and not is_cited
