"""Logs hold ids, counts and durations, never a name, an address, a body or a token (T9)."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from app import logs
from app.errors import DatabaseUnavailable


@pytest.fixture(autouse=True)
def as_in_production() -> Iterator[None]:
    logs.configure("INFO", "json")
    yield
    logs.configure("WARNING", "json")


def logged(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    line: dict[str, object] = json.loads(capsys.readouterr().err.splitlines()[-1])
    return line


def test_fields_that_are_not_on_the_list_are_left_out_and_counted(capsys):
    structlog.get_logger("x").info("run_ended", account_id="hp", client="Alice", token="t")
    line = logged(capsys)
    assert (line["event"], line["account_id"], line["dropped_fields"]) == ("run_ended", "hp", 2)
    assert "Alice" not in str(line)


def test_a_foreign_exception_shows_its_type_and_places_only(capsys):
    try:
        int("alice@home.test")
    except ValueError:
        structlog.get_logger("x").exception("broke")
    line = logged(capsys)
    assert line["error"] == "ValueError"
    assert "test_logs.py" in str(line["frames"])
    assert "alice" not in str(line)


def test_our_own_exception_shows_its_code(capsys):
    structlog.get_logger("x").error("broke", exc_info=DatabaseUnavailable())
    assert logged(capsys)["error"] == "database_unavailable"


def test_libraries_log_through_the_same_form_and_no_addresses(capsys):
    logging.getLogger("httpx").info("HTTP Request: GET https://x/?code=secret")
    logging.getLogger("somebody").warning("hello")
    line = logged(capsys)
    assert (line["event"], line["level"]) == ("hello", "warning")
