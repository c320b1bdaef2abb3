"""A pytest plugin that runs the chosen tests in their order and stores what happened.

Active with `-p tests.mutants.chosen --chosen=FILE --outcome=FILE`. The first file holds the ids of tests, of test
functions or of files, with the seconds that each test may last; a test that lasts longer counts as failed, and ends the
process. A chosen test that is no longer collected is left out.
"""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

KEPT = 300  # characters of a failure's text


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the two files."""
    parser.addoption("--chosen", type=Path)
    parser.addoption("--outcome", type=Path)


def pytest_configure(config: pytest.Config) -> None:
    """Read the choice."""
    config.pluginmanager.register(Chosen(config.option.chosen, config.option.outcome))


class Chosen:
    """The choice, and what became of it."""

    def __init__(self, chosen: Path, outcome: Path) -> None:
        self._limits: dict[str, float] = json.loads(chosen.read_text())
        self._outcome = outcome
        self._ran: list[str] = []
        self._failed: dict[str, str] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the chosen tests, in the order of the choice."""
        order = {chosen: number for number, chosen in enumerate(self._limits)}
        kept = [(order[by], item) for item in items if (by := self._chosen_by(item.nodeid))]
        items[:] = [item for _, item in sorted(kept, key=lambda pair: pair[0])]

    def _chosen_by(self, test: str) -> str | None:
        names = (test, test.partition("[")[0], test.partition("::")[0])
        return next((name for name in names if name in self._limits), None)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Run one test, within its seconds."""
        seconds = self._limits[self._chosen_by(item.nodeid) or item.nodeid]
        timer = threading.Timer(seconds, self._overdue, [item.nodeid, seconds])
        timer.daemon = True
        timer.start()
        self._ran.append(item.nodeid)
        try:
            return (yield)
        finally:
            timer.cancel()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Store the first failure of each test."""
        if report.failed:
            text = report.longreprtext.strip().splitlines()
            lines = [line for line in text if line.startswith("E ")] or text[-1:]
            self._failed.setdefault(report.nodeid, " ".join(lines[:1])[:KEPT])

    def pytest_sessionfinish(self) -> None:
        """Store all of it."""
        self._store()

    def _overdue(self, test: str, seconds: float) -> None:
        self._failed.setdefault(test, f"still running after {seconds:.0f} s")
        self._store()
        os._exit(1)

    def _store(self) -> None:
        self._outcome.write_text(json.dumps({"ran": self._ran, "failed": self._failed}))
