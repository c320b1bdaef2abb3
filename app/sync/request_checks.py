"""What this process holds in memory to judge a request without asking the database: the valid service tokens.

Loading belongs to `app/sync/request_check_refresh.py`, decisions about a request to `app/api/`.
"""

import asyncio
from collections.abc import Iterable, Mapping

from app.db.accounts.service_tokens import ServiceToken
from app.errors import DatabaseUnavailable


class RequestChecks:
    """The valid service tokens by id. Set `outdated` when they have changed."""

    def __init__(self) -> None:
        self._tokens: Mapping[str, ServiceToken] | None = None
        self.outdated = asyncio.Event()

    def find_token(self, token_id: str) -> ServiceToken | None:
        """Return the valid token with this id, or None. Raises DatabaseUnavailable before the first load."""
        if self._tokens is None:
            raise DatabaseUnavailable(headers={"Retry-After": "1"})
        return self._tokens.get(token_id)

    def hold_tokens(self, tokens: Iterable[ServiceToken]) -> None:
        """Hold these tokens, and no others."""
        self._tokens = {token.token_id: token for token in tokens}
