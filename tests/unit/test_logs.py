"""Logs contain ids, counts and durations, never a name, an address, a body or a token [T9]."""

import asyncio
import gc
import json
import logging
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy.exc import DBAPIError
from typing_extensions import override

from app import logs
from app.errors import DatabaseUnavailable
from app.main import now


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


def test_the_time_of_a_line_is_in_utc_and_says_so(capsys, monkeypatch):
    # ASVS V16.2.2
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        log, before = Captured(capsys), now()
        structlog.get_logger("x").info("run_ended")
        logged = str(log.last()["timestamp"])
    finally:
        monkeypatch.undo()
        time.tzset()
    assert logged.endswith("Z")
    assert before <= datetime.fromisoformat(logged) <= now()


def test_lines_go_to_stderr_and_nowhere_else(capsys, tmp_path: Path):
    # ASVS V16.2.3: what somebody added to the root logger before is gone
    root = logging.getLogger()
    with (tmp_path / "other.log").open("w") as other:
        root.addHandler(logging.StreamHandler(other))
        Captured(capsys)
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    assert handler.stream is sys.stderr
    structlog.get_logger("x").info("run_ended")
    logging.getLogger("somebody").warning("hello")
    written = capsys.readouterr()
    assert (written.out, len(written.err.splitlines())) == ("", 2)
    assert (tmp_path / "other.log").read_text() == ""


def test_no_library_writes_its_lines_to_another_place(tmp_path: Path):
    # ASVS V16.2.3: after everything was imported, and the server was set up as `serve` does
    done = subprocess.run(
        [sys.executable, "-c", FIND_HANDLERS],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert json.loads(done.stdout) == [[], ["uvicorn.access"]], "uvicorn writes no access log"


FIND_HANDLERS = """
import json, logging
from app import logs
from app.cli import commands
from app.config import Config
from app.db.connection import Address
from app.main import create_app
logs.configure("INFO", "json")
commands.server_config(create_app(Config(encryption_keys="A" * 44), Address("postgresql://x@127.0.0.1/x")))
loggers = [one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger)]
assert len(loggers) > 20
own = [one.name for one in loggers if one.handlers and not isinstance(one.handlers[0], logging.NullHandler)]
print(json.dumps([own, [one.name for one in loggers if not one.propagate]]))
"""


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("field", ["account_id", "reason"])
def test_a_line_break_in_a_field_begins_no_line(capsys, form: str, field: str):
    # ASVS V16.4.1, T11
    logs.configure("INFO", form)
    hostile = 'x\r\n{"event":"forged"}\x1b[31m\u2028\x00'
    structlog.get_logger("x").info("run_ended", **{field: hostile})
    written = capsys.readouterr().err
    assert written.endswith("\n")
    assert len(written.splitlines()) == 1
    assert "\x1b" not in written
    if form == "json":
        assert json.loads(written)[field] == hostile


def test_a_line_names_its_logger_ours_and_a_librarys(capsys):
    # docs/operations.md lists the field
    log = Captured(capsys)
    structlog.get_logger("app.sync.run").info("run_ended")
    assert log.last()["logger"] == "app.sync.run"
    logging.getLogger("asyncio").error("a task was never awaited")
    assert (line := log.last())["logger"] == "asyncio"
    assert line["event"] == "library_message"


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


class Broken(dict[str, object]):
    """An event whose library calls itself thirty times before it fails."""

    @override
    def keys(self) -> Any:
        return self._fail(30)

    def _fail(self, depth: int) -> Any:
        return self._fail(depth - 1) if depth else int("alice@home.test")


def test_our_own_frames_are_logged_however_deep_a_library_goes(capsys):
    log = Captured(capsys)
    with pytest.raises(ValueError, match="invalid") as caught:
        logs.drop_unknown_fields(None, "", Broken())
    structlog.get_logger("x").error("broke", exc_info=caught.value)
    frames = str(log.last()["frames"])
    assert "logs.py:" in frames
    assert "drop_unknown_fields" in frames
    assert frames.count("_fail") == 1  # where it was raised


def test_the_types_of_an_exception_and_of_its_causes_are_logged(capsys):
    log = Captured(capsys)
    error = DBAPIError("select", {}, ValueError())
    error.__cause__ = ValueError("alice@home.test")
    structlog.get_logger("x").error("broke", exc_info=error)
    assert log.last()["error"] == "DBAPIError: ValueError"


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
    assert (line["logger"], line["level"]) == ("somebody", "warning")


def test_of_a_line_of_a_library_the_place_is_logged_and_never_the_text(capsys):
    # T9: a library can write anything into its messages, also formatted beforehand
    log = Captured(capsys)
    logging.getLogger("somebody").error("Key (email)=(%s) exists", "alice@home.test")
    logging.getLogger("somebody").error(f"Key (email)=({'alice@home.test'}) exists")  # noqa: G004
    line = log.last()
    assert line["event"] == "library_message"
    assert re.fullmatch(
        r"\['unit/test_logs.py:\d+ test_of_a_line_of_a_library_the_place_is_logged\w+'\]",
        str(line["frames"]),
    )
    try:
        int("alice@home.test")
    except ValueError:
        logging.getLogger("somebody").exception("alice@home.test")
    line = log.last()
    assert line["error"] == "ValueError"
    assert len(line["frames"]) == 2  # type: ignore[arg-type]
    assert "alice" not in str(line)


async def test_a_task_whose_failure_nobody_reads_is_logged_without_its_text(capsys):
    # T9: asyncio shows the exception in its own message
    log = Captured(capsys)

    async def fail() -> None:
        int("alice@home.test")

    task = asyncio.create_task(fail())  # noqa: TID251  # a group would read its failure
    await asyncio.wait([task])
    del task
    gc.collect()
    line = log.last()
    assert (line["logger"], line["error"]) == ("asyncio", "ValueError")
    assert "alice" not in str(line)


def test_a_line_that_cannot_be_formatted_is_not_printed_with_its_values(capsys):
    # T9
    Captured(capsys)
    logging.getLogger("somebody").error("%d contacts", "alice@home.test")
    assert "alice" not in capsys.readouterr().err


def test_what_nobody_can_catch_is_logged_without_its_text(capsys, monkeypatch):
    # T9: of a thread, and at the end of an object
    for where, name in ((threading, "excepthook"), (sys, "unraisablehook")):
        monkeypatch.setattr(where, name, getattr(where, name))
    log = Captured(capsys)
    logs.log_what_python_prints()

    class Ending:
        def __del__(self) -> None:
            int("alice@home.test")

    def fail() -> None:
        int("alice@home.test")

    for act in (Ending, lambda: run_in_thread(fail)):
        act()
        gc.collect()
        line = log.last()
        assert (line["event"], line["error"]) == ("exception_not_caught", "ValueError")
        assert "alice" not in str(line)


def run_in_thread(act: Callable[[], None]) -> None:
    thread = threading.Thread(target=act)
    thread.start()
    thread.join()


def test_libraries_do_not_log_every_attempt_of_an_outage(capsys):
    # the part that failed logs one line when it fails and one when it works again
    log = Captured(capsys)
    logging.getLogger("somebody").warning("hello")
    logging.getLogger("pgqueuer").error("Flush failed, requeuing 3 items")
    logging.getLogger("apscheduler.scheduler").warning("Execution of job skipped")
    logging.getLogger("stamina").warning("stamina.retry_scheduled")
    assert log.last()["logger"] == "somebody"
