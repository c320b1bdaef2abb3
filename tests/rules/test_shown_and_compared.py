"""The compared and the shown form of texts [row 51]."""

import re
import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.rules.texts import compared, shown, shown_line, usable_address

UNSEEN = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\u061c\u202a\u202d\u202c\u2066\u2069\ufe0f\u034f\u180e"
FLAG = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
PIECES = st.sampled_from(
    [*UNSEEN, *FLAG, "\u3164", "\u2800", " ", "\t", "\n", "a", "B", "é", "e\u0301", "ß", "ﬁ", "İ", "\u0345", "Α", "ا",
     "ש", "ക", "്", "न", "👩", "❤", "葛", "\U000e0100", "ᠠ", "\u180b", "\u0600", "한", "1"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=12)


def test_every_format_character_is_ignored_in_comparison():
    # row 51: whatever version of Unicode this Python knows
    every = [chr(code) for code in range(sys.maxunicode + 1)]
    seen = [
        char for char in every if unicodedata.category(char) == "Cf" and compared(f"{char}a") != "a"
    ]
    assert seen == []


@pytest.mark.parametrize(
    "text",
    ["", " ", "\u3000\u2003", "\u200b", "\u2060\ufeff", "\u00ad", "\u202d\u202c", "\u034f", "\u115f\u3164\uffa0",
     "\u2800", "\ufe0f", "\U000e0041", "\x07", "\u180e \u200e"],
)  # fmt: skip
def test_a_text_without_anything_to_see_is_empty(text: str):
    # row 51
    assert (compared(text), shown(text), shown_line(text)) == ("", None, "")


EQUAL = [
    ("Judge", "\ufeffJudge"),
    ("Judge", "\u200bjudge\u2060 "),
    ("Opposing Counsel", "opposing\u00a0\u200b COUNSEL"),
    ("café", "cafe\u0301"),
    ("caf\u00e9", "CAFE\u200b\u0301"),
    ("Straße", "STRASSE"),
    ("ΌΣΟΣ", "όσος"),
    ("ᾳ\u0301", "\u03b1\u0301\u0345"),
    ("❤", "❤\ufe0f"),
    ("👩\u200d👧", "👩👧"),
    ("می\u200cخواهم", "میخواهم"),
]


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_texts_that_look_alike_are_equal(one: str, other: str):
    # row 51
    assert compared(one) == compared(other) != ""


@pytest.mark.parametrize(
    ("one", "other"), [("e", "é"), ("a b", "ab"), ("Judge", "Judges"), ("o", "0"), ("ﬁ", "f")]
)
def test_texts_that_look_different_are_not_equal(one: str, other: str):
    assert compared(one) != compared(other)


SHOWN = [
    ("\u200b\u200bJudge \ufeff", "Judge"),
    ("Mar\u200bia", "Maria"),
    ("Donau\u00adstraße", "Donaustraße"),
    ("\u202dAnn\u202c  Lee", "Ann  Lee"),
    ("Ann\x07", "Ann"),
    ("cafe\u0301", "cafe\u0301"),
    ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
    ("❤\ufe0f\u200d🔥 ", "❤\ufe0f\u200d🔥"),
    ("❤\ufe0f", "❤\ufe0f"),
    (f"{FLAG}\u200b", FLAG),
    ("🧔🏽\u200d♂\ufe0f\u200b", "🧔🏽\u200d♂\ufe0f"),
    ("👩\u200d", "👩"),
    ("a\U000e0067b", "ab"),
    ("می\u200cخواهم\u200c", "می\u200cخواهم"),
    ("ക്\u200d", "ക്\u200d"),
    ("क्\u200dष", "क्\u200dष"),
    ("\u200fשלום\u200f (919)\u200e", "שלום\u200f (919)"),
    ("\u200eAnn\u200e Lee", "Ann Lee"),
    ("葛\U000e0100城", "葛\U000e0100城"),
    ("ᠠ\u180bᠠ", "ᠠ\u180bᠠ"),
    ("\u060012", "\u060012"),
    ("12 Elm St\nApt 4", "12 Elm St\nApt 4"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "seen"), SHOWN)
def test_the_shown_form_loses_only_format_characters_that_nothing_needs(text: str, seen: str):
    # row 51
    assert shown(text) == seen


@given(TEXTS)
@example("\u0345\u0301a")
@example("a \u200b\ufe0f")
def test_both_forms_are_final_and_agree(text: str):
    # row 51
    folded, seen = compared(text), shown(text)
    assert compared(folded) == folded
    assert (seen is None) == (folded == "")
    if seen is not None:
        assert shown(seen) == seen == seen.strip()
        assert compared(seen) == compared(shown_line(text)) == folded


@given(TEXTS, TEXTS)
def test_unseen_characters_and_the_normal_form_never_make_a_difference(one: str, other: str):
    # row 51
    whole = compared(one + other)
    assert compared(f"{UNSEEN}{one}\u200b{other}\ufeff ") == whole
    assert compared(unicodedata.normalize("NFD", one + other)) == whole
    assert compared(unicodedata.normalize("NFC", one + other)) == whole


@given(TEXTS)
def test_a_shown_text_begins_and_ends_with_something_to_see(text: str):
    # row 51
    seen = shown(text) or "x"
    assert compared(seen[0]) or seen[0] == "\u0600"  # a sign before a number, which can be seen
    assert not re.search(
        "[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\\s]\\Z", seen
    )


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (None, None),
        ("\u200b", None),
        (" Ann@Home.test\u200b\n", "Ann@Home.test"),
        ("an\u200bn@home.test", "ann@home.test"),
        ("ann@home.test\r\nBcc: all@firm.test", None),
        ("ann@home.test\nben@home.test", None),
        ("ann@\rhome.test", None),
        ("ann@home.test\u2028x", None),
    ],
)
def test_an_address_with_a_line_break_is_unusable(text: str | None, address: str | None):
    # row 51
    assert usable_address(text) == address
