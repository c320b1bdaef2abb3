"""The meaning of HTML elements for plain text: tables of the elements, and the few styles that count.

How text is laid out does not belong here; that is `html_renderer`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

MAX_STYLE_LENGTH = 5_000  # characters of a style attribute that are read

UNSEEN = frozenset(
    ["head", "title", "style", "script", "template", "svg", "math", "object", "applet", "iframe", "audio", "video",
     "canvas", "datalist", "noembed", "noframes"]
)  # fmt: skip
PARAGRAPHS = frozenset(
    ["p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "table", "ul", "ol", "dl", "menu", "dir", "pre", "xmp",
     "listing", "plaintext", "figure", "fieldset", "hr", "multicol"]
)  # fmt: skip
LINES = frozenset(
    ["html", "body", "div", "center", "section", "article", "aside", "main", "nav", "header", "footer", "hgroup",
     "address", "details", "summary", "figcaption", "form", "legend", "search", "dialog", "li", "dt", "dd", "caption",
     "thead", "tbody", "tfoot", "tr", "td", "th", "option", "optgroup", "select", "textarea", "frameset", "layer"]
)  # fmt: skip
LISTS = frozenset(["ul", "ol", "menu", "dir"])
AS_TYPED = frozenset(["pre", "xmp", "listing", "plaintext", "textarea"])
STRUCK = frozenset(["del", "s", "strike"])

_TYPED = frozenset(["pre", "pre-wrap", "pre-line", "break-spaces"])
_BLOCKS = frozenset(["block", "flex", "grid", "list-item", "table"])
_OUTLOOK_QUOTE = re.compile(r"solid \S+ 1\.5pt")  # the line beside a quoted mail
_OUTLOOK_HEADER = re.compile(
    r"solid #(?:e1e1e1|b5c4df) 1\.0pt"
)  # the line above its sender, date and subject
_ZERO = re.compile(r"[+-]?(?:0+\.?0*|\.0+)(?:px|pt|em|rem|ex|ch|%|in|cm|mm|pc|vw|vh)?")


@dataclass(frozen=True, slots=True)
class Style:
    """The styles of an element that change its text; None: it inherits.

    `hidden` hides all parts; a part of what is `invisible` or `tiny` may be shown. `as_typed` keeps white space.
    """

    hidden: bool = False
    invisible: bool | None = None
    tiny: bool | None = None
    as_typed: bool | None = None
    block: bool = False
    struck: bool = False
    indented: bool = False
    quoted: bool = False
    heads_quote: bool = False
    tight: bool = False
    numbering: str = ""


PLAIN = Style()


def style_of(tag: str, attributes: Mapping[str, str]) -> Style:
    """Return the style of an element from its attributes.

    Outlook hides what has `mso-hide`; other programs show it. Senders hide lines with it, and also links that look like
    buttons in other programs: such a link is kept.
    """
    declared = attributes.get("style", "")[:MAX_STYLE_LENGTH].lower()
    style = _style(declared.replace("mso-hide", "") if tag == "anchor" else declared)
    if "hidden" in attributes:
        style = replace(style, hidden=True)
    if attributes.get("class", "").startswith("Mso"):  # Word puts no space around its paragraphs
        style = replace(style, tight=True)
    return style


@lru_cache(maxsize=1_000)
def _style(declared: str) -> Style:
    """Return the style that a style attribute declares; a mail repeats the same few very often."""
    if not declared:
        return PLAIN
    pairs = (part.partition(":") for part in declared.split(";"))
    said = {name.strip(): value.replace("!important", "").strip() for name, _, value in pairs}
    visibility, size, space = (
        said.get(name) for name in ("visibility", "font-size", "white-space")
    )
    lines = said.get("text-decoration", "") + said.get("text-decoration-line", "")
    return Style(
        hidden=_is_hidden(said),
        invisible=None if visibility is None else visibility in ("hidden", "collapse"),
        tiny=None if size is None else _is_zero(size),
        as_typed=None if space is None else space in _TYPED,
        block=said.get("display") in _BLOCKS,
        struck="line-through" in lines,
        indented=said.get("border") == "none" and "margin" in said,
        quoted=_OUTLOOK_QUOTE.fullmatch(said.get("border-left", "")) is not None,
        heads_quote=_OUTLOOK_HEADER.fullmatch(said.get("border-top", "")) is not None,
        tight=_is_tight(said),
        numbering=said.get("list-style-type", ""),
    )


def _is_hidden(said: Mapping[str, str]) -> bool:
    """Return whether nothing of the element is shown, whatever its parts say."""
    if said.get("display") == "none" or said.get("mso-hide") == "all":
        return True
    flat = _is_zero(said.get("max-height", "")) or _is_zero(said.get("height", ""))
    return _is_zero(said.get("opacity", "")) or (flat and said.get("overflow") == "hidden")


def _is_tight(said: Mapping[str, str]) -> bool:
    """Return whether the element has no space above and below."""
    around = said.get("margin", "").split()
    above, below = (around[0], around[2 if len(around) > 2 else 0]) if around else ("", "")
    return _is_zero(said.get("margin-top", above)) and _is_zero(said.get("margin-bottom", below))


def _is_zero(length: str) -> bool:
    return _ZERO.fullmatch(length) is not None
