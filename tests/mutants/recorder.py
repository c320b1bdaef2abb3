"""A pytest plugin that records which test runs which line, and how long each test takes.

It is active with `-p tests.mutants.recorder --record-to=FOLDER --record-roots=app/sync,app/db`, and works under xdist.
The data file is that of coverage.py, with one context for each test. A fixture with a wider scope than a function has
its own context, because it runs only in the first test, although all tests that use it depend on it.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import coverage
import pytest

TESTS, FIXTURES, LINES = "tests.json", "fixtures.json", "coverage"
SHARED = "fixture:"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the folder to record to, and the folders whose lines are recorded."""
    parser.addoption("--record-to", type=Path)
    parser.addoption("--record-roots", default="")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Start before the first conftest imports the code, so that code that runs at import has no context."""
    options = early_config.known_args_namespace
    early_config.pluginmanager.register(
        Recorder(options.record_to, options.record_roots.split(","))
    )


class Recorder:
    """The coverage of one process; in the process that collects the reports, also the durations of the tests."""

    def __init__(self, folder: Path, roots: list[str]) -> None:
        self._folder = folder
        self._coverage = _start_coverage(folder / LINES, roots)
        self._context = ""
        self._seconds: dict[str, float] = defaultdict(float)
        self._unusable: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Record the lines from set-up to tear-down for the test."""
        self._switch_context(item.nodeid)
        try:
            return (yield)
        finally:
            self._switch_context("")

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
        """Record the lines of a shared fixture for the fixture."""
        before = self._context
        if fixturedef.scope != "function":
            self._switch_context(_name_of(fixturedef))
        try:
            return (yield)
        finally:
            self._switch_context(before)

    def _switch_context(self, context: str) -> None:
        if context != self._context:
            self._context = context
            self._coverage.switch_context(context)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Store the tests that use each shared fixture; only in the first worker, since all collect the same tests."""
        worker = getattr(session.config, "workerinput", {"workerid": "gw0"})["workerid"]
        if worker == "gw0" and session.items:
            (self._folder / FIXTURES).write_text(json.dumps(_users(session.items)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add the durations of set-up, call and tear-down; a test that failed or was skipped is not usable."""
        self._seconds[report.nodeid] += report.duration
        if not report.passed:
            self._unusable.add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Store the lines of this process; in the process that collects the reports, also store the tests."""
        self._coverage.stop()
        self._coverage.save()
        if not hasattr(session.config, "workerinput"):
            tests = {"seconds": self._seconds, "unusable": sorted(self._unusable)}
            (self._folder / TESTS).write_text(json.dumps(tests))


def _start_coverage(data_file: Path, roots: list[str]) -> coverage.Coverage:
    """Start to measure coverage, also of greenlets, which SQLAlchemy uses; return the running measurement."""
    measured = coverage.Coverage(
        data_file=str(data_file),
        data_suffix=True,
        source=roots,
        config_file=False,
        concurrency=["greenlet", "thread"],
    )
    measured.set_option("run:core", "ctrace")
    measured.set_option("run:relative_files", True)
    measured.start()
    return measured


def _users(items: list[pytest.Item]) -> dict[str, list[str]]:
    users: dict[str, list[str]] = defaultdict(list)
    for item in items:
        info = getattr(item, "_fixtureinfo", None)
        for definitions in info.name2fixturedefs.values() if info else ():
            for one in definitions:
                if one.scope != "function":
                    users[_name_of(one)].append(item.nodeid)
    return users


def _name_of(fixture: pytest.FixtureDef[Any]) -> str:
    return f"{SHARED}{fixture.baseid}:{fixture.argname}"
