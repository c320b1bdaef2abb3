"""Pure functions: HTML or text of any kind to plain text that is safe to show and to truncate.

Clio shows notes as plain text, so only lines, lists and links of a mail's markup are kept. nh3 parses the HTML as
browsers do. Input that would make it slow is removed first, because anyone can send a mail.
"""

import html
import re

import nh3

MAX_DEPTH = 500  # nested elements; no real mail has so many, and parsing them takes quadratic time
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"]
)
_CLOSED_IMPLICITLY = frozenset(["p", "li", "td", "th", "tr", "dt", "dd", "option"])
_OPENING = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_LONG_TAG = re.compile(r"<[a-zA-Z][^<>]{4096,}>?")  # an embedded picture, or an attack
_ANY_TAG = re.compile(r"<[^<>]*>")
_ENTITY = "\ue000"  # replaces & while nh3 parses: entities are decoded here, because nh3 takes quadratic time for them
_PARAGRAPHS = (
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "table",
    "ul",
    "ol",
    "pre",
    "hr",
)
_LINES = ("div", "tr", "br", "section", "article", "header", "footer")
_KEPT = frozenset([*_PARAGRAPHS, *_LINES, "li", "td", "th", "a"])
_LINK = re.compile(r'<a href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)
_BREAKS = (
    (re.compile(rf"</?(?:{'|'.join(_PARAGRAPHS)})\b[^>]*>"), "\n\n"),
    (re.compile(rf"</?(?:{'|'.join(_LINES)})\b[^>]*>"), "\n"),
    (re.compile(r"<li\b[^>]*>"), "\n- "),
    (re.compile(r"</t[dh]>"), " "),
    (_ANY_TAG, ""),
)

_BIDI = [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_DROPPED = {
    code: None
    for code in [*range(0x20), *range(0x7F, 0xA0), *_BIDI, 0xFEFF, *range(0xD800, 0xE000)]
    if chr(code) not in "\n\t"
}
_CLEANED = _DROPPED | {0xA0: " "}
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # NUL, and halves of characters
_NEW_LINE = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")


def count_unstorable(text: str) -> int:
    """Return how many characters of a text are NUL or half a character: `clean` drops them [row 52]."""
    return len(_UNSTORABLE.findall(text))


def html_to_text(source: str) -> str:
    """Return the text that a reader of the HTML sees, with paragraphs, list items and the addresses of links."""
    source = _LONG_TAG.sub(" ", _UNSTORABLE.sub("", source).replace(_ENTITY, ""))
    if _depth(source) > MAX_DEPTH:
        return one_line(html.unescape(_ANY_TAG.sub(" ", source)), max_length=len(source))
    markup = nh3.clean(
        source.replace("&", _ENTITY),
        tags=set(_KEPT),
        attributes={"a": {"href"}},
        clean_content_tags={"script", "style", "title"},
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel=None,
    )
    text = _LINK.sub(_with_address, re.sub(r"\s+", " ", markup))
    for pattern, replacement in _BREAKS:
        text = pattern.sub(replacement, text)
    text = html.unescape(text.replace(_ENTITY, "&"))
    lines = re.sub("[ \t\xa0]+", " ", text).split("\n")
    return clean("\n".join(line.strip() for line in lines))


def _depth(source: str) -> int:
    """Return the greatest depth of nested elements; each tag is counted as it is written."""
    depth = max_depth = 0
    for closing, name in _OPENING.findall(source):
        if name.lower() in _VOID or name.lower() in _CLOSED_IMPLICITLY:
            continue
        depth = max(depth - 1, 0) if closing else depth + 1
        max_depth = max(max_depth, depth)
    return max_depth


def _with_address(link: re.Match[str]) -> str:
    """Return a link as its text and, unless the text contains it, its address."""
    address, text = link[1].strip(), link[2]
    bare = address.removeprefix("mailto:").removeprefix("tel:")
    return text if not bare or bare in text else f"{text} ({address})"


def clean(text: str) -> str:
    """Return text without control characters, without direction overrides and with one blank line at most."""
    text = _NEW_LINE.sub("\n", text).translate(_CLEANED)
    lines = (
        line.rstrip() for line in text.split("\n")
    )  # a regular expression would take quadratic time
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def one_line(text: str, *, max_length: int) -> str:
    """Return the text on one line of at most `max_length` characters."""
    line = " ".join(clean(text).split())
    return line if len(line) <= max_length else line[: max_length - 1].rstrip() + "…"


def truncate(text: str, *, max_bytes: int) -> str:
    """Return text of at most `max_bytes` bytes of UTF-8; truncated text ends in a line that says so."""
    whole = text.encode()
    if len(whole) <= max_bytes:
        return text
    longest_line = len(_truncation_line(len(text)).encode())
    kept = whole[: max_bytes - longest_line].decode(errors="ignore").rstrip()
    return kept + _truncation_line(len(text) - len(kept))


def _truncation_line(characters: int) -> str:
    return f"\n\n[Cut here: {characters:,} more characters did not fit.]"
