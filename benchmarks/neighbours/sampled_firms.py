"""The sampled firms: small ones, of which notes, runs and events are asked for at regular times.

The work of each kind is due at times that were fixed before, so slow work does not make later samples rarer. There are
several firms, so that no sample waits for the sample before it. Each reads Clio as a user of its own, by whom the
simulator's log names it.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import cycle
from typing import Any

from app.main import now
from benchmarks.neighbours.stage import Stage, fetch
from benchmarks.neighbours.waits import Sample

FIRMS = {"sampled-1": 601, "sampled-2": 602, "sampled-3": 603, "sampled-4": 604}  # the Clio users
LAST_WAIT = 30.0  # seconds for the last samples
DOCUMENTS = ("/api/v4/notes", "/api/v4/communications")


@dataclass(frozen=True)
class Asked:
    """Work that was asked for: the id by which its arrival is found, the firm, and when it was due."""

    id: str
    account_id: str
    due: datetime


@dataclass
class SampledFirms:
    """The firms, and what was asked for."""

    stage: Stage
    notes: list[Asked] = field(default_factory=list)
    runs: list[Asked] = field(default_factory=list)
    events: list[Asked] = field(default_factory=list)
    _contacts: dict[str, Iterator[str]] = field(default_factory=dict)

    def connect(self) -> None:
        """Connect the firms; wait for their first runs, and until all events of these are delivered."""
        for account_id, user in FIRMS.items():
            self.stage.stack.connect(account_id, user=user)
        self.stage.wait_for_runs(list(FIRMS))
        self.stage.wait_for_deliveries()
        for account_id in FIRMS:
            self._contacts[account_id] = cycle(self.stage.contacts_of(account_id))

    def ask(self, count: int, seconds: float) -> None:
        """Ask for `count` pieces of work, spread over the time."""
        kinds = (self._ask_for_note, self._ask_for_run, self._ask_for_event)
        each = [count // 3 + (nth < count % 3) for nth in range(3)]
        with ThreadPoolExecutor(len(kinds)) as pool:
            asking = [
                pool.submit(_spread, ask, n, seconds) for ask, n in zip(kinds, each, strict=True)
            ]
        for each_kind in asking:
            each_kind.result()

    def _ask_for_note(self, account_id: str, key: str) -> None:
        accepted = self.stage.post_note(account_id, next(self._contacts[account_id]), key)
        self.notes.append(Asked(key, account_id, datetime.fromisoformat(accepted["created_at"])))

    def _ask_for_run(self, account_id: str, key: str) -> None:
        """Ask for a run. The request may be answered with a run that waits already."""
        asked, run = now(), self.stage.request_run(account_id, key)
        due = max(asked, datetime.fromisoformat(run["queued_at"]))
        self.runs.append(Asked(run["id"], account_id, due))

    def _ask_for_event(self, account_id: str, key: str) -> None:
        self.events.append(Asked(key, account_id, self.stage.store_events(account_id, [key])))

    def samples(self) -> list[Sample]:
        """Return the samples; wait a while for those that have not arrived."""
        deadline = time.monotonic() + LAST_WAIT
        while True:
            found = [*self._of_notes(), *self._of_runs(), *self._of_events()]
            if time.monotonic() > deadline or all(sample.arrived for sample in found):
                return found
            time.sleep(1)

    def _of_notes(self) -> list[Sample]:
        clio = self.stage.stack.clio
        written = {
            entry["record_id"]: entry["received_at"]
            for entry in fetch(clio, "log")
            if entry["record_id"]
        }
        arrivals = {
            note["subject"].removeprefix("Note: "): written.get(note["id"])
            for note in fetch(clio, "records/note")
        }
        return [Sample("note", asked.due, _moment(arrivals.get(asked.id))) for asked in self.notes]

    def _of_runs(self) -> list[Sample]:
        reads = [entry for entry in fetch(self.stage.stack.clio, "log") if _is_read(entry)]
        return [Sample("run", asked.due, self._arrival_of_run(asked, reads)) for asked in self.runs]

    def _arrival_of_run(self, asked: Asked, reads: list[dict[str, Any]]) -> datetime | None:
        """Return when the first read of the firm came after the run had begun.

        That is before it was due if the request was answered with a run that had begun already.
        """
        run = self.stage.stack.get(f"/v1/accounts/{asked.account_id}/runs/{asked.id}")
        if run["started_at"] is None:
            return None
        begin = datetime.fromisoformat(run["started_at"])
        times = (
            datetime.fromisoformat(entry["received_at"])
            for entry in reads
            if entry["user_id"] == FIRMS[asked.account_id]
        )
        return min((at for at in times if at >= begin), default=None)

    def _of_events(self) -> list[Sample]:
        arrivals = dict[str, datetime]()
        for post in self.stage.receiver.received:
            arrivals.setdefault(post.headers["webhook-id"], post.at)
        return [Sample("event", asked.due, arrivals.get(asked.id)) for asked in self.events]


def _spread(ask: Callable[[str, str], None], count: int, seconds: float) -> None:
    """Ask `count` times, of the firms in turn, at equal distances."""
    began, firms = time.monotonic(), list(FIRMS)
    for nth in range(count):
        time.sleep(max(0.0, began + nth * seconds / count - time.monotonic()))
        ask(firms[nth % len(firms)], f"{ask.__name__.strip('_')}-{nth}")


def _is_read(entry: dict[str, Any]) -> bool:
    """Return whether a request reads the lists of a firm, as only runs do."""
    path = entry["path"]
    return entry["method"] == "GET" and path.startswith("/api/") and not path.startswith(DOCUMENTS)


def _moment(at: str | None) -> datetime | None:
    return datetime.fromisoformat(at) if at else None
