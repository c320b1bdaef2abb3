"""A sighting stores in a short text what its login was shown, and nothing is lost."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.db.mirror.shown_fields import _NAMES, decode, encode
from app.rules.shown import content_of
from tests.rules.builders import ALICE, MATTERS
from tests.rules.generators import CONTACTS
from tests.rules.generators import MATTERS as ANY_MATTER


@given(CONTACTS | ANY_MATTER, st.booleans())
def test_what_was_shown_is_stored_without_loss(record: Any, full_view: bool):
    shown = content_of(record)
    assert decode(encode(shown, full_view=full_view)) == (shown, full_view)


def test_the_text_is_short_and_its_bits_stay_where_they_are():
    # rows of earlier releases have them: a name may only be added at the end
    assert _NAMES[:3] == ("name", "first_name", "middle_name")
    assert (_NAMES[12], _NAMES[27], len(_NAMES)) == ("addresses", "description", 28)
    assert encode(content_of(ALICE), full_view=True) == "f:1ceb 1 2 3 4 5 6 7"
    assert encode(content_of(MATTERS[201]), full_view=False).startswith(":")
