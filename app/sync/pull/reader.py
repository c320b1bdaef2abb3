"""`ConnectionReader`: what the steps of a pull share while an attempt of a run reads Clio as one connection."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

from app.clio.client import ClioClient
from app.clio.errors import ClioError, ClioRetryLater
from app.db.connections.connections import Connection
from app.db.mirror.visibility import View
from app.db.runs import leases, run_logins
from app.db.runs.checkpoints import Pull
from app.db.runs.leases import Lease
from app.db.runs.run_logins import RunLogin
from app.db.runs.runs import Usage
from app.errors import Problem
from app.sync.concurrency import Stopping
from app.sync.pull.eta import Eta
from app.sync.pull.lander import Lander
from app.sync.pull.listings import Listing
from app.sync.pull.mapping import FIELDS_OF
from app.sync.services import Services


@dataclass(eq=False)
class ConnectionReader:
    """One connection's part in one attempt of a run.

    `login` is what the run has done as it, `pulls` are its lists as they were when the attempt began. `read` are the
    lists that were read to their end, `moved` those that came on in this attempt, `failed` those that could not be
    read, with the error. `failed_before` are the lists whose failures are counted. `pauses` are the waits of what goes
    on in a later attempt; 0 if only the budget is spent. `limited` is the rate limit that the login waits for. `ended`
    says that its user must connect again. `stored` is `login` as it was saved last. `beside` is the run, if it reads no
    lists and can go beside a pull.
    """

    services: Services
    clio: ClioClient
    lease: Lease
    lander: Lander
    connection: Connection
    login: RunLogin
    eta: Eta = field(default_factory=Eta)
    pulls: dict[str, Pull] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)
    failed: dict[str, ClioError] = field(default_factory=dict)
    failed_before: set[str] = field(default_factory=set)
    pauses: list[timedelta] = field(default_factory=list)
    limited: ClioRetryLater | None = None
    ended: bool = False
    stored: RunLogin | None = None
    beside: str | None = None

    @property
    def connection_id(self) -> str:
        """The id of the connection."""
        return self.connection.connection_id

    @property
    def view(self) -> View:
        """The view of the login, as far as it is known."""
        account_id, full_view = self.connection.account_id, bool(self.login.full_view)
        return View(account_id, self.connection_id, full_view=full_view, beside=self.beside)

    @property
    def readable(self) -> set[str]:
        """The lists that this login can read, as far as that is known while it is not done."""
        begun = {name for name, pull in self.pulls.items() if pull.pages} | self.moved
        return self.read | (begun - self.failed.keys()) if self.pauses else self.read

    @property
    def wait(self) -> timedelta:
        """The time for which the login has nothing to do, if something of it goes on in a later attempt."""
        return self.limited.after if self.limited else min(self.pauses)

    def check_stop(self) -> None:
        """Raise Stopping when the process must stop: what was read is stored, and the next slice goes on from there."""
        if self.services.stopping.is_set():
            raise Stopping

    def note(self, **changes: Any) -> None:
        """Change what the run has done as this login; `save` stores it."""
        self.login = replace(self.login, **changes)

    def note_problem(self, problem: Problem) -> None:
        """Add a problem to those of the login."""
        self.note(problems=(*self.login.problems, problem))

    def note_list(self, name: str, cursor: str | None) -> None:
        """Note where a list that has no pull continues; None if there is nothing more to read."""
        self.note(lists={**self.login.lists, name: cursor})

    async def save(self) -> None:
        """Store what the run has done as this login, if it has changed, after what was put before."""
        self.note(dropped=frozenset(self.clio.dropped))
        if self.login != self.stored:
            await self.lander.put(partial(run_logins.save, lease=self.lease, login=self.login))
            self.stored = self.login

    async def count_usage(self) -> None:
        """Add the requests that no page has counted to those of the run."""
        usage = usage_of(self.clio)
        await self.lander.put(partial(leases.count_usage, lease=self.lease, usage=usage))


def view_of(reader: ConnectionReader, listing: Listing) -> View:
    """Return the reader's view of a list, without the fields that Clio no longer has.

    Unknown fields keep the values in the mirror instead of becoming empty (I4, F19).
    """
    unseen = {
        field
        for name, fields in FIELDS_OF.items()
        if name in reader.clio.dropped and name.startswith(f"{listing.name}.")
        for field in fields
    }
    return replace(reader.view, unseen=frozenset(unseen))


def usage_of(clio: ClioClient) -> Usage:
    """Return and reset the client's count of requests to Clio."""
    taken = clio.take_usage()
    return Usage(taken.requests, taken.rate_limited, taken.waited_seconds)
