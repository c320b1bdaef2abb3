"""`Services`: everything that the functions of `app/sync` need from outside. `app.main` builds it once per process."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.clio.call_budget import CallBudget
from app.clio.client import ClioClient
from app.clio.local_rate_limit import LocalLimit
from app.clio.oauth import ClioOAuth, TokenSource
from app.clio.regions import ClioApp, Region, origin_of
from app.crypto import TokenCipher
from app.db.accounts.accounts import Account
from app.db.retention import Periods
from app.db.session import Database
from app.lanes import Lane
from app.sync.request_checks import RequestChecks
from app.sync.waits import Readers, Waits
from app.webhook_sender import WebhookSender


@dataclass(frozen=True)
class OfferedRegion:
    """A region of Clio in which this service has a registered app."""

    app: ClioApp
    oauth: ClioOAuth


@dataclass(frozen=True)
class Timing:
    """The configured times.

    `slots` are `HH:MM` in the account's time zone; `slot_spread` is the time over which accounts are spread after a
    slot. A `lease` that is not renewed for its length may be taken over. `heartbeat` is the interval in which a worker
    reports that a job is alive. A write whose answer was lost may still arrive at Clio within `settle`. A login whose
    list fails for `set_aside_after` is set aside if another login can read the list [row 53]; if none can for
    `outage_issue_after`, an issue says so.
    """

    slots: tuple[str, ...]
    slot_spread: timedelta
    lease: timedelta
    heartbeat: timedelta
    settle: timedelta = timedelta(seconds=60)
    set_aside_after: timedelta = timedelta(minutes=10)
    outage_issue_after: timedelta = timedelta(hours=2)


class LocalLimits:
    """One rate limit for each Clio login, shared by everything in this process that uses the login's token [S10]."""

    def __init__(self) -> None:
        self._by_connection: dict[str, LocalLimit] = {}

    def of(self, connection_id: str) -> LocalLimit:
        """Return the limit of a connection's token; make it on first use."""
        return self._by_connection.setdefault(connection_id, LocalLimit())


@dataclass(frozen=True)
class Services:
    """The database, Clio and the other parts that a step uses.

    `open_budget` returns what a slice that begins now may do.
    `feed_waits` are the requests that wait for changes of a feed, by account; `run_readers` those that follow a run, by
    run; `token_waits` what waits for tokens that another process refreshes, by connection. `now` is the only clock.
    `stopping` is set once, when the process must end.
    """

    database: Database
    cipher: TokenCipher
    regions: Mapping[Region, OfferedRegion]
    open_clio: Callable[[ClioApp, TokenSource, LocalLimit, Lane, CallBudget | None], ClioClient]
    open_budget: Callable[[], CallBudget]
    local_limits: LocalLimits
    feed_waits: Readers
    run_readers: Readers
    token_waits: Waits
    request_checks: RequestChecks
    timing: Timing
    retention: Periods
    notifier: WebhookSender
    public_url: str
    return_origins: frozenset[str]
    now: Callable[[], datetime]
    stopping: asyncio.Event


def clio_web_origin(services: Services, account: Account) -> str:
    """Return the origin under which a person opens the account's records in Clio."""
    region = Region(account.clio.region) if account.clio else Region.US
    offered = services.regions.get(region)
    return offered.app.origin if offered else origin_of(region)
