"""User ids have any printable characters; in `Levitate-User` they are percent-encoded UTF-8 [API-2]."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.api.acting_user import ActingUserInvalid, decode_user_id
from app.api.schemas.base import UserId
from app.errors import InvalidRequest

PRINTABLE = st.text(st.characters().filter(str.isprintable), min_size=1, max_size=128)
USER_ID: TypeAdapter[str] = TypeAdapter(UserId)
TOO_LONG = "a" * 129


@given(PRINTABLE)
def test_every_printable_id_survives_the_header(user_id: str):
    assert USER_ID.validate_python(user_id) == user_id
    assert decode_user_id(quote(user_id, safe="")) == user_id
    sparing = "".join(one if one.isascii() and one != "%" else quote(one) for one in user_id)
    assert decode_user_id(sparing) == user_id


@given(st.text(st.characters(categories=["C", "Zl", "Zp"]), min_size=1, max_size=5))
def test_an_id_with_a_character_that_nobody_can_see_is_refused(text: str):
    with pytest.raises(ValidationError):
        USER_ID.validate_python(text)
    if text.encode(errors="replace").decode() == text:
        with pytest.raises(InvalidRequest) as refused:
            decode_user_id(quote(text, safe=""))
        assert refused.value.errors[0][0] == "header:levitate-user"


@pytest.mark.parametrize(
    "text", ["", TOO_LONG, "a\x00", "a\nb", "\ud800", "a\u200bb", "\u00a0", "\x7f"]
)
def test_an_id_has_1_to_128_printable_characters(text: str):
    with pytest.raises(ValidationError):
        USER_ID.validate_python(text)


@pytest.mark.parametrize(
    "value", ["100%", "%", "%4", "%zz", "a%2 b", "%C3", "%FF", "%ED%A0%80", "é", "a\tb", "a\x7f"]
)
def test_a_header_that_is_not_percent_encoded_utf_8_is_refused(value: str):
    with pytest.raises(ActingUserInvalid) as refused:
        decode_user_id(value)
    assert refused.value.status == 400
    assert "write % as %25" in refused.value.detail


@pytest.mark.parametrize("value", ["", TOO_LONG, "%00", "%0A", "%E2%80%8B", "%C3%A9" * 129])
def test_a_header_whose_content_is_no_user_id_is_refused(value: str):
    with pytest.raises(InvalidRequest):
        decode_user_id(value)


def test_128_characters_may_be_many_bytes():
    assert decode_user_id("%F0%9F%A6%89" * 128) == "🦉" * 128
