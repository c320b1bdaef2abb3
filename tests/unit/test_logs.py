"""Logs contain ids, counts and durations, never a name, an address, a body or a token [T9]."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from sqlalchemy.exc import DBAPIError

from app import logs
from app.errors import DatabaseUnavailable


class Captured:
    """The log in production format, from the creation of this object on."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        logs.configure("INFO", "json")

    def last(self) -> dict[str, object]:
        line: dict[str, object] = json.loads(self._capsys.readouterr().err.splitlines()[-1])
        return line


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    logs.configure("WARNING", "json")


def test_fields_that_are_not_allowed_are_dropped_and_counted(capsys):
    log = Captured(capsys)
    structlog.get_logger("x").info("run_ended", account_id="hp", client="Alice", token="t")
    line = log.last()
    assert (line["event"], line["account_id"], line["dropped_fields"]) == ("run_ended", "hp", 2)
    assert "Alice" not in str(line)


def test_an_exception_of_a_library_shows_its_type_and_code_locations_only(capsys):
    log = Captured(capsys)
    try:
        int("alice@home.test")
    except ValueError:
        structlog.get_logger("x").exception("broke")
    line = log.last()
    assert line["error"] == "ValueError"
    assert "test_logs.py" in str(line["frames"])
    assert "alice" not in str(line)


def test_our_own_exception_shows_its_code(capsys):
    log = Captured(capsys)
    structlog.get_logger("x").error("broke", exc_info=DatabaseUnavailable())
    assert log.last()["error"] == "database_unavailable"
    theirs = DBAPIError("select", {}, ValueError())  # its code, dbapi, is an anchor of a manual
    structlog.get_logger("x").error("broke", exc_info=theirs)
    assert log.last()["error"] == "DBAPIError"


def test_libraries_log_in_the_same_format_and_without_urls(capsys):
    log = Captured(capsys)
    logging.getLogger("httpx").info("HTTP Request: GET https://x/?code=secret")
    logging.getLogger("somebody").warning("hello")
    line = log.last()
    assert (line["event"], line["level"]) == ("hello", "warning")


def test_libraries_do_not_log_every_attempt_of_an_outage(capsys):
    # the part that failed logs one line when it fails and one when it works again
    log = Captured(capsys)
    logging.getLogger("somebody").warning("hello")
    logging.getLogger("pgqueuer").error("Flush failed, requeuing 3 items")
    logging.getLogger("apscheduler.scheduler").warning("Execution of job skipped")
    logging.getLogger("stamina").warning("stamina.retry_scheduled")
    assert log.last()["event"] == "hello"
