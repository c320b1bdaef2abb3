"""A connection's tokens: opened when needed, refreshed early and once for all processes, stored before use [S9]."""

from datetime import UTC, datetime, timedelta

from app.clio.errors import ClioReauthRequired
from app.clio.oauth import Tokens
from app.clio.regions import Region
from app.crypto import TokenCipher
from app.db.connections import connections
from app.db.connections.connections import Connection
from app.db.connections.revocations import Revocation
from app.db.session import Session, transaction
from app.sync.services import Services

REFRESH_BEFORE = timedelta(minutes=10)  # the end of a token's life


def seal_tokens(cipher: TokenCipher, connection: Connection | Revocation, tokens: Tokens) -> str:
    """Return the tokens, sealed for this connection's row only."""
    document = {
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "expires_at": tokens.expires_at.astimezone(UTC).isoformat(),
    }
    return cipher.seal(document, row=_seal_text(connection))


def open_tokens(
    cipher: TokenCipher, connection: Connection | Revocation, sealed_tokens: str | None
) -> Tokens:
    """Return the tokens of a row. Raises ClioReauthRequired if they were deleted, DecryptionFailed if no key fits."""
    if sealed_tokens is None:
        raise ClioReauthRequired("The connection has no tokens; its user must connect again")
    document = cipher.open(sealed_tokens, row=_seal_text(connection))
    return Tokens(
        access_token=document["access_token"],
        refresh_token=document["refresh_token"],
        expires_at=datetime.fromisoformat(document["expires_at"]),
    )


def _seal_text(connection: Connection | Revocation) -> str:
    """Return the text that binds sealed tokens to their row. Stored tokens contain it: do not change it."""
    return f"connections/{connection.account_id}/{connection.connection_id}"


def _refresh_at(tokens: Tokens, now: datetime) -> datetime:
    """Return when to refresh new tokens: early, but after at least half of a short life, or each call would refresh."""
    return max(tokens.expires_at - REFRESH_BEFORE, now + (tokens.expires_at - now) / 2)


class StoredTokens:
    """The `TokenSource` of one connection. The database row decides; this object only caches it."""

    def __init__(self, services: Services, connection: Connection) -> None:
        self._services = services
        self._connection = connection
        self._known: Tokens | None = None
        self._fresh_until: datetime | None = None

    async def token(self) -> str:
        """Return an access token that is valid for some minutes."""
        if self._known is None:
            async with transaction(self._services.database) as session:
                self._known = await self._read(session)
        if (self._fresh_until or self._known.expires_at - REFRESH_BEFORE) <= self._services.now():
            return await self.renew(self._known.access_token)
        return self._known.access_token

    async def renew(self, refused: str) -> str:
        """Return another access token than the refused one: the one stored since, or a refreshed one.

        The row stays locked while Clio is asked, so that all processes together refresh once [S9].
        """
        connection = self._connection
        account_id, connection_id = connection.account_id, connection.connection_id
        async with transaction(self._services.database) as session:
            stored = await connections.lock_tokens(session, account_id, connection_id)
            tokens = open_tokens(self._services.cipher, connection, stored)
            if tokens.access_token == refused:
                oauth = self._services.regions[Region(connection.region)].oauth
                tokens = await oauth.refresh(tokens, now=self._services.now())
                sealed = seal_tokens(self._services.cipher, connection, tokens)
                await connections.store_tokens(session, account_id, connection_id, sealed)
        now = self._services.now()
        self._known, self._fresh_until = tokens, _refresh_at(tokens, now)
        return tokens.access_token

    async def _read(self, session: Session) -> Tokens:
        connection = self._connection
        stored = await connections.read_tokens(
            session, connection.account_id, connection.connection_id
        )
        return open_tokens(self._services.cipher, connection, stored)
