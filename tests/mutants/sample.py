"""A sample of changes, tried on two benches until all of them are done or the time is over."""

import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.mutants.source import Change, Source
from tests.mutants.trials import Bench, OutOfTime, Trial, Verdict

TESTS_AT_ONCE, SECONDS_AT_ONCE = (
    40,
    60.0,
)  # what one run may hold, as the tests lasted when they were recorded
ROUNDS = (
    3  # a change that no test noticed gets more of its tests, when all others had their first run
)


@dataclass
class Case:
    """A change of the sample, the tests that cover it, and what they said. No verdict: not tried yet."""

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
        """Whether more tests may be run on it."""
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

    def add(self, trial: Trial) -> None:
        """Take in what a run of tests came to; one that did notice outweighs the ones that did not."""
        self.ran += trial.ran
        self.failed |= trial.failed
        self.seconds += trial.seconds
        if not (trial.verdict is Verdict.LOST and self.verdict):
            self.verdict = trial.verdict


class Sample:
    """The changes that still wait, shared by the benches."""

    def __init__(
        self,
        cases: Sequence[Case],
        files: Mapping[str, Source],
        seconds: Mapping[str, float],
        deadline: float,
    ) -> None:
        self._waiting = deque(case for case in cases if case.tests)
        self._files = files
        self._seconds = seconds
        self._deadline = deadline
        self._lock = threading.Lock()

    def run(self, benches: Iterable[Bench]) -> None:
        """Try the changes on all benches at once; the first runs of all come before the second run of any."""
        with ThreadPoolExecutor() as pool:
            for done in [pool.submit(self._work, bench) for bench in benches]:
                done.result()

    def _work(self, bench: Bench) -> None:
        while case := self._next():
            tests = case.take(self._seconds)
            source = self._files[case.change.path]
            try:
                case.add(bench.try_change(source, case.change, tests, self._deadline))
            except OutOfTime:
                return
            except BaseException:
                self._waiting.clear()
                raise
            _tell(case)
            if case.is_open:
                self._waiting.append(case)

    def _next(self) -> Case | None:
        with self._lock:
            over = time.monotonic() >= self._deadline
            return None if over or not self._waiting else self._waiting.popleft()


def doubtful(
    cases: Iterable[Case], benches: Sequence[Bench], seconds: Mapping[str, float], deadline: float
) -> dict[str, str]:
    """Run each test that noticed a change on the unchanged code, and return those that fail there as well."""
    noticed = {test for case in cases for test in case.failed if test in seconds}
    found: dict[str, str] = {}

    def check(bench: Bench, tests: list[str]) -> None:
        if tests:
            found.update(bench.run({test: seconds[test] for test in tests}, deadline).failed)

    with ThreadPoolExecutor() as pool:
        parts = [sorted(noticed)[number :: len(benches)] for number in range(len(benches))]
        for done in list(map(pool.submit, [check] * len(benches), benches, parts)):
            done.result()
    return found


def _tell(case: Case) -> None:
    change = case.change
    told = f"#{case.number} {change.path}:{change.line} {change.kind}: {case.verdict}"
    print(f"{told} ({len(case.ran)} tests, {case.seconds:.1f} s)", file=sys.stderr, flush=True)  # noqa: T201
