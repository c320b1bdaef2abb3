"""The two forms of a text that people typed: the compared form and the shown form [row 51].

The compared form decides whether two texts are equal, whether a pattern excludes one, and whether there is anything to
see. The shown form is what Levitate gets. Names, labels, roles, segments and e-mail addresses all use these functions.
"""

import re
import unicodedata
from functools import lru_cache

# All characters of Unicode's category Cf, those that are ignorable by default, and control characters, except white
# space. The ranges also cover code points that Unicode has reserved for such characters.
_UNSEEN = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_NUMBER_SIGNS = "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd\U00013430-\U0001343f"  # can be seen
_FORMAT = re.compile(f"[{_UNSEEN}{_NUMBER_SIGNS}]+")
_BLANK = "\u2800"  # an empty Braille cell, which people use as a space that looks like a name

_PICTURES = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_COMPLEX = (  # scripts whose letters join or stack, or that mark the ends of words with invisible characters
    "\u0600-\u109f\u1780-\u18af\u1900-\u1aaf\u1b00-\u1c4f\u1cd0-\u1cff\ua800-\ua8ff\ua900-\ua95f\ua980-\uabff"
    "\ufb50-\ufdff\ufe70-\ufefc\U00010a00-\U00012000\U0001e900-\U0001e95f"
)
_VIRAMAS = "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca"
_FROM_RIGHT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
# What stays of the unseen characters: a flag's tags; joiners between pictures; joiners and breaks within complex
# scripts; Mongolian forms; variants of pictures, digits and letters; letters that fill a Korean or Khmer syllable.
_NEEDED = (
    "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"
    f"|(?<=[\ufe0f{_PICTURES}])\u200d(?=[{_PICTURES}])"
    f"|(?<=[{_COMPLEX}])[\u200b-\u200d\u2060](?=[{_COMPLEX}])|(?<=[{_VIRAMAS}])[\u200c\u200d]"
    f"|(?<=[\u1820-\u18af])[\u180b-\u180f]|(?<=[^\\s{_UNSEEN}])[\ufe00-\ufe0f\U000e0100-\U000e01ef]"
    "|[\u115f\u1160\u17b4\u17b5\u3164\uffa0]"
)
_MARKS = "\u061c\u200e\u200f"  # say how signs beside letters from right to left are placed
_TIDIED = re.compile(f"({_NEEDED})|[{_UNSEEN}]")
_TIDIED_FROM_RIGHT = re.compile(f"({_NEEDED}|[{_MARKS}])|[{_UNSEEN}]")
_START = re.compile(f"[\\s{_BLANK}{_UNSEEN}]*")
_END = re.compile(f"[\\s{_BLANK}{_MARKS}]*\\Z")


@lru_cache(maxsize=20_000)
def compared(text: str) -> str:
    """Return the form that decides equality: NFC, without format characters, white space folded, case folded.

    It is empty if there is nothing to see.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFD", without_format_characters(text).replace(_BLANK, " "))
        return unicodedata.normalize("NFC", " ".join(text.split()).casefold())
    if not text.isprintable():
        text = without_format_characters(text)
    return " ".join(text.split()).casefold()


def shown(text: str | None) -> str | None:
    """Return the form that people see: trimmed, without format characters that no emoji or script needs.

    It is None if there is nothing to see.
    """
    if not text:
        return None
    if (text.isascii() and text.isprintable()) or not (_BLANK in text or _FORMAT.search(text)):
        return text.strip() or None
    if not compared(text):
        return None
    return _END.sub("", _START.sub("", tidied(text), count=1), count=1)


def tidied(text: str) -> str:
    """Return the text without the format characters that no emoji or script needs."""
    if not _FORMAT.search(text):
        return text
    pattern = _TIDIED_FROM_RIGHT if _FROM_RIGHT.search(text) else _TIDIED
    return pattern.sub(r"\1", text)


def without_format_characters(text: str) -> str:
    """Return the text without any format character."""
    return _FORMAT.sub("", text)


def shown_line(text: str | None) -> str:
    """Return the shown form in NFC with its white space folded, as labels are; empty if there is nothing to see."""
    if text and text.isascii() and text.isprintable():  # most are
        return " ".join(text.split())
    line = " ".join((shown(text) or "").split())
    return line if line.isascii() else unicodedata.normalize("NFC", line)


def usable_address(text: str | None) -> str | None:
    """Return the shown form of an e-mail address, or None if it is blank or has a line break.

    A line break would end the header line of a mail, and what follows would become a line of its own.
    """
    address = shown(text)
    return address if address and len(address.splitlines()) == 1 else None
