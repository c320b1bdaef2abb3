"""Sealing secrets, and the secrets of service tokens. Keys come from outside and stay in memory."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

KEY_BYTES = 32
TOKEN_PREFIX = "lc"  # noqa: S105  # a prefix for the eye, no secret


class InvalidKey(ValueError):
    """A key is not 32 bytes in URL-safe base64."""


class DecryptionFailed(Exception):
    """What was sealed cannot be opened: another key, another row, or damage."""


class TokenCipher:
    """Seals documents with the newest key and opens them with any; a sealed document opens for its own row only."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise InvalidKey("No encryption key is configured")
        fernets = [Fernet(_check_key(key)) for key in keys]
        self._keys, self._newest = MultiFernet(fernets), fernets[0]

    def seal(self, document: dict[str, str], *, row: str) -> str:
        """The document, sealed for a row."""
        body = json.dumps({"row": row, "document": document}, separators=(",", ":"))
        return self._keys.encrypt(body.encode()).decode()

    def open(self, sealed: str, *, row: str) -> dict[str, str]:
        """The document that was sealed for this row; raises SealBroken."""
        try:
            body = json.loads(self._keys.decrypt(sealed.encode()))
        except (InvalidToken, ValueError) as error:
            raise DecryptionFailed(
                "A stored secret cannot be opened with the configured keys"
            ) from error
        if body["row"] != row:
            raise DecryptionFailed("A stored secret belongs to another row")
        document: dict[str, str] = body["document"]
        return document

    def opens(self, sealed: str) -> bool:
        """Whether one of the keys sealed this, for whatever row."""
        return _can_decrypt(self._keys, sealed)

    def renewed(self, sealed: str) -> str | None:
        """The same, sealed with the newest key for the same row; None when it is already. Raises SealBroken."""
        if _can_decrypt(self._newest, sealed):
            return None
        try:
            return self._keys.rotate(sealed.encode()).decode()
        except InvalidToken as error:
            raise DecryptionFailed(
                "A stored secret cannot be opened with the configured keys"
            ) from error


def _can_decrypt(keys: Fernet | MultiFernet, sealed: str) -> bool:
    try:
        keys.decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True


def new_key() -> str:
    """A new encryption key."""
    return Fernet.generate_key().decode()


def _check_key(key: str) -> bytes:
    try:
        raw = base64.b64decode(key, altchars=b"-_", validate=True)
    except ValueError as error:
        raise InvalidKey("An encryption key is not URL-safe base64") from error
    if len(raw) != KEY_BYTES or len(key) != 44:
        raise InvalidKey(
            "An encryption key must be 32 random bytes in URL-safe base64 (44 characters)"
        )
    if len(set(raw)) < 8:
        raise InvalidKey("An encryption key must be random")
    return key.encode()


def hash_secret(secret: str) -> str:
    """The hash under which a random secret is stored; 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def keyed_hash(key: str, text: str) -> bytes:
    """What tells a text again without telling the text: nobody without the key can try all that it might be."""
    return hmac.digest(key.encode(), text.encode(), "sha256")


def new_service_token() -> tuple[str, str, str]:
    """A new service token, its public id, and the hash of its secret."""
    token_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    return f"{TOKEN_PREFIX}_{token_id}_{secret}", token_id, hash_secret(secret)


def split_service_token(token: str) -> tuple[str, str] | None:
    """A token's public id and the hash of its secret; None for what is no token of ours."""
    parts = token.split("_", 2)
    if len(parts) != 3 or parts[0] != TOKEN_PREFIX or not parts[1].isalnum():
        return None
    return parts[1], hash_secret(parts[2])
