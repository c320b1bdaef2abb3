"""What this process holds in memory to judge a request without asking the database.

These are the valid service tokens, and the key that checks tokens in our public addresses. Loading belongs to
`app/sync/request_check_refresh.py`, decisions about a request to `app/api/`.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.db.accounts.service_tokens import ServiceToken
from app.errors import DatabaseUnavailable

LOOKUPS_PER_SECOND = 20  # of tokens without a check, for each purpose


@dataclass(frozen=True)
class AddressKey:
    """The key that checks tokens in our public addresses, and when it was made."""

    secret: str = field(repr=False)
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
        self._address_key: AddressKey | None = None
        self.outdated = asyncio.Event()
        self.lookups: defaultdict[str, LookupLimit] = defaultdict(LookupLimit)

    def find_token(self, token_id: str) -> ServiceToken | None:
        """Return the valid token with this id, or None. Raises DatabaseUnavailable before the first load."""
        if self._tokens is None:
            raise DatabaseUnavailable(retry_now=True)
        return self._tokens.get(token_id)

    def hold_tokens(self, tokens: Iterable[ServiceToken]) -> None:
        """Hold these tokens, and no others."""
        self._tokens = {token.token_id: token for token in tokens}

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
