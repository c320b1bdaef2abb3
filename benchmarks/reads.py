"""How many pages one process answers in a second, beside hand-written SQL with `json_agg`."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlsplit

import httpx

from benchmarks.programs import Measured
from benchmarks.report import Goal, Report, Table, number
from benchmarks.servers import PATH, ROOT, answers
from tests.support.ports import free_port
from tests.support.waiting import wait_until

CALLERS, SECONDS, ROUNDS = 4, 2.0, 5
# The page, the number of items in it, and the share of the reference's speed that is wanted.
PAGES = {"changes": (1000, 0.80), "contacts": (200, 0.35)}


@dataclass(frozen=True)
class Server:
    """A program that answers with pages."""

    url: str
    path: str
    headers: Mapping[str, str]

    def speed(self, page: str, limit: int) -> float:
        """Return how many times in a second it answers with this page, to several callers at the same time."""
        self._ask_until(page, limit, time.monotonic() + 0.2)
        deadline = time.monotonic() + SECONDS
        with ThreadPoolExecutor(CALLERS) as callers:
            asked = [callers.submit(self._ask_until, page, limit, deadline) for _ in range(CALLERS)]
            return sum(one.result() for one in asked) / SECONDS

    def _ask_until(self, page: str, limit: int, deadline: float) -> int:
        """Ask again and again on one connection; return how often."""
        caller, times = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60), 0
        body = b""
        while time.monotonic() < deadline:
            caller.request("GET", f"{self.path}/{page}?limit={limit}", headers=dict(self.headers))
            answer = caller.getresponse()
            body = answer.read()
            assert answer.status == 200, body[:300]
            times += 1
        assert len(json.loads(body)["data"]) == limit, "the page is not full"
        caller.close()
        return times


def measure_reads(report: Report, measured: Measured, dsn: str) -> None:
    """Let both programs take turns, and add the table and goals."""
    service = measured.service
    ours = Server(
        str(service.api.base_url), PATH, {"Authorization": service.api.headers["Authorization"]}
    )
    rows = []
    with plain_reads(dsn) as plain:
        for page, (limit, must) in PAGES.items():
            speeds = [
                [server.speed(page, limit) for server in (ours, plain)[:: 1 if nth % 2 else -1]][
                    :: 1 if nth % 2 else -1
                ]
                for nth in range(ROUNDS)
            ]
            ratio = median(one / other for one, other in speeds)
            name = f"GET /{page}?limit={limit}"
            found = [number(median(side)) for side in zip(*speeds, strict=True)]
            rows.append([name, *found, f"{ratio:.0%}"])
            report.goals.append(
                Goal(f"{name}, one worker ÷ hand-written SQL", ratio, must, at_least=True)
            )
    header = ["page", "this service, in a second", "hand-written SQL, in a second", "share"]
    report.add(Table(f"Reads, one process, {CALLERS} callers", header, rows))


@contextmanager
def plain_reads(dsn: str) -> Iterator[Server]:
    """Start the reference; stop it when the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.plain_reads", str(port), dsn]
    process = subprocess.Popen(command, cwd=ROOT)  # noqa: S603  # our own program
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=url, trust_env=False) as client:
            wait_until(lambda: answers(client, "/changes?limit=1"), "the reference did not start")
        yield Server(url, "", {})
    finally:
        process.terminate()
        process.wait()
