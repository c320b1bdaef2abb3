"""Stops and kills two processes of the service in turn, and notes what each process did when it was killed."""

import random
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
_WRITES = ("POST ", "PATCH ", "PUT ")


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

        It is killed during work that no killed process did so far, if it does such work within `patience` seconds.
        """
        program = self.rng.choice(self.programs)
        wanted = {work for work in WORK if not self.kills[work]} or set(WORK)
        deadline = time.monotonic() + patience
        while True:
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
            ports = [link.laddr.port for link in psutil.Process(process.pid).net_connections("tcp")]
            requests = [
                self.proxy.in_flight[port] for port in ports if port in self.proxy.in_flight
            ]
            found = {_work_of_request(request) for request in requests} - {None}
            return {
                *filter(None, found),
                *(["delivery"] if any(port in self.delivering for port in ports) else []),
            }
        return set()


def _work_of_request(request: str) -> str | None:
    """Return the work that makes a request to Clio, by its first line."""
    if "/api/v4/" not in request or "who_am_i" in request or "/webhooks" in request:
        return None
    if request.startswith(_WRITES):
        return "write-back"
    return "pull" if "/notes" not in request and "/communications" not in request else None
