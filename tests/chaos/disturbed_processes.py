"""Stops and kills two processes of the service in turn, and notes what each process did when it was killed."""

import random
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Container
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from tests.chaos.processes import Program
from tests.chaos.proxy import Proxy

WORK = ("pull", "write-back", "delivery")
POLL_INTERVAL = 0.01  # seconds
_REQUESTS = {  # the first lines of the requests to Clio
    "pull": re.compile(r"GET /api/v4/(contacts|matters|relationships)\b"),
    "write-back": re.compile(r"(POST|PATCH) /api/v4/(notes|communications)\b"),
}


@dataclass
class DisturbedProcesses:
    """The processes, and counts of what was done to them.

    `proxy` is between them and Clio. `delivering` holds the ports from which events are being posted.
    """

    programs: list[Program]
    proxy: Proxy
    delivering: Container[int]
    rng: random.Random
    stops: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    """The number of kills by what the process was doing; `other` for none of `WORK`."""

    def spared_work(self) -> set[str]:
        """Return the kinds of work during which no process was killed so far."""
        return {work for work in WORK if not self.kills[work]}

    def check_running(self) -> None:
        """Fail if a process ended by itself."""
        for program in self.programs:
            program.check_running()

    def stop_one(self) -> None:
        """Send SIGTERM to one of the processes, wait for its end, and start it again."""
        program = self.rng.choice(self.programs)
        code = program.stop()
        # A process that is still starting has no handler for the signal yet, so the signal ends it.
        assert code in (0, -signal.SIGTERM), (code, program.log.read_text()[-3000:])
        program.spawn()
        self.stops += 1

    def kill_one(self, patience: float, is_over: Callable[[], bool]) -> None:
        """Kill one of the processes with -9 and start it again.

        It is one that does work which no killed process did so far, if there is one within `patience` seconds.
        """
        wanted = self.spared_work() or set(WORK)
        deadline = time.monotonic() + patience
        while True:
            program = self.rng.choice(self.programs)
            work = self._freeze_during(program.check_running(), wanted)
            if work or time.monotonic() > deadline or is_over():
                break
            time.sleep(POLL_INTERVAL)
        program.kill()
        program.spawn()
        self.kills[work or "other"] += 1

    def _freeze_during(self, process: "subprocess.Popen[bytes]", wanted: set[str]) -> str | None:
        """Suspend the process if it does this work, and return the work; else let it go on and return None."""
        if not self._work_of(process) & wanted:
            return None
        process.send_signal(signal.SIGSTOP)
        found = self._work_of(process) & wanted
        if found:
            return min(found, key=WORK.index)
        process.send_signal(signal.SIGCONT)
        return None

    def _work_of(self, process: "subprocess.Popen[bytes]") -> set[str]:
        """Return the kinds of work for which the process waits for a response."""
        with suppress(psutil.Error):
            links = psutil.Process(process.pid).net_connections("tcp")
            works = {self._work_at(link.laddr.port) for link in links}
            return {work for work in works if work}
        return set()

    def _work_at(self, port: int) -> str | None:
        """Return the work whose request was sent from this port and has no response yet."""
        if port in self.delivering:
            return "delivery"
        request = self.proxy.in_flight.get(port, "")
        return next((work for work, begins in _REQUESTS.items() if begins.match(request)), None)
