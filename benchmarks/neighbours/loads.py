"""The neighbours: each keeps the service busy in one way while the small firms are sampled."""

import time
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

from typing_extensions import override

from app.main import now
from benchmarks.neighbours.stage import LATENCY, PATIENCE, Stage
from benchmarks.neighbours.waits import Outage
from tests.chaos.database_faults import stopped_server
from tests.support.waiting import wait_until

FIRMS = 40  # twice as many as one process has places for runs or for writes
SMALL, LARGE = 40, 20_000  # contacts of a firm
POSTING_THREADS = 8


class Neighbour(ABC):
    """A neighbour. `go_on` is called about once a second while the samples are taken."""

    contacts: ClassVar[int] = SMALL  # of the firm in the neighbours' simulator
    limit: ClassVar[float] = 5.0  # seconds that the 99th percentile of the waits must not reach

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.outages: list[Outage] = []
        self._stored = 0

    @abstractmethod
    def begin(self) -> None:
        """Prepare the work and begin it."""

    def go_on(self) -> None:  # noqa: B027  # most neighbours have enough work from the beginning
        """Add work, if it would end otherwise."""

    @abstractmethod
    def backlog(self) -> int:
        """Return how much work waits now. At 0 the neighbour is not busy, so the samples show nothing."""

    def _waiting_notes(self) -> int:
        return self._stage.count(
            "select count(*) from activities where account_id like 'neighbour-%'"
            " and status in ('queued', 'sending')"
        )

    def _open_runs(self) -> int:
        return self._stage.count(
            "select count(*) from runs where account_id like 'neighbour-%' and finished_at is null"
        )

    def _store_events(self, count: int) -> None:
        """Store events of the first firm, in groups of 200, so that no transaction takes long."""
        for _ in range(0, count, 200):
            ids = [f"evt_neighbour_{self._stored + nth}" for nth in range(min(count, 200))]
            self._stage.store_events("neighbour-0", ids)
            self._stored += len(ids)

    def _post_notes(self, accounts: list[str], each: int) -> None:
        """Post notes of the only user of each account, to its contacts in turn."""
        jobs = []
        for account_id in accounts:
            contacts = self._stage.contacts_of(account_id)
            jobs += [
                (account_id, contacts[nth % len(contacts)], f"{account_id}-{nth}")
                for nth in range(each)
            ]
        with ThreadPoolExecutor(POSTING_THREADS) as pool:
            for _ in pool.map(lambda job: self._stage.post_note(*job), jobs):
                pass


class MassMailing(Neighbour):
    """6,000 notes of one user, of which Clio accepts 50 in a minute."""

    contacts = 150

    @override
    def begin(self) -> None:
        accounts = self._stage.connect_neighbours(1)
        self._stage.wait_for_runs(accounts)
        self._post_notes(accounts, 6000)

    @override
    def backlog(self) -> int:
        return self._waiting_notes()


class LongPulls(Neighbour):
    """First runs of many large firms. At 50 requests in a minute each takes longer than six minutes."""

    contacts = LARGE
    start = 10.0  # seconds of each page while the firms connect: otherwise the first ones delay the last ones

    @override
    def begin(self) -> None:
        lists = "/(contacts|matters|relationships)"
        self._stage.slow_down_clio(self.start, lists)
        self._stage.connect_neighbours(FIRMS)
        self._stage.mend_clio()
        time.sleep(self.start)

    @override
    def backlog(self) -> int:
        return self._open_runs()


class DailyCount(Neighbour):
    """Many firms wrote thousands of notes a day ago, which must be verified now. Clio has none of them."""

    @override
    def begin(self) -> None:
        self._stage.wait_for_runs(self._stage.connect_neighbours(FIRMS))
        self._stage.execute(
            "insert into activities (account_id, activity_id, kind, status, user_id, clio_contact_id, place,"
            "  occurred_at, time_zone, local_date, subject, body, marker, clio_id, connection_id, attempts,"
            "  first_attempt_at, created_at, written_at)"
            " select account_id, 'act_' || nth, 'note', 'written', 'u_1', 1 + nth % 40, nth,"
            "  at, 'UTC', at::date, 'Note: old', 'old', md5(account_id || nth), nth, connection_id, 1, at, at, at"
            " from connections, generate_series(1, 2000) nth, (select now() - interval '25 hours' as at) day"
            " where account_id like 'neighbour-%'"
        )
        wait_until(lambda: self.backlog() < FIRMS * 2000, "nothing is verified", patience=PATIENCE)

    @override
    def backlog(self) -> int:
        return self._stage.count(
            "select count(*) from activities where account_id like 'neighbour-%'"
            " and status = 'written' and proven_at is null"
        )


class DatabaseRestart(Neighbour):
    """The database stops for two seconds, again and again, while large firms are read and events are posted."""

    contacts = LARGE
    limit = 10.0
    down, between = 2.0, 20.0  # seconds
    events = 50  # in a second, so that a restart meets posts

    @override
    def begin(self) -> None:
        self._stage.connect_neighbours(4)
        self._restart()

    @override
    def go_on(self) -> None:
        self._store_events(self.events)
        if (now() - self.outages[-1].ended).total_seconds() >= self.between:
            self._restart()

    def _restart(self) -> None:
        began = now()
        with ThreadPoolExecutor(1) as pool:
            with stopped_server(self._stage.folder / "pg"):
                time.sleep(self.down)
                returned = pool.submit(self._stage.wait_for_database)
            self.outages.append(Outage(began, returned.result()))

    @override
    def backlog(self) -> int:
        return self._open_runs()


class EventsOfOneFirm(Neighbour):
    """3,000 events of one firm are stored at once, and again whenever fewer than that wait."""

    burst = 3000

    @override
    def begin(self) -> None:
        self._stage.stack.create("neighbour-0")
        self._store_events(self.burst)

    @override
    def go_on(self) -> None:
        if self.backlog() < self.burst:
            self._store_events(self.burst)

    @override
    def backlog(self) -> int:
        return self._stage.count(
            "select count(*) from deliveries where account_id = 'neighbour-0' and status = 'pending'"
        )


class SlowEndpoints(EventsOfOneFirm):
    """A hundred endpoints answer late: fifty after 13 s, which is an error, and fifty after 9 s, which is not."""

    delays: ClassVar[tuple[float, ...]] = (13.0, 9.0)
    endpoints = 50  # of each delay: together twice as many as one process serves at once

    @override
    def begin(self) -> None:
        self._stage.stack.create("neighbour-0")
        for delay in self.delays:
            url = self._stage.start_receiver(delay).url
            self._stage.create_endpoints([f"{url}/{nth}" for nth in range(self.endpoints)])
        self._store_events(20)

    @override
    def go_on(self) -> None:
        self._store_events(2)


class SlowClio(Neighbour):
    """Every request of many firms takes 25 s: those of their runs, and those of their notes."""

    notes = 100  # of each firm

    @override
    def begin(self) -> None:
        accounts = self._stage.connect_neighbours(FIRMS)
        self._stage.wait_for_runs(accounts)
        self._stage.slow_down_clio(25 - LATENCY, ".")
        self._post_notes(accounts, self.notes)
        self.go_on()

    @override
    def go_on(self) -> None:
        if self._open_runs() < FIRMS:
            for nth in range(FIRMS):
                self._stage.request_run(f"neighbour-{nth}", f"again-{now().isoformat()}")

    @override
    def backlog(self) -> int:
        return min(self._open_runs(), self._waiting_notes())


NEIGHBOURS: dict[str, type[Neighbour]] = {
    "mass-mailing": MassMailing,
    "long-pulls": LongPulls,
    "daily-count": DailyCount,
    "database-restart": DatabaseRestart,
    "events-of-one-firm": EventsOfOneFirm,
    "slow-endpoints": SlowEndpoints,
    "slow-clio": SlowClio,
}
