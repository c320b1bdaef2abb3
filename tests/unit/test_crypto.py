"""Sealed secrets open only for their own row and key; service tokens are stored as hashes."""

import base64

import pytest

from app.crypto import (
    DecryptionFailed,
    InvalidKey,
    TokenCipher,
    hash_secret,
    new_key,
    new_service_token,
    split_service_token,
)

SECRET = {"access_token": "at", "refresh_token": "rt"}


def test_a_sealed_document_opens_for_its_row():
    cipher = TokenCipher([new_key()])
    assert cipher.open(cipher.seal(SECRET, row="a/1"), row="a/1") == SECRET


def test_a_sealed_document_opens_for_no_other_row():
    # T6: a sealed value swapped between two rows is unusable
    cipher = TokenCipher([new_key()])
    with pytest.raises(DecryptionFailed):
        cipher.open(cipher.seal(SECRET, row="a/1"), row="a/2")


def test_a_sealed_document_opens_for_no_other_column_of_its_row():
    # T6: a sealed value swapped between two columns is unusable
    cipher = TokenCipher([new_key()])
    sealed = cipher.seal(SECRET, row="a/1", column="new")
    assert cipher.open(sealed, row="a/1", column="new") == SECRET
    for column in ("old", None):
        with pytest.raises(DecryptionFailed):
            cipher.open(sealed, row="a/1", column=column)


def test_a_text_of_an_earlier_release_names_no_column_and_opens_until_a_rotation_names_it():
    cipher = TokenCipher([new_key()])
    sealed = cipher.seal(SECRET, row="a/1")
    assert cipher.open(sealed, row="a/1", column="new") == SECRET
    renewed = cipher.rotate(sealed, column="new")
    assert renewed is not None, "although the key is the newest one"
    assert cipher.open(renewed, row="a/1", column="new") == SECRET
    with pytest.raises(DecryptionFailed):
        cipher.open(renewed, row="a/1", column="old")
    assert cipher.rotate(renewed, column="new") is None


def test_a_rotation_keeps_the_place_and_gives_a_document_no_other():
    old, new = new_key(), new_key()
    sealed = TokenCipher([old]).seal(SECRET, row="a/1", column="new")
    both, newest = TokenCipher([new, old]), TokenCipher([new])
    renewed = both.rotate(sealed, column="new")
    assert renewed is not None
    assert newest.open(renewed, row="a/1", column="new") == SECRET
    for row, column in (("a/2", "new"), ("a/1", "old")):
        with pytest.raises(DecryptionFailed):
            newest.open(renewed, row=row, column=column)
    with pytest.raises(DecryptionFailed):
        both.rotate(sealed, column="old")  # somebody has moved it there


def test_a_flipped_bit_or_another_key_opens_nothing():
    cipher = TokenCipher([new_key()])
    sealed = cipher.seal(SECRET, row="r")
    damaged = sealed[:40] + ("A" if sealed[40] != "A" else "B") + sealed[41:]
    for broken, opener in ((damaged, cipher), (sealed, TokenCipher([new_key()]))):
        with pytest.raises(DecryptionFailed):
            opener.open(broken, row="r")


def test_an_old_key_still_opens_after_a_new_one_was_added():
    old, new = new_key(), new_key()
    sealed = TokenCipher([old]).seal(SECRET, row="r")
    assert TokenCipher([new, old]).open(sealed, row="r") == SECRET
    with pytest.raises(DecryptionFailed):
        TokenCipher([old]).open(TokenCipher([new, old]).seal(SECRET, row="r"), row="r")


@pytest.mark.parametrize(
    "key",
    ["", "short", "ü" * 44, base64.urlsafe_b64encode(b"x" * 16).decode(), "A" * 43 + "="],
    ids=["empty", "short", "no base64", "16 bytes", "not random"],
)
def test_a_weak_or_broken_key_is_refused(key):
    with pytest.raises(InvalidKey):
        TokenCipher([key])


def test_without_a_key_nothing_is_sealed():
    with pytest.raises(InvalidKey):
        TokenCipher([])


def test_a_service_token_splits_into_its_id_and_the_hash_of_its_secret():
    token, token_id, secret_hash = new_service_token()
    assert split_service_token(token) == (token_id, secret_hash)
    assert secret_hash == hash_secret(token.split("_", 2)[2])
    assert new_service_token()[0] != token


@pytest.mark.parametrize("token", ["", "lc", "lc_a", "xx_aa_bb", "lc__b", "lc_a-b_c"])
def test_a_text_that_is_not_a_service_token_gives_none(token):
    assert split_service_token(token) is None
