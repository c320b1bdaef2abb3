"""A connection's tokens: opened when needed, refreshed early, once for all processes, stored before use [S9]."""

from datetime import UTC, datetime, timedelta

from app.clio.errors import ClioReauthRequired
from app.clio.oauth import Tokens
from app.clio.regions import Region
from app.crypto import TokenCipher
from app.db.connections import connections
from app.db.connections.connections import Connection
from app.db.session import Session, transaction
from app.sync.services import Services

EARLY = timedelta(minutes=10)  # refresh this long before the end of a token's life


def sealed(cipher: TokenCipher, connection: Connection, tokens: Tokens) -> str:
    """The tokens, sealed for this connection's row alone."""
    document = {
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "expires_at": tokens.expires_at.astimezone(UTC).isoformat(),
    }
    return cipher.seal(document, row=_row(connection))


def opened(cipher: TokenCipher, connection: Connection, sealed_tokens: str | None) -> Tokens:
    """The tokens of a row; raises ClioReauthRequired when they have been forgotten."""
    if sealed_tokens is None:
        raise ClioReauthRequired("The connection has no tokens; its user must connect again")
    document = cipher.open(sealed_tokens, row=_row(connection))
    return Tokens(
        access_token=document["access_token"],
        refresh_token=document["refresh_token"],
        expires_at=datetime.fromisoformat(document["expires_at"]),
    )


def _row(connection: Connection) -> str:
    return f"connections/{connection.account_id}/{connection.connection_id}"


def _refresh_at(tokens: Tokens, now: datetime) -> datetime:
    """When new tokens are to be refreshed: early, yet a short life is used by half, or each call would refresh."""
    return max(tokens.expires_at - EARLY, now + (tokens.expires_at - now) / 2)


class StoredTokens:
    """The `TokenSource` of one connection: the row holds the truth, this only remembers it."""

    def __init__(self, services: Services, connection: Connection) -> None:
        self._services = services
        self._connection = connection
        self._known: Tokens | None = None
        self._fresh_until: datetime | None = None

    async def token(self) -> str:
        """An access token that is good for a while."""
        if self._known is None:
            async with transaction(self._services.database) as session:
                self._known = await self._read(session)
        if (self._fresh_until or self._known.expires_at - EARLY) <= self._services.now():
            return await self.renew(self._known.access_token)
        return self._known.access_token

    async def renew(self, refused: str) -> str:
        """Another access token than the refused one: what somebody else stored since, or a refreshed one.

        The row stays locked while Clio is asked, so that all processes refresh once [S9, F12].
        """
        mine = self._connection
        async with transaction(self._services.database) as session:
            stored = await connections.lock_tokens(session, mine.account_id, mine.connection_id)
            tokens = opened(self._services.cipher, mine, stored)
            if tokens.access_token == refused:
                oauth = self._services.regions[Region(mine.region)].oauth
                tokens = await oauth.refresh(tokens, now=self._services.now())
                fresh = sealed(self._services.cipher, mine, tokens)
                await connections.store_tokens(session, mine.account_id, mine.connection_id, fresh)
        now = self._services.now()
        self._known, self._fresh_until = tokens, _refresh_at(tokens, now)
        return tokens.access_token

    async def _read(self, session: Session) -> Tokens:
        mine = self._connection
        stored = await connections.read_tokens(session, mine.account_id, mine.connection_id)
        return opened(self._services.cipher, mine, stored)
