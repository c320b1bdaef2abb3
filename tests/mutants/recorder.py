"""A pytest plugin that records which test runs which line, and how long each test takes.

Active with `-p tests.mutants.recorder --record-to=FOLDER --record-roots=app/sync,app/db`; works under xdist. The line
data is coverage's own, one context for each test. What a fixture of a wider scope than one test runs is stored under
a context of its own, because only the first test pays for it, although all of its users depend on it.
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
    """Start before the first conftest imports the code, so that lines of import are known as such."""
    asked = early_config.known_args_namespace
    early_config.pluginmanager.register(Recorder(asked.record_to, asked.record_roots.split(",")))


class Recorder:
    """The coverage of one process, and in the process that collects reports the tests' durations."""

    def __init__(self, folder: Path, roots: list[str]) -> None:
        self._folder = folder
        self._coverage = _started(folder / LINES, roots)
        self._context = ""
        self._seconds: dict[str, float] = defaultdict(float)
        self._unusable: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Count what runs from set-up to tear-down for the test."""
        self._enter(item.nodeid)
        try:
            return (yield)
        finally:
            self._enter("")

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
        """Count what a shared fixture runs for the fixture."""
        before = self._context
        if fixturedef.scope != "function":
            self._enter(_name_of(fixturedef))
        try:
            return (yield)
        finally:
            self._enter(before)

    def _enter(self, context: str) -> None:
        if context != self._context:
            self._context = context
            self._coverage.switch_context(context)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Store the users of each shared fixture; all workers collect the same tests, so the first one does it."""
        worker = getattr(session.config, "workerinput", {"workerid": "gw0"})["workerid"]
        if worker == "gw0" and session.items:
            (self._folder / FIXTURES).write_text(json.dumps(_users(session.items)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up set-up, call and tear-down; a test that failed or was skipped proves nothing about a change."""
        self._seconds[report.nodeid] += report.duration
        if not report.passed:
            self._unusable.add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the lines of this process, and where the reports came together the tests."""
        self._coverage.stop()
        self._coverage.save()
        if not hasattr(session.config, "workerinput"):
            tests = {"seconds": self._seconds, "unusable": sorted(self._unusable)}
            (self._folder / TESTS).write_text(json.dumps(tests))


def _started(data_file: Path, roots: list[str]) -> coverage.Coverage:
    """Return a coverage that runs; SQLAlchemy switches greenlets within one thread, which it has to follow."""
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
