"""Encryption of stored secrets, and the secrets of service tokens. Keys come from the configuration."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from typing_extensions import override

KEY_BYTES = 32
TOKEN_PREFIX = "lc"  # noqa: S105  # makes a token recognisable; it is not a secret


class InvalidKey(ValueError):
    """An encryption key is not 32 random bytes in URL-safe base64."""


class DecryptionFailed(Exception):
    """A sealed document cannot be opened: it has another key or another row, or it is damaged."""


class TokenCipher:
    """Seals (encrypts) documents with the newest key and opens them with any key.

    A sealed document contains the name of its row and opens only for that row. Where a table has more than one column
    of secrets, it contains the name of its column too. Documents of earlier releases have none and open without it,
    until `rotate` has added it.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise InvalidKey(
                "there is no key; it must be 32 random bytes in URL-safe base64 (44 characters)"
            )
        fernets = [Fernet(_check_key(key)) for key in keys]
        self._keys, self._newest = MultiFernet(fernets), fernets[0]

    @override
    def __repr__(self) -> str:
        return "TokenCipher('**********')"

    def seal(self, document: dict[str, str], *, row: str, column: str | None = None) -> str:
        """Return the document, encrypted for a row, and for a column of it if the row has several secrets."""
        place = {"row": row} if column is None else {"row": row, "column": column}
        return self._encrypt({**place, "document": document})

    def open(self, sealed: str, *, row: str, column: str | None = None) -> dict[str, str]:
        """Return the document that was sealed for this place. Raise DecryptionFailed if that is not possible."""
        body = self._decrypt(sealed)
        if body["row"] != row:
            raise DecryptionFailed("A stored secret belongs to another row")
        _check_column(body, column)
        document: dict[str, str] = body["document"]
        return document

    def can_open(self, sealed: str) -> bool:
        """Return whether one of the keys can decrypt this, for any row."""
        return _can_decrypt(self._keys, sealed)

    def rotate(self, sealed: str, *, column: str | None = None) -> str | None:
        """Return the same document for the same row, sealed with the newest key; None if there is nothing to change.

        A document that names no column is sealed for this one, if it is given. Raise DecryptionFailed if no key opens
        the document, or if it names another column.
        """
        body = self._decrypt(sealed)
        _check_column(body, column)
        if _can_decrypt(self._newest, sealed) and body.get("column") == column:
            return None
        return self._encrypt(body if column is None else {**body, "column": column})

    def _encrypt(self, body: Mapping[str, object]) -> str:
        return self._newest.encrypt(json.dumps(body, separators=(",", ":")).encode()).decode()

    def _decrypt(self, sealed: str) -> dict[str, Any]:
        try:
            body: dict[str, Any] = json.loads(self._keys.decrypt(sealed.encode()))
        except (InvalidToken, ValueError) as error:
            raise DecryptionFailed(
                "A stored secret cannot be decrypted with the configured encryption keys"
            ) from error
        return body


def _check_column(body: Mapping[str, Any], column: str | None) -> None:
    if body.get("column", column) != column:
        raise DecryptionFailed("A stored secret belongs to another column")


def _can_decrypt(keys: Fernet | MultiFernet, sealed: str) -> bool:
    try:
        keys.decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True


def new_key() -> str:
    """Return a new random encryption key."""
    return Fernet.generate_key().decode()


def _check_key(key: str) -> bytes:
    try:
        raw = base64.b64decode(key, altchars=b"-_", validate=True)
    except ValueError as error:
        raise InvalidKey(
            "An encryption key must be URL-safe base64 of 32 random bytes (44 characters)"
        ) from error
    if len(raw) != KEY_BYTES or len(key) != 44:
        raise InvalidKey(
            "An encryption key must be 32 random bytes in URL-safe base64 (44 characters)"
        )
    if len(set(raw)) < 8:
        raise InvalidKey("An encryption key must be random; create one as docs/operations.md says")
    return key.encode()


def hash_secret(secret: str) -> str:
    """Return the hash under which a random secret is stored. 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def keyed_hash(key: str, text: str) -> bytes:
    """Return a keyed hash that recognises a text again. Without the key, nobody can find the text by trying values."""
    return hmac.digest(key.encode(), text.encode(), "sha256")


def new_service_token() -> tuple[str, str, str]:
    """Return a new service token, its public id, and the hash of its secret."""
    token_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    return f"{TOKEN_PREFIX}_{token_id}_{secret}", token_id, hash_secret(secret)


def split_service_token(token: str) -> tuple[str, str] | None:
    """Return a token's public id and the hash of its secret, or None if the text is not a service token."""
    parts = token.split("_", 2)
    if len(parts) != 3 or parts[0] != TOKEN_PREFIX or not parts[1].isalnum():
        return None
    return parts[1], hash_secret(parts[2])
