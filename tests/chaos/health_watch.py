"""Watches the health of accounts as a caller sees it, and checks afterwards that each stop of a firm was reported."""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import httpx

from app.main import now

INTERVAL = 1.0  # seconds between two looks
LATE = 2.0  # seconds by which two clocks and a slow response may differ
OVERDUE = "sync_overdue"
_READS_ALL = ("initial", "incremental", "full")


@dataclass(frozen=True)
class Seen:
    """The health of an account at a time (seconds since 1970)."""

    at: float
    account_id: str
    health: str
    reasons: frozenset[str]


@dataclass
class HealthWatch:
    """What was seen so far."""

    api: httpx.Client
    accounts: Iterable[str]
    seen: list[Seen] = field(default_factory=list)

    def watch(self, is_over: Callable[[], bool]) -> None:
        """Look at the health of each account every second. While the service does not answer, nothing is seen."""
        while not is_over():
            for account_id in self.accounts:
                with suppress(httpx.TransportError):
                    self._look(account_id)
            time.sleep(INTERVAL)

    def _look(self, account_id: str) -> None:
        at = now().timestamp()
        answer = self.api.get(f"/v1/accounts/{account_id}/status")
        assert answer.status_code in (200, 503), answer.text
        if answer.status_code == 200:
            body = answer.json()
            reasons = frozenset(reason["code"] for reason in body["health_reasons"])
            self.seen.append(Seen(at, account_id, body["health"], reasons))

    def reasons(self) -> set[str]:
        """Return the codes of all reasons that were seen."""
        return {reason for seen in self.seen for reason in seen.reasons}

    def check_stops(self, account_id: str, runs: Iterable[Mapping[str, Any]], slot: float) -> int:
        """Check that the health said so whenever no run had succeeded for two slots; return how often that was.

        `slot` is the time between two slots in seconds.
        """
        successes = sorted(_time(run["finished_at"]) for run in runs if _reads_all_lists(run))
        mine = [seen for seen in self.seen if seen.account_id == account_id]
        stopped = [(_is_overdue(seen.at, successes, slot), seen) for seen in mine]
        silent = [
            seen for is_overdue, seen in stopped if is_overdue and OVERDUE not in seen.reasons
        ]
        assert not silent, f"{account_id} stopped, and its health did not say so: {silent[:3]}"
        return sum(is_overdue for is_overdue, _ in groupby(is_overdue for is_overdue, _ in stopped))


def _is_overdue(at: float, successes: Iterable[float], slot: float) -> bool:
    """Return whether two slots have passed since the newest success before this time."""
    newest = max((success for success in successes if success <= at + LATE), default=at)
    return at - LATE > (newest // slot + 2) * slot


def _reads_all_lists(run: Mapping[str, Any]) -> bool:
    reads_all = run["kind"] in _READS_ALL and run["trigger"] != "webhook"
    return bool(run["status"] == "succeeded" and reads_all)


def _time(text: str) -> float:
    return datetime.fromisoformat(text).astimezone(UTC).timestamp()
