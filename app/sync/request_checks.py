"""What this process holds in memory to judge a request without asking the database.

These are the valid service tokens, and the key that checks tokens in our public addresses. Loading belongs to
`app/sync/request_check_refresh.py`, decisions about a request to `app/api/`.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

from app.db.accounts.service_tokens import BOOTSTRAP_ID, ServiceToken, ValidTokens
from app.errors import DatabaseUnavailable

LOOKUPS_PER_SECOND = 20  # of tokens without a check, for each purpose


@dataclass(frozen=True)
class AddressKey:
    """The key that checks tokens in our public addresses, and when it was made."""

    secret: SecretStr
    made_at: datetime


class LookupLimit:
    """Allows a number of look-ups in any second."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=LOOKUPS_PER_SECOND)

    def take(self, now: float) -> bool:
        """Return whether a look-up is allowed at this time in seconds, and count it."""
        if len(self._times) == LOOKUPS_PER_SECOND and now - self._times[0] < 1:
            return False
        self._times.append(now)
        return True


class RequestChecks:
    """The valid service tokens, the key of our addresses, and the limit of look-ups for each kind of address.

    Set `outdated` when the tokens have changed.
    """

    def __init__(self) -> None:
        self._tokens: Mapping[str, ServiceToken] | None = None
        self._bootstrap_is_revoked = False
        self._uses: dict[str, datetime] = {}
        self._stored_uses: dict[str, datetime] = {}
        self._address_key: AddressKey | None = None
        self.outdated = asyncio.Event()
        self.lookups: defaultdict[str, LookupLimit] = defaultdict(LookupLimit)

    @property
    def has_tokens(self) -> bool:
        """Whether the tokens were loaded: before that every request with a token gets 503."""
        return self._tokens is not None

    def find_token(self, token_id: str) -> ServiceToken | None:
        """Return the token with this id if it is not revoked. Raises DatabaseUnavailable before the first load."""
        if self._tokens is None:
            raise DatabaseUnavailable(retry_now=True)
        return self._tokens.get(token_id)

    def is_valid(self, token_id: str, *, now: datetime) -> bool:
        """Return whether a token is valid now. Raises DatabaseUnavailable before the first load.

        Whatever lasts longer than a request of the token asks this again and again: a request that waits, a stream, a
        session of the console.
        """
        found = self.find_token(token_id)
        if token_id == BOOTSTRAP_ID:
            return not self._bootstrap_is_revoked
        return found is not None and not found.is_expired(now)

    def hold_tokens(self, valid: ValidTokens) -> None:
        """Hold these tokens, and no others."""
        self._tokens = {token.token_id: token for token in valid.tokens}
        self._bootstrap_is_revoked = valid.bootstrap_is_revoked
        for uses in (self._uses, self._stored_uses):
            for token_id in uses.keys() - self._tokens.keys():
                del uses[token_id]

    def has_expired_tokens(self, now: datetime) -> bool:
        """Return whether a token that is not revoked has expired."""
        return any(token.is_expired(now) for token in (self._tokens or {}).values())

    def note_use(self, token_id: str, *, now: datetime) -> None:
        """Remember that the token was used in this minute."""
        self._uses[token_id] = now.replace(second=0, microsecond=0)

    def list_new_uses(self) -> dict[str, datetime]:
        """Return the last use of each token that `forget_new_uses` has not been told."""
        return {id_: at for id_, at in self._uses.items() if self._stored_uses.get(id_) != at}

    def forget_new_uses(self, stored: Mapping[str, datetime]) -> None:
        """Note that these uses are stored."""
        self._stored_uses.update(stored)

    @property
    def has_address_key(self) -> bool:
        """Whether the key was loaded."""
        return self._address_key is not None

    def address_key(self) -> AddressKey:
        """Return the key of our addresses. Raises DatabaseUnavailable before it was loaded."""
        if self._address_key is None:
            raise DatabaseUnavailable(retry_now=True)
        return self._address_key

    def hold_address_key(self, key: AddressKey) -> None:
        """Hold the key; it never changes."""
        self._address_key = key
