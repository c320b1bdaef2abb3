"""A connection's tokens: opened when needed, refreshed early and once for all processes, stored before use [S9]."""

from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from app.clio.errors import ClioError, ClioReauthRequired
from app.clio.oauth import Tokens
from app.clio.regions import Region
from app.clio.responses import DEADLINE
from app.crypto import TokenCipher
from app.db.connections import connections, revocations, stored_tokens
from app.db.connections.connections import Connection
from app.db.connections.revocations import Revocation
from app.db.notifications import key_of
from app.db.session import Session, transaction
from app.sync.concurrency import wait_or_stop
from app.sync.services import Services

REFRESH_BEFORE = timedelta(minutes=10)  # the end of a token's life
# The lease of a refresh lasts longer than the request to Clio may take.
REFRESH_LEASE = timedelta(seconds=DEADLINE + 10)
LOOK_AGAIN_AFTER = 5.0  # seconds to wait for the tokens that another process refreshes, if nothing is heard of them


def seal_tokens(cipher: TokenCipher, connection: Connection | Revocation, tokens: Tokens) -> str:
    """Return the tokens, sealed for this connection's row only."""
    document = {
        "access_token": tokens.access_token.get_secret_value(),
        "refresh_token": tokens.refresh_token.get_secret_value(),
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
        access_token=SecretStr(document["access_token"]),
        refresh_token=SecretStr(document["refresh_token"]),
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
            async with transaction(self._services.database, self._connection.account_id) as session:
                self._known = await self._read(session)
        if (self._fresh_until or self._known.expires_at - REFRESH_BEFORE) <= self._services.now():
            return await self.renew(self._known.access_token.get_secret_value())
        return self._known.access_token.get_secret_value()

    async def renew(self, refused: str) -> str:
        """Return another access token than the refused one: the one stored since, or a refreshed one.

        All processes together refresh once: the first one has a lease, and the others wait for its tokens [S9].
        Nobody holds a database connection meanwhile. Raises Stopping, ClioReauthRequired and other errors of Clio.
        """
        account_id, connection_id = self._connection.account_id, self._connection.connection_id
        with self._services.token_waits.changes(key_of(account_id, connection_id)) as stored:
            while True:
                stored.clear()
                async with transaction(self._services.database, account_id) as session:
                    tokens, login = await self._claim_refresh(session, refused)
                renewed: Tokens | None = tokens
                if tokens.access_token.get_secret_value() == refused:
                    renewed = await self._refresh(login, tokens) if login else None
                if renewed is not None:
                    return self._keep(renewed)
                if login is None:
                    await wait_or_stop(self._services.stopping, stored, LOOK_AGAIN_AFTER)

    async def _claim_refresh(
        self, session: Session, refused: str
    ) -> tuple[Tokens, Connection | None]:
        """Return the stored tokens; also their login if they were refused and this process must refresh them."""
        account_id, connection_id = self._connection.account_id, self._connection.connection_id
        stored = await stored_tokens.lock_tokens(session, account_id, connection_id)
        tokens = open_tokens(self._services.cipher, self._connection, stored)
        if tokens.access_token.get_secret_value() != refused:
            return tokens, None
        login = await connections.get_connection(session, account_id, connection_id)
        claimed = await stored_tokens.claim_refresh(session, login, length=REFRESH_LEASE)
        return tokens, login if claimed else None

    async def _refresh(self, login: Connection, tokens: Tokens) -> Tokens | None:
        """Return refreshed tokens, stored; None if the login has got other tokens or has ended meanwhile."""
        offered = self._services.regions[Region(login.region)]
        try:
            renewed = await offered.oauth.refresh(tokens, now=self._services.now())
        except ClioError:
            if await self._end_refresh(login, tokens, tokens):
                raise
            return None
        return renewed if await self._end_refresh(login, tokens, renewed) else None

    async def _end_refresh(self, login: Connection, old: Tokens, new: Tokens) -> bool:
        """Store the tokens after a refresh; return False if those before are no longer stored.

        Then nobody uses the new ones, and Clio is told to revoke them. Newer tokens of the same login are an exception:
        Clio does not say whether these would end as well.
        """
        cipher = self._services.cipher
        async with transaction(self._services.database, login.account_id) as session:
            stored = await stored_tokens.lock_tokens(session, login.account_id, login.connection_id)
            sealed = seal_tokens(cipher, login, new)
            if stored is not None and open_tokens(cipher, login, stored) == old:
                await stored_tokens.store_tokens(
                    session, login.account_id, login.connection_id, sealed
                )
                return True
            if new != old and not await stored_tokens.is_connected_as(session, login):
                await revocations.owe(session, login, sealed, now=self._services.now())
        return False

    def _keep(self, tokens: Tokens) -> str:
        self._known, self._fresh_until = tokens, _refresh_at(tokens, self._services.now())
        return tokens.access_token.get_secret_value()

    async def _read(self, session: Session) -> Tokens:
        connection = self._connection
        stored = await stored_tokens.read_tokens(
            session, connection.account_id, connection.connection_id
        )
        return open_tokens(self._services.cipher, connection, stored)
