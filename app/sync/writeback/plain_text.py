"""Pure functions on plain text: clean it, put it on one line, cut it to a size. HTML does not belong here."""

import re

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


def without_unstorable(text: str) -> str:
    """Return the text without NUL and halves of characters."""
    return _UNSTORABLE.sub("", text)


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
