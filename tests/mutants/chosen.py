"""A pytest plugin that runs the chosen tests in the given order and stores their results.

It is active with `-p tests.mutants.chosen --chosen=FILE --outcome=FILE`. The first file contains ids of tests, test
functions or files, with the time limit of each test in seconds. A test that exceeds its limit counts as failed and ends
the process. A chosen test that is not collected is skipped.
"""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

MAX_MESSAGE = 300  # characters of a failure message


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options with the two files."""
    parser.addoption("--chosen", type=Path)
    parser.addoption("--outcome", type=Path)


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugin with the files of the options."""
    config.pluginmanager.register(Chosen(config.option.chosen, config.option.outcome))


class Chosen:
    """The chosen tests and their results."""

    def __init__(self, chosen: Path, outcome: Path) -> None:
        self._limits: dict[str, float] = json.loads(chosen.read_text())
        self._outcome = outcome
        self._ran: list[str] = []
        self._failed: dict[str, str] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the chosen tests, in the given order."""
        order = {chosen: number for number, chosen in enumerate(self._limits)}
        kept = [(order[entry], item) for item in items if (entry := self._entry_of(item.nodeid))]
        items[:] = [item for _, item in sorted(kept, key=lambda pair: pair[0])]

    def _entry_of(self, test: str) -> str | None:
        names = (test, test.partition("[")[0], test.partition("::")[0])
        return next((name for name in names if name in self._limits), None)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Run one test with its time limit."""
        seconds = self._limits[self._entry_of(item.nodeid) or item.nodeid]
        timer = threading.Timer(seconds, self._end_overdue, [item.nodeid, seconds])
        timer.daemon = True
        timer.start()
        self._ran.append(item.nodeid)
        try:
            return (yield)
        finally:
            timer.cancel()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the first failure of each test."""
        if report.failed:
            text = report.longreprtext.strip().splitlines()
            lines = [line for line in text if line.startswith("E ")] or text[-1:]
            self._failed.setdefault(report.nodeid, " ".join(lines[:1])[:MAX_MESSAGE])

    def pytest_sessionfinish(self) -> None:
        """Store the results."""
        self._store()

    def _end_overdue(self, test: str, seconds: float) -> None:
        self._failed.setdefault(test, f"still running after {seconds:.0f} s")
        self._store()
        os._exit(1)

    def _store(self) -> None:
        self._outcome.write_text(json.dumps({"ran": self._ran, "failed": self._failed}))
