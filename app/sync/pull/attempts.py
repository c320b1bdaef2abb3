"""One attempt of a run to read Clio: what is known when it begins, and its readers, one for each login.

The order of the steps is in `all_connections`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from app.clio.call_budget import CallBudget
from app.db.connections import connections
from app.db.connections.connections import Connection
from app.db.runs import checkpoints, list_failures, run_logins, runs
from app.db.runs.checkpoints import Pull
from app.db.runs.leases import Lease, fenced_transaction
from app.db.runs.run_logins import RunLogin
from app.db.runs.runs import Kind, Reads, Run
from app.sync.connections import clio_for
from app.sync.pull.eta import Eta, Slice, work
from app.sync.pull.failures import WHO_AM_I
from app.sync.pull.lander import Lander, run_with_lander
from app.sync.pull.listings import SMALL_LISTS, Listing
from app.sync.pull.reader import ConnectionReader
from app.sync.services import Services


@dataclass(frozen=True)
class Begun:
    """The state that an attempt finds: the logins that work, the widest view first, and what the run has done before.

    `aside` are the logins that this run has set aside, `failed` the lists whose failures are counted.
    """

    connected: Sequence[Connection]
    aside: frozenset[str]
    logins: dict[str, RunLogin]
    pulls: Sequence[Pull]
    failed: set[tuple[str, str]]

    def slice_of(self, run: Run, *, now: datetime) -> Slice:
        """Return the beginning of this slice of the run."""
        done, _ = work(self.pulls, assessed=run.assessed)
        return Slice(now, done, run.expected_end)


@dataclass(frozen=True)
class Attempt:
    """One attempt of a run. `readers` are all readers that it has made."""

    services: Services
    lease: Lease
    run: Run
    budget: CallBudget
    lander: Lander
    begun: Begun
    readers: list[ConnectionReader] = field(default_factory=list)
    eta: Eta = field(default_factory=Eta)

    def reader_of(self, connection: Connection) -> ConnectionReader:
        """Return a reader that continues what the run has done as this login."""
        connection_id, run = connection.connection_id, self.run
        clio = clio_for(self.services, connection, run.lane, self.budget)
        login = _continued(self.begun.logins.get(connection_id), connection)
        clio.dropped.update(login.dropped)
        pulls = {
            pull.resource: pull for pull in self.begun.pulls if pull.connection_id == connection_id
        }
        self.eta.clients[connection_id] = clio
        reader = ConnectionReader(
            self.services,
            clio,
            self.lease,
            self.lander,
            connection,
            login,
            self.eta,
            pulls,
            stored=self.begun.logins.get(connection_id),
            beside=None if run.reads is Reads.LISTS else run.run_id,
            read={name for name, pull in pulls.items() if pull.complete},
            failed_before={
                name for login_id, name in self.begun.failed if login_id == connection_id
            },
        )
        if login.full_view is not None:
            reader.read.add(WHO_AM_I)
        if run.reads is Reads.RECORDS:
            reader.read.update(name for name, cursor in login.lists.items() if cursor is None)
        self.readers.append(reader)
        return reader

    def unread_small_lists(self) -> list[Listing]:
        """Return the small lists that no login has read to the end."""
        complete = {pull.resource for pull in self.begun.pulls if pull.complete}
        read = complete.union(*(reader.read for reader in self.readers))
        return [listing for listing in SMALL_LISTS if listing.name not in read]

    def renewed(self, reader: ConnectionReader, newer: Connection) -> ConnectionReader:
        """Return a reader that goes on where another one ended, under a new authorisation of the same login."""
        other = self.reader_of(newer)
        other.login = _continued(reader.login, newer)
        other.pulls.clear()  # they have moved since the attempt began
        return other


def _continued(known: RunLogin | None, connection: Connection) -> RunLogin:
    """Return what the run has done as a login; under a new authorisation Clio is asked again who the user is."""
    if known is None:
        return RunLogin(connection.connection_id, connection.connected_at)
    if known.connected_at == connection.connected_at:
        return known
    kept = tuple(problem for problem in known.problems if problem.code != "needs_reconnect")
    return replace(
        known,
        connected_at=connection.connected_at,
        full_view=None,
        problems=kept,
        complete=False,
    )


async def run_attempt(
    services: Services,
    lease: Lease,
    run: Run,
    budget: CallBudget,
    step: Callable[[Attempt], Awaitable[None]],
) -> None:
    """Begin the pulling phase and do a step beside the lander. All requests are counted, however the step ends."""
    begun = await _begin(services, lease)
    lander = Lander(services.database, lease)
    eta = Eta(begun.slice_of(run, now=services.now()) if run.kind is Kind.INITIAL else None)
    eta.note(begun.pulls)
    eta.assessed = run.assessed
    attempt = Attempt(services, lease, run, budget, lander, begun, eta=eta)

    async def read() -> None:
        failure: Exception | None = None
        try:
            await step(attempt)
        except Exception as error:  # noqa: BLE001  # raised again when the requests are counted
            failure = error
        for reader in attempt.readers:
            await reader.count_usage()
        if failure is not None:
            raise failure

    await run_with_lander(lander, read)


async def _begin(services: Services, lease: Lease) -> Begun:
    account_id, run_id = lease.account_id, lease.run_id
    async with fenced_transaction(services.database, lease, phase=runs.PULLING) as session:
        set_aside = await list_failures.list_set_aside(session, account_id)
        pulls = await checkpoints.list_pulls(session, account_id, [run_id])
        return Begun(
            await connections.list_connected(session, account_id),
            frozenset(one.connection_id for one in set_aside if one.run_id == run_id),
            await run_logins.load_all(session, lease),
            pulls[run_id],
            await list_failures.list_failed(session, lease),
        )
