"""Turns HTML into plain text: a note in Clio says what the mail said, and who said it.

lxml reads the HTML as browsers do, and calls `html_renderer` for each element in the order of the mail. No tree is
built, so the time grows only with the size of the mail, whatever is in it. Anyone can send a mail.
"""

import re

from lxml import etree

from app.rules.texts import tidied
from app.sync.writeback.html_elements import LINES, PARAGRAPHS
from app.sync.writeback.html_renderer import Renderer, TooDeepError
from app.sync.writeback.plain_text import clean, without_unstorable

PORTION = 32 * 1024  # bytes; the parser notices only behind a portion that the renderer gave up
# The parser ends these elements where browsers do not: at a paragraph, or at a table. It knows nothing of `anchor`.
_RENAMED = re.compile(r"<(/?)(s|strike|a)(?=[\s/>])", re.IGNORECASE)
_NAMES = {"s": "del", "strike": "del", "a": "anchor"}
_NESTING = re.compile(
    r"</?(?!(?:script|style|title|textarea|p|li|br)\b)([a-z][a-z0-9]*+)[^<>]*+>", re.IGNORECASE
)


def html_to_text(source: str) -> str:
    """Return the text that a reader of the HTML sees.

    Paragraphs, lists with their numbers, and the rows of tables are kept. Quotes are marked with `>`, struck-out text
    with `[deleted: …]`. Links have their address and pictures their description. Hidden text is left out. Of a mail
    that is nested too deeply only the text and its lines are kept.
    """
    source = without_unstorable(source)
    try:
        lines = _render(_RENAMED.sub(_rename, source))
    except TooDeepError:
        lines = _render(_NESTING.sub(_flatten, source))
    return clean("\n".join(map(tidied, lines)))


def _render(source: str) -> list[str]:
    renderer = Renderer()
    parser = etree.HTMLParser(target=renderer, encoding="utf-8", huge_tree=True)
    whole = source.encode()
    for start in range(0, len(whole), PORTION):
        parser.feed(whole[start : start + PORTION])
    lines: list[str] = parser.close() if whole else []
    return lines


def _rename(tag: re.Match[str]) -> str:
    return f"<{tag[1]}{_NAMES[tag[2].lower()]}"


def _flatten(tag: re.Match[str]) -> str:
    return "<br>" if tag[1].lower() in LINES | PARAGRAPHS else ""
