"""The keys that seal secrets: check that they open what is stored, and seal all secrets with the newest key."""

from dataclasses import asdict, dataclass
from datetime import datetime

from app.crypto import DecryptionFailed, TokenCipher
from app.db.accounts import audit
from app.db.accounts.audit import OPERATOR, AuditAction
from app.db.connections import sealed_columns
from app.db.connections.sealed_columns import RowKey, SealedColumn
from app.db.session import Database
from app.db.system import system_transaction

BATCH_SIZE = 200
CHECK_ROW = "key_check/key"


class KeysDoNotFit(Exception):
    """The configured keys cannot open the secrets of this database."""


@dataclass(frozen=True)
class RotationResult:
    """The counts of a rotation.

    `renewed`: sealed again. `current`: sealed with the newest key before. `lost`: none of the keys opens it, or it was
    sealed for another column.
    """

    renewed: int = 0
    current: int = 0
    lost: int = 0

    def __add__(self, other: "RotationResult") -> "RotationResult":
        return RotationResult(
            self.renewed + other.renewed, self.current + other.current, self.lost + other.lost
        )


async def check_keys(database: Database, cipher: TokenCipher) -> None:
    """Raise KeysDoNotFit if the keys do not open what is stored; store a check value if nothing is stored yet.

    Without this check a wrong key would look like logins that no longer work.
    """
    async with system_transaction(database) as session:
        proof = await sealed_columns.find_key_check(
            session
        ) or await sealed_columns.find_any_secret(session)
        if proof is None:
            proof = await sealed_columns.store_key_check(session, cipher.seal({}, row=CHECK_ROW))
    if not cipher.can_open(proof):
        raise KeysDoNotFit


async def rotate_keys(database: Database, cipher: TokenCipher, *, now: datetime) -> RotationResult:
    """Seal every secret with the newest key and return the counts. Repeating is harmless.

    The check value comes last: as long as a secret may need the old key, the service does not start without it. The
    audit log of the service records the rotation.
    """
    total = RotationResult()
    for place in sealed_columns.SEALED_COLUMNS:
        total += await _rotate_all(database, cipher, place)
    await _rotate_all(database, cipher, sealed_columns.KEY_CHECK)
    async with system_transaction(database) as session:
        action = AuditAction("keys.rotated", details=asdict(total))
        await audit.record_of_service(session, OPERATOR, action, now=now)
    return total


async def _rotate_all(
    database: Database, cipher: TokenCipher, place: SealedColumn
) -> RotationResult:
    total, after = RotationResult(), None
    while True:
        async with system_transaction(database) as session:
            found = await sealed_columns.list_keys_after(session, place, after, limit=BATCH_SIZE)
        for key in found:
            total += await _rotate_one(database, cipher, place, key)
        if len(found) < BATCH_SIZE:
            return total
        after = found[-1]


async def _rotate_one(
    database: Database, cipher: TokenCipher, place: SealedColumn, key: RowKey
) -> RotationResult:
    """Seal one row again; read it under its lock, so that a token refreshed meanwhile is not overwritten."""
    async with system_transaction(database) as session:
        sealed = await sealed_columns.lock_secret(session, place, key)
        if sealed is None:
            return RotationResult()
        try:
            renewed = cipher.rotate(sealed, column=sealed_columns.name_in_seal(place))
        except DecryptionFailed:
            return RotationResult(lost=1)
        if renewed is None:
            return RotationResult(current=1)
        await sealed_columns.replace_secret(session, place, key, renewed)
        return RotationResult(renewed=1)
