"""The keys that seal secrets: do they open what is stored, and sealing all of it again with the newest."""

from dataclasses import dataclass

from app.crypto import DecryptionFailed, TokenCipher
from app.db.connections import sealed_columns
from app.db.connections.sealed_columns import Key, Place
from app.db.session import Database, transaction

BATCH = 200
CHECK_ROW = "key_check/key"


class KeysDoNotFit(Exception):
    """The configured keys are not those that sealed what this database holds."""


@dataclass(frozen=True)
class Rotated:
    """What came of sealing again: sealed anew, sealed with the newest key before, opened by none of the keys."""

    renewed: int = 0
    current: int = 0
    lost: int = 0

    def __add__(self, other: "Rotated") -> "Rotated":
        return Rotated(
            self.renewed + other.renewed, self.current + other.current, self.lost + other.lost
        )


async def check_keys(database: Database, cipher: TokenCipher) -> None:
    """See that the keys open what is stored; raises KeysDoNotFit, lest a wrong key look like lost logins (F29)."""
    async with transaction(database) as session:
        proof = await sealed_columns.key_check(session) or await sealed_columns.any_secret(session)
        if proof is None:
            proof = await sealed_columns.keep_key_check(session, cipher.seal({}, row=CHECK_ROW))
    if not cipher.opens(proof):
        raise KeysDoNotFit


async def rotate(database: Database, cipher: TokenCipher) -> Rotated:
    """Seal every secret again with the newest key; doing it twice is harmless.

    The check value comes last: while any secret may need the old key, we do not start without that.
    """
    total = Rotated()
    for place in sealed_columns.SECRETS:
        total += await _rotate_all(database, cipher, place)
    await _rotate_all(database, cipher, sealed_columns.CHECK)
    return total


async def _rotate_all(database: Database, cipher: TokenCipher, place: Place) -> Rotated:
    total, after = Rotated(), None
    while True:
        async with transaction(database) as session:
            found = await sealed_columns.secrets_after(session, place, after, limit=BATCH)
        for key in found:
            total += await _rotate_one(database, cipher, place, key)
        if len(found) < BATCH:
            return total
        after = found[-1]


async def _rotate_one(database: Database, cipher: TokenCipher, place: Place, key: Key) -> Rotated:
    """One row, read again under its lock: a token that was refreshed meanwhile is not overwritten by the old one."""
    async with transaction(database) as session:
        sealed = await sealed_columns.lock_secret(session, place, key)
        if sealed is None:
            return Rotated()
        try:
            fresh = cipher.renewed(sealed)
        except DecryptionFailed:
            return Rotated(lost=1)
        if fresh is None:
            return Rotated(current=1)
        await sealed_columns.replace_secret(session, place, key, fresh)
        return Rotated(renewed=1)
