"""The order of things: connect, pull, assess, write back, tell. Owns no SQL and no HTTP.

`Services` is the frozen bundle that every function here takes first; `main` builds it.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.clio.client import ClioClient
from app.clio.local_limit import Budget
from app.clio.oauth import ClioOAuth, TokenSource
from app.clio.regions import ClioApp, Region, origin_of
from app.clio.shared_limit import Lane
from app.crypto import TokenCipher
from app.db.accounts.accounts import Account
from app.db.session import Database
from app.webhook_sender import Notifier


@dataclass(frozen=True)
class Offered:
    """A region whose Clio app is registered with us."""

    app: ClioApp
    oauth: ClioOAuth


@dataclass(frozen=True)
class Timing:
    """When runs are due, how soon a dead worker's work is taken over, and how late a lost write may still arrive."""

    slots: tuple[str, ...]
    slot_spread: timedelta
    lease: timedelta
    heartbeat: timedelta
    settle: timedelta = timedelta(seconds=60)


@dataclass(frozen=True)
class Services:
    """All that the steps need from outside. `stopping` is set once, when the process must end."""

    database: Database
    cipher: TokenCipher
    regions: Mapping[Region, Offered]
    open_clio: Callable[[ClioApp, TokenSource, Budget, Lane], ClioClient]
    budgets: "Budgets"
    timing: Timing
    notifier: Notifier
    public_url: str
    return_origins: frozenset[str]
    now: Callable[[], datetime]
    stopping: asyncio.Event


class Budgets:
    """One rate budget per Clio login, shared by all that use its token in this process [S10]."""

    def __init__(self) -> None:
        self._by_connection: dict[str, Budget] = {}

    def of(self, connection_id: str) -> Budget:
        """The budget of a connection's token."""
        return self._by_connection.setdefault(connection_id, Budget())


def web_origin(services: Services, account: Account) -> str:
    """Where a person opens the account's records in Clio."""
    region = Region(account.clio.region) if account.clio else Region.US
    offered = services.regions.get(region)
    return offered.app.origin if offered else origin_of(region)
