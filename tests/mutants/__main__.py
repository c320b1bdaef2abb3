"""Make a sample of changes and print those that no test noticed.

    python -m tests.mutants --seed 1
    python -m tests.mutants --seed 1 --list                        # the changes alone
    python -m tests.mutants --seed 1 --only 17 --against tests/unit/test_x.py::test_y   # a new test, on change 17

The numbers of the changes stay the same while the code under the roots does. Which test runs which line is recorded
once for a state of the tree and kept in `.mutants-sample`, where the report is stored as well.
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
from tests.mutants.covering import Covering, Named
from tests.mutants.recording import Recording
from tests.mutants.report import report, title
from tests.mutants.sample import Case, Sample, doubtful
from tests.mutants.sampling import draw, sources
from tests.mutants.source import Change, Source
from tests.mutants.trials import Bench

TREE = Path(__file__).parents[2]
KEPT = TREE / ".mutants-sample"
CHECK = 0.1  # share of the time that is left for the check of the tests that noticed something
ROOTS = ("app/sync", "app/db")


def main() -> None:
    """Draw changes, try them, report."""
    began = time.monotonic()
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended as well
    with tempfile.TemporaryDirectory(prefix="lc-mutants-") as name:
        folder = Path(name)
        copies.copy(TREE, folder / "0")
        files = sources(folder / "0", asked.roots)
        drawn = enumerate(draw(files, asked.seed, asked.count), start=1)
        chosen = [(number, one) for number, one in drawn if not asked.only or number in asked.only]
        if asked.list:
            _print("\n".join(f"{title(*one)}\n{files[one[1].path].diff(one[1])}" for one in chosen))
            return
        text = _tried(folder, chosen, files, asked, began)
        if not asked.only:
            KEPT.mkdir(exist_ok=True)
            (KEPT / f"seed-{asked.seed}.txt").write_text(text)
        _print(text)


def _tried(
    folder: Path,
    chosen: Sequence[tuple[int, Change]],
    files: dict[str, Source],
    asked: argparse.Namespace,
    began: float,
) -> str:
    """Run on each change the tests that cover it, or the named ones, and return the report."""
    length = 60 * asked.minutes
    with ExitStack() as stack:
        servers = [stack.enter_context(server.running()) for _ in range(asked.workers)]
        recording = Recording(
            folder / "0", servers[0].dsn, asked.workers, shlex.split(asked.pytest)
        )
        known = _known(recording, files, asked, began + length)
        benches = _benches(folder, servers)
        cases = [Case(number, change, known.tests_of(change)) for number, change in chosen]
        Sample(cases, files, known.seconds, began + length * (1 - CHECK)).run(benches)
        found = doubtful(cases, benches, known.seconds, began + length)
        took = f"seed {asked.seed}, {copies.revision(TREE)}: {(time.monotonic() - began) / 60:.0f} min\n"
        return took + report(cases, files, found, known.unusable)


def _known(
    recording: Recording, files: dict[str, Source], asked: argparse.Namespace, deadline: float
) -> Covering | Named:
    if asked.against:
        return Named(asked.against)
    began = time.monotonic()
    _tell("recording which test runs which line, unless it is known")
    record = recording.record(KEPT, asked.roots, deadline)
    _tell(f"recorded in {time.monotonic() - began:.0f} s")
    return Covering(record, files)


def _benches(folder: Path, servers: Sequence[server.Server]) -> list[Bench]:
    """Give each server a copy of the tree and a folder for files of the runs."""
    benches = []
    for number, one in enumerate(servers):
        if number:
            copies.again(folder / "0", folder / str(number))
        work = folder / f"work{number}"
        work.mkdir()
        benches.append(Bench(folder / str(number), one, work))
    return benches


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200, help="how many changes are drawn")
    parser.add_argument("--minutes", type=float, default=60, help="what the whole of it may take")
    parser.add_argument("--workers", type=int, default=2, help="how many runs go on at once")
    parser.add_argument(
        "--roots", nargs="+", default=ROOTS, help="folders of the code that is changed"
    )
    parser.add_argument(
        "--pytest", default="", help="options for the run that is recorded, as one text"
    )
    parser.add_argument("--list", action="store_true", help="print the changes and run nothing")
    parser.add_argument("--only", type=int, nargs="+", help="numbers of changes of this seed")
    parser.add_argument(
        "--against", nargs="+", help="tests, functions or files to run on them, without a record"
    )
    return parser.parse_args()


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
