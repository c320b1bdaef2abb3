"""Runs the tests on a sample of changes and prints the changes that no test noticed.

    python -m tests.mutants --seed 1
    python -m tests.mutants --seed 1 --list                        # print the changes only
    python -m tests.mutants --seed 1 --only 17 --against tests/unit/test_x.py::test_y   # run a new test on change 17

The numbers of the changes stay the same as long as the code under the roots does not change. The coverage of each test
is recorded once for each state of the tree, in `.mutants-sample`. The report is stored there too.
"""

import argparse
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.mutants import copies, server
from tests.mutants.covering import FixedTests, LineCoverage
from tests.mutants.recording import Recording
from tests.mutants.report import report, title
from tests.mutants.sample import Mutant, Sample, tests_failing_without_change
from tests.mutants.sampling import draw, sources
from tests.mutants.source import Change, Source
from tests.mutants.trials import Workspace

TREE = Path(__file__).parents[2]
RESULTS = TREE / ".mutants-sample"
CHECK_SHARE = 0.1  # share of the time in which tests that noticed a change are run without it
ROOTS = ("app/sync", "app/db")


def main() -> None:
    """Draw the changes, run the tests on them and print the report."""
    began = time.monotonic()
    arguments = _arguments()
    # a normal exit, so that the started processes are ended too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="lc-mutants-") as name:
        folder = Path(name)
        copies.copy(TREE, folder / "0")
        files = sources(folder / "0", arguments.roots)
        drawn = enumerate(draw(files, arguments.seed, arguments.count), start=1)
        selected = [
            (number, one) for number, one in drawn if not arguments.only or number in arguments.only
        ]
        if arguments.list:
            _print(
                "\n".join(f"{title(*one)}\n{files[one[1].path].diff(one[1])}" for one in selected)
            )
            return
        text = _run_sample(folder, selected, files, arguments, began)
        if not arguments.only:
            RESULTS.mkdir(exist_ok=True)
            (RESULTS / f"seed-{arguments.seed}.txt").write_text(text)
        _print(text)


def _run_sample(
    folder: Path,
    selected: Sequence[tuple[int, Change]],
    files: dict[str, Source],
    arguments: argparse.Namespace,
    began: float,
) -> str:
    """Run the covering tests, or those of `--against`, on each change; return the report."""
    limit = 60 * arguments.minutes
    with ExitStack() as stack:
        servers = [stack.enter_context(server.running()) for _ in range(arguments.workers)]
        recording = Recording(
            folder / "0", servers[0].dsn, arguments.workers, shlex.split(arguments.pytest)
        )
        coverage = _coverage(recording, files, arguments, began + limit)
        workspaces = _workspaces(folder, servers)
        mutants = [Mutant(number, change, coverage.tests_of(change)) for number, change in selected]
        Sample(mutants, files, coverage.seconds, began + limit * (1 - CHECK_SHARE)).run(workspaces)
        failing = tests_failing_without_change(mutants, workspaces, coverage.seconds, began + limit)
        heading = f"seed {arguments.seed}, {copies.revision(TREE)}: {(time.monotonic() - began) / 60:.0f} min\n"
        return heading + report(mutants, files, failing, coverage.unusable)


def _coverage(
    recording: Recording, files: dict[str, Source], arguments: argparse.Namespace, deadline: float
) -> LineCoverage | FixedTests:
    if arguments.against:
        return FixedTests(arguments.against)
    began = time.monotonic()
    _log("recording the coverage of each test, unless it is recorded already")
    record = recording.record(RESULTS, arguments.roots, deadline)
    _log(f"recorded in {time.monotonic() - began:.0f} s")
    return LineCoverage(record, files, TREE)


def _workspaces(folder: Path, servers: Sequence[server.Server]) -> list[Workspace]:
    """Return a workspace for each server, with a copy of the tree and a folder for the files of its runs."""
    workspaces = []
    for number, one in enumerate(servers):
        if number:
            copies.duplicate(folder / "0", folder / str(number))
        work = folder / f"work{number}"
        work.mkdir()
        workspaces.append(Workspace(folder / str(number), one, work))
    return workspaces


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200, help="number of changes to draw")
    parser.add_argument("--minutes", type=float, default=60, help="time limit for everything")
    parser.add_argument("--workers", type=int, default=2, help="number of runs at the same time")
    parser.add_argument("--roots", nargs="+", default=ROOTS, help="folders of the code to change")
    parser.add_argument(
        "--pytest", default="", help="pytest options for recording the coverage, as one string"
    )
    parser.add_argument("--list", action="store_true", help="print the changes and run nothing")
    parser.add_argument("--only", type=int, nargs="+", help="numbers of the changes to run")
    parser.add_argument(
        "--against",
        nargs="+",
        help="tests, test functions or files to run instead of the covering tests",
    )
    return parser.parse_args()


def _log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
