"""Hours of trouble around a service that must never stop in silence.

    python -m tests.chaos.soak --minutes 60 --slots 5 --stops 120 --kills 300 --seed 1

Five accounts are at work while the database is stopped, read-only, silent, out of connections and slow in turn, Clio is
behind a proxy's error page, one login cannot read a list, one firm cannot be read at all, a mass mailing is written and
an account is erased. One of two processes gets SIGTERM, or is killed with -9, at regular times. Then all faults end.
Nothing may be lost or doubled, every part of both processes must work, and the health of each account must have said so
whenever no run had succeeded for two slots.
"""

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from app.db import embedded
from tests.chaos import soak_accounts
from tests.chaos.checks import check_logs, check_parts
from tests.chaos.database_faults import DatabaseFaults
from tests.chaos.disturbed_processes import WORK, DisturbedProcesses
from tests.chaos.expected import ClioReader
from tests.chaos.health_watch import OVERDUE, HealthWatch
from tests.chaos.loops import loop_thread
from tests.chaos.processes import REGIONS, Stack, running_stack
from tests.chaos.proxy import FaultRates, Proxy, running
from tests.chaos.soak_accounts import ERASED, KEPT, Load
from tests.chaos.webhook_inbox import Inbox, running_inbox
from tests.support.database_proxy import database_proxy
from tests.support.ports import free_port

RATE_LIMIT = 150  # requests a minute for each login, so that the mailing lasts
MAILED = 0.4 * RATE_LIMIT  # notes a minute: as many in the mailing, and again as many after it
LATENCY = 0.1  # seconds for each response of Clio
PATIENCE = 300.0  # seconds
LONGEST = 1.5  # times the length
PARTS_PATIENCE = 60.0  # seconds; a process may be started again meanwhile


@dataclass(frozen=True)
class Pace:
    """How long the soak is and how often something happens, in seconds."""

    length: float
    slot: int
    stop: float
    kill: float

    @property
    def fault(self) -> float:
        """Return the time from one fault of the database or of Clio to the next."""
        return self.kill / 2

    @property
    def notes(self) -> int:
        """Return the number of notes in the mass mailing: Clio's rate limit spreads them over most of the time."""
        return int(self.length / 60 * MAILED)

    @property
    def between_notes(self) -> float:
        """Return the time from one single note to the next: they go on when the mailing is written."""
        return 60 / MAILED


@dataclass
class Report:
    """Counts of the soak."""

    stops: int
    kills: dict[str, int]
    faults: list[str]
    slots: int
    stops_of_firms: int
    changes: dict[str, int]
    notes: int
    events: int
    seconds: float


@dataclass
class Soak:
    """The service, its two processes, and everything that disturbs them."""

    stack: Stack
    processes: DisturbedProcesses
    proxy: Proxy
    database: DatabaseFaults
    inbox: Inbox
    watch: HealthWatch
    load: Load
    pace: Pace
    rng: random.Random
    began: float = field(default_factory=time.monotonic)
    faults: list[str] = field(default_factory=list)

    def run(self) -> Report:
        """Disturb everything for the given time, end the faults, and check."""
        soak_accounts.break_lists(self.stack)
        recipients = self.load.choose_recipients()
        self._side_by_side(
            self._disturb_processes,
            self._disturb_network,
            partial(self.load.change_firm, self._is_over, self.pace.slot / 10, recipients),
            partial(
                self.load.mail, self._is_over, recipients, self.pace.notes, self.pace.between_notes
            ),
            self._erase,
            partial(self.watch.watch, self._is_over),
        )
        soak_accounts.mend_lists(self.stack)
        self.processes.check_running()
        soak_accounts.settle(self.load)
        return self._check()

    def _is_over(self) -> bool:
        """Return whether the time has passed. It is longer while no process was killed during some kind of work."""
        elapsed = time.monotonic() - self.began
        return elapsed > self.pace.length * (LONGEST if self.processes.spared_work() else 1)

    def _side_by_side(self, *steps: Callable[[], None]) -> None:
        """Do the steps in threads until all have ended; after a failure end the soak and raise it."""
        with ThreadPoolExecutor(len(steps)) as pool:
            futures: list[Future[None]] = [pool.submit(step) for step in steps]
            wait(futures, return_when=FIRST_EXCEPTION)
            if any(future.done() and future.exception() for future in futures):
                self.began = float("-inf")
        for future in futures:
            future.result()

    def _every(self, seconds: float) -> Iterator[None]:
        """Yield at regular times until the soak is over."""
        due = self.began + seconds
        while self._sleep_until(due):
            yield
            due += seconds

    def _sleep_until(self, due: float) -> bool:
        """Wait until the time comes; return False if the soak is over before."""
        while time.monotonic() < due:
            if self._is_over():
                return False
            time.sleep(0.1)
        return not self._is_over()

    def _disturb_processes(self) -> None:
        """Stop and kill the processes, each at its times."""
        next_stop, next_kill = self.began + self.pace.stop, self.began + self.pace.kill
        while self._sleep_until(min(next_stop, next_kill)):
            if next_kill <= next_stop:
                self.processes.kill_one(self.pace.kill, self._is_over)
                next_kill += self.pace.kill
            else:
                self.processes.stop_one()
                next_stop += self.pace.stop

    def _disturb_network(self) -> None:
        """Let the database and Clio fail in turn, each for a part of the time until the next fault."""
        kinds = list(self._faults())
        self.rng.shuffle(kinds)
        for nth, _ in enumerate(self._every(self.pace.fault)):
            fault = kinds[nth % len(kinds)]
            self.faults.append(fault.__name__.strip("_"))
            with fault():
                self._sleep_until(time.monotonic() + self.rng.uniform(0.2, 0.4) * self.pace.fault)
            check_parts(self.processes.programs, PARTS_PATIENCE)

    def _faults(self) -> Iterator[Callable[[], AbstractContextManager[None]]]:
        database = self.database
        yield from (database.stopped, database.read_only, database.silent)
        yield from (database.out_of_connections, database.slow, self._error_page)

    @contextmanager
    def _error_page(self) -> Iterator[None]:
        """Answer every request to Clio with the error page of a proxy."""
        self.proxy.rates = FaultRates(page=1.0)
        try:
            yield
        finally:
            self.proxy.rates = FaultRates()

    def _erase(self) -> None:
        """Erase an account in the middle of the soak."""
        self._sleep_until(self.began + self.pace.length / 3)
        self.load.erase()

    # --- checks ------------------------------------------------------------------------------

    def _check(self) -> Report:
        check_logs(self.processes.programs)
        soak_accounts.check_accounts(self.load)
        soak_accounts.check_erased(self.stack)
        check_parts(self.processes.programs, PATIENCE)
        slots = soak_accounts.wait_for_next_slot(self.stack)
        events = self._check_events()
        stops = sum(
            self.watch.check_stops(
                account.account_id, soak_accounts.runs_of(self.stack, account), self.pace.slot
            )
            for account in KEPT
        )
        return Report(
            stops=self.processes.stops,
            kills=dict(self.processes.kills),
            faults=self.faults,
            slots=slots,
            stops_of_firms=stops,
            changes=dict(self.load.changes),
            notes=len(self.load.mailed),
            events=events,
            seconds=time.monotonic() - self.began,
        )

    def _check_events(self) -> int:
        """Check that every event arrived, among them one for each note; return the number of events."""
        delivered = self.inbox.wait_for_deliveries(self.stack, PATIENCE)
        received = self.inbox.events()
        missing = {each["event_id"] for each in delivered} - received.keys()
        assert not missing, f"events that count as delivered did not arrive: {missing}"
        ended = Counter(
            event["data"]["activity_id"]
            for event in received.values()
            if event["type"] in ("activity.written", "activity.failed")
        )
        assert ended == Counter(self.load.mailed.keys()), "a note has no event, or two"
        return len(received)


@contextmanager
def running_soak(folder: Path, *, contacts: int, pace: Pace, seed: int) -> Iterator[Soak]:
    """Start everything, connect the accounts and wait for their first runs; stop everything when the block ends."""
    folder.chmod(0o755)  # root starts PostgreSQL as another user
    server = embedded.start(folder / "pg")
    with ExitStack() as opened:
        opened.callback(server.stop)
        loop = opened.enter_context(loop_thread())
        database = opened.enter_context(loop.entered(database_proxy(server.dsn)))
        proxy = opened.enter_context(running(Proxy(free_port(), free_port(REGIONS), seed)))
        inbox = opened.enter_context(running_inbox(loop))
        stack = opened.enter_context(
            running_stack(
                folder,
                database.dsn,
                contacts=contacts,
                clio_port=proxy.target,
                origin=f"http://127.0.0.1:{proxy.port}",
                environment=_environment(pace),
                module="tests.chaos.short_times",
                latency=LATENCY,
                rate_limit=RATE_LIMIT,
            )
        )
        worker = stack.worker("worker")
        opened.callback(worker.stop)
        worker.start(path="/healthz")
        rng = random.Random(seed)  # noqa: S311
        faults = DatabaseFaults(folder / "pg", server.dsn, database, loop)
        processes = DisturbedProcesses([stack.service, worker], proxy, inbox.receiver.posting, rng)
        inbox.subscribe(stack)
        for account in (*KEPT, ERASED):
            soak_accounts.connect(stack, account)
        for account in (*KEPT, ERASED):
            soak_accounts.wait_for_runs(stack, account)
        load = Load(stack, _readers(opened, stack), rng)
        watch = HealthWatch(stack.api, [account.account_id for account in KEPT])
        yield Soak(stack, processes, proxy, faults, inbox, watch, load, pace, rng)


def _readers(opened: ExitStack, stack: Stack) -> dict[int, ClioReader]:
    """Return a reader of Clio for each user who is connected."""
    redirect, readers = f"{stack.service.url}/oauth/clio/callback", dict[int, ClioReader]()
    for user in {user for account in KEPT for user in account.users}:
        readers[user] = ClioReader(stack.clio.url, redirect, user)
        opened.callback(readers[user].close)
    return readers


def _environment(pace: Pace) -> dict[str, str]:
    minutes = range(0, 24 * 60, pace.slot // 60)
    return {
        "LEVITATE_CLIO_SLOTS": ",".join(f"{at // 60:02}:{at % 60:02}" for at in minutes),
        "LEVITATE_CLIO_SLOT_SPREAD_SECONDS": "0",
        "LEVITATE_CLIO_HEARTBEAT_SECONDS": "2",
        "LEVITATE_CLIO_SETTLE_SECONDS": "1.5",
        "LEVITATE_CLIO_WEBHOOK_HOSTS": "127.0.0.1",
    }


def check_coverage(report: Report, reasons: set[str]) -> None:
    """Check that the soak saw what it is for. `reasons` are the codes that the health gave."""
    assert report.slots >= 2, f"the soak saw fewer than two slots: {report}"
    assert all(report.kills.get(work) for work in WORK), f"no kill during some work: {report}"
    assert report.stops_of_firms >= 1, f"no firm stopped: {report}"
    assert {"login_set_aside", "clio_outage", OVERDUE} <= reasons, reasons


def main() -> None:
    """Run one soak on an embedded PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--slots", type=int, default=5, help="minutes between two slots")
    parser.add_argument("--stops", type=float, default=120, help="seconds between two SIGTERMs")
    parser.add_argument("--kills", type=float, default=300, help="seconds between two kill -9")
    parser.add_argument("--contacts", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="keep the logs and the database in this folder")
    given = parser.parse_args()
    pace = Pace(60 * given.minutes, 60 * given.slots, given.stops, given.kills)
    with (
        tempfile.TemporaryDirectory(prefix="lc-soak-") as name,
        running_soak(
            given.folder or Path(name), contacts=given.contacts, pace=pace, seed=given.seed
        ) as soak,
    ):
        report = soak.run()
        print(report)  # noqa: T201
        check_coverage(report, soak.watch.reasons())


if __name__ == "__main__":
    main()
