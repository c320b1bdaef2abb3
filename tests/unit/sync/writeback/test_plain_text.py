"""Plain text: cleaned, on one line, and truncated to the limit."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.sync.writeback.plain_text import clean, one_line, truncate


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        ("one\n two", "one two"),
        ("one two", "one two"),
        ("one two!", "one tw…"),
        ("one   two three", "one tw…"),
        ("onetwo three", "onetwo…"),
        ("12345\u202e three", "12345…"),
    ],
)
def test_a_subject_is_one_line_and_a_longer_one_ends_with_an_ellipsis(text: str, line: str):
    # WB-9
    assert one_line(text, max_length=7) == line


def test_a_text_of_blanks_is_cleaned_in_seconds():
    began = time.process_time()
    assert clean("a" + " " * 4_000_000 + "b").startswith("a ")
    assert time.process_time() - began < 5


@given(st.text())
def test_cleaned_text_has_no_control_or_bidi_characters_and_cleaning_again_changes_nothing(
    text: str,
):
    tidy = clean(text)
    assert not any(ord(c) < 32 and c not in "\n\t" for c in tidy)
    assert not set(tidy) & set(
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\x7f\x85\ufeff"
    )
    assert clean(tidy) == tidy


long_texts = st.builds(lambda text, times: text * times, st.text(), st.integers(1, 200))


@given(long_texts, st.integers(min_value=100, max_value=300))
@example("x" * 101, 100)
@example("é" * 2000, 299)
def test_truncated_text_fits_and_says_how_much_is_missing(text: str, max_bytes: int):
    # WB-9
    cut = truncate(text, max_bytes=max_bytes)
    assert len(cut.encode()) <= max_bytes
    if cut != text:
        kept, _, line = cut.rpartition("\n\n[Cut here: ")
        missing = int(line.removesuffix(" more characters did not fit.]").replace(",", ""))
        assert text.startswith(kept)
        assert len(kept) + missing == len(text)


@given(st.text())
def test_a_subject_is_one_line_of_bounded_length(text: str):
    line = one_line(text, max_length=40)
    assert len(line) <= 40
    assert "\n" not in line
