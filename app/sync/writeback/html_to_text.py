"""Pure: whatever people send, HTML or text, to plain text that is safe to show and to cut.

Clio shows notes as plain text, so nothing of a mail's markup has to survive but its lines, lists and links. nh3 reads
the HTML as browsers do; what would make it slow is taken away first, for mails come from strangers.
"""

import html
import re

import nh3

DEEPEST = 500  # elements inside one another; nobody wrote such a mail, and reading it takes quadratic time
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"]
)
_CLOSED_BY_ITSELF = frozenset(["p", "li", "td", "th", "tr", "dt", "dd", "option"])
_OPENING = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_LONG_TAG = re.compile(r"<[a-zA-Z][^<>]{4096,}>?")  # a picture inside the text, or an attack
_ANY_TAG = re.compile(r"<[^<>]*>")
_ENTITY = "\ue000"  # stands for & while nh3 reads: entities are ours to read, it would take quadratic time
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
_TIDY = _DROPPED | {0xA0: " "}
_NEW_LINE = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")


def text_of_html(source: str) -> str:
    """The text that a reader of the HTML sees, with its paragraphs, list points and the addresses of its links."""
    source = _LONG_TAG.sub(" ", source.replace(_ENTITY, ""))
    if _depth(source) > DEEPEST:
        return one_line(html.unescape(_ANY_TAG.sub(" ", source)), most=len(source))
    clean = nh3.clean(
        source.replace("&", _ENTITY),
        tags=set(_KEPT),
        attributes={"a": {"href"}},
        clean_content_tags={"script", "style", "title"},
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel=None,
    )
    text = _LINK.sub(_with_address, re.sub(r"\s+", " ", clean))
    for pattern, instead in _BREAKS:
        text = pattern.sub(instead, text)
    text = html.unescape(text.replace(_ENTITY, "&"))
    lines = re.sub("[ \t\xa0]+", " ", text).split("\n")
    return tidy("\n".join(line.strip() for line in lines))


def _depth(source: str) -> int:
    """How deep elements are inside one another, at most, taking every tag as it stands."""
    depth = deepest = 0
    for closing, name in _OPENING.findall(source):
        if name.lower() in _VOID or name.lower() in _CLOSED_BY_ITSELF:
            continue
        depth = max(depth - 1, 0) if closing else depth + 1
        deepest = max(deepest, depth)
    return deepest


def _with_address(link: re.Match[str]) -> str:
    """A link as its text and, unless that says it already, its address."""
    address, text = link[1].strip(), link[2]
    bare = address.removeprefix("mailto:").removeprefix("tel:")
    return text if not bare or bare in text else f"{text} ({address})"


def tidy(text: str) -> str:
    """Text without control characters and without those that turn its direction around; no heaps of blank lines."""
    text = _NEW_LINE.sub("\n", text).translate(_TIDY)
    lines = (line.rstrip() for line in text.split("\n"))  # a pattern would take quadratic time
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def one_line(text: str, *, most: int) -> str:
    """Text on one line, so many characters at most."""
    line = " ".join(tidy(text).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def cut(text: str, *, room: int) -> str:
    """Text of at most so many bytes; what was cut ends in a line that says so."""
    whole = text.encode()
    if len(whole) <= room:
        return text
    longest_line = len(_cut_line(len(text)).encode())
    kept = whole[: room - longest_line].decode(errors="ignore").rstrip()
    return kept + _cut_line(len(text) - len(kept))


def _cut_line(characters: int) -> str:
    return f"\n\n[Cut here: {characters:,} more characters did not fit.]"
