"""Runs the tests on a sample of changes until all are done or the time limit is reached."""

import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.mutants.covering import DEFAULT_SECONDS
from tests.mutants.source import Change, Source
from tests.mutants.trials import OutOfTime, RunResult, Verdict, Workspace

# limits of one run: its number of tests, and the sum of their recorded durations
TESTS_AT_ONCE, SECONDS_AT_ONCE = 40, 60.0
ROUNDS = 3  # runs of a change that no test noticed; the first runs of all changes come first


@dataclass
class Mutant:
    """A change of the sample, the tests that cover it, and their results; no verdict if it was not tried yet."""

    number: int
    change: Change
    tests: list[str]
    verdict: Verdict | None = None
    ran: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    given: int = 0
    rounds: int = 0

    @property
    def is_open(self) -> bool:
        """True if more tests may be run on it."""
        noticed = self.verdict is Verdict.NOTICED
        return not noticed and self.given < len(self.tests) and self.rounds < ROUNDS

    def take(self, seconds: Mapping[str, float]) -> dict[str, float]:
        """Return the next tests to run, at least one, with the seconds that each takes."""
        taken: dict[str, float] = {}
        for test in self.tests[self.given :][:TESTS_AT_ONCE]:
            if taken and sum(taken.values()) + seconds[test] > SECONDS_AT_ONCE:
                break
            taken[test] = seconds[test]
        self.given += len(taken)
        self.rounds += 1
        return taken

    def add(self, result: RunResult) -> None:
        """Add the result of a run. Its verdict replaces the earlier one, except LOST, which replaces none."""
        self.ran += result.ran
        self.failed |= result.failed
        self.seconds += result.seconds
        if not (result.verdict is Verdict.LOST and self.verdict):
            self.verdict = result.verdict


class Sample:
    """The queue of the changes, shared by the workspaces."""

    def __init__(
        self,
        mutants: Sequence[Mutant],
        files: Mapping[str, Source],
        seconds: Mapping[str, float],
        deadline: float,
    ) -> None:
        self._waiting = deque(mutant for mutant in mutants if mutant.tests)
        self._files = files
        self._seconds = seconds
        self._deadline = deadline
        self._lock = threading.Lock()

    def run(self, workspaces: Iterable[Workspace]) -> None:
        """Run the tests in all workspaces in parallel; the first runs of all changes come before any second run."""
        with ThreadPoolExecutor() as pool:
            for done in [pool.submit(self._work, workspace) for workspace in workspaces]:
                done.result()

    def _work(self, workspace: Workspace) -> None:
        while mutant := self._next():
            tests = mutant.take(self._seconds)
            source = self._files[mutant.change.path]
            try:
                mutant.add(workspace.try_change(source, mutant.change, tests, self._deadline))
            except OutOfTime:
                return
            except BaseException:
                self._waiting.clear()
                raise
            _log(mutant)
            if mutant.is_open:
                self._waiting.append(mutant)

    def _next(self) -> Mutant | None:
        with self._lock:
            out_of_time = time.monotonic() >= self._deadline
            return None if out_of_time or not self._waiting else self._waiting.popleft()


def tests_failing_without_change(
    mutants: Iterable[Mutant],
    workspaces: Sequence[Workspace],
    seconds: Mapping[str, float],
    deadline: float,
) -> dict[str, str]:
    """Run each test that noticed a change on the unchanged code; return those that fail there, with the reason."""
    noticed = {test for mutant in mutants for test in mutant.failed if test}
    failed: dict[str, str] = {}

    def check(workspace: Workspace, tests: list[str]) -> None:
        limits = {test: seconds.get(test, DEFAULT_SECONDS) for test in tests}
        try:
            failed.update(workspace.run(limits, deadline).failed if tests else {})
        except OutOfTime:
            print("no time left to run the tests without the change", file=sys.stderr)  # noqa: T201

    with ThreadPoolExecutor() as pool:
        parts = [sorted(noticed)[number :: len(workspaces)] for number in range(len(workspaces))]
        for done in list(map(pool.submit, [check] * len(workspaces), workspaces, parts)):
            done.result()
    return failed


def _log(mutant: Mutant) -> None:
    change = mutant.change
    text = f"#{mutant.number} {change.path}:{change.line} {change.kind}: {mutant.verdict}"
    print(f"{text} ({len(mutant.ran)} tests, {mutant.seconds:.1f} s)", file=sys.stderr, flush=True)  # noqa: T201
