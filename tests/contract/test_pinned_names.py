"""Tests that pin names on which callers, operators and stored data rely.

Many of them are made of Python names: an operation id is a function's name, a schema's name is a class's. A test here
looks from outside where that is possible, so that it fails on the contract and not on the name behind it. What the
database holds is pinned in `tests/integration/test_pinned_data.py`.

In the OpenAPI document these are contract: paths, methods, operation ids, parameters and their order, schemas with
their names, fields, types, limits and defaults, problem codes, examples, and `title`, of which generators of clients
make names. These are not: `description` and `summary`, which are wording for people, the wording in the example of a
problem, and the order of `required`, `enum` and `x-problem-codes`, which are sets.
"""

import ast
import asyncio
import enum
import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Awaitable, Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
import typer
from fastapi import FastAPI
from pgqueuer.models import Job
from pydantic import SecretStr

import app
from app.cli.commands import cli
from app.config import Config
from app.db import job_queue, retention
from app.db.connection import Address
from app.db.job_queue import QueueSize
from app.db.queue_worker import ListeningDriver
from app.db.session import Database, PoolWaits, Session
from app.lanes import (
    DEAUTHORISATION,
    ENDPOINT_DELETION,
    ERASURE,
    RETENTION,
    RUN_LANES,
    SUBSCRIPTIONS,
    Lane,
    housekeeping_key,
)
from app.loop_watch import LoopWatch
from app.main import create_app
from app.sync import worker
from app.sync.background import Background, Measurements
from app.sync.database_probe import DatabaseProbe
from app.sync.services import Services
from app.sync.supervisor import Supervisor
from app.sync.waits import Readers
from tests.support import pinned
from tests.support.world import config_for

NOWHERE = "postgresql://nowhere"
PLAIN = int | float | str
WORDING = {"description", "summary"}
DATA = {"default", "const", "example"}  # values, in which these words are ordinary keys
SETS = {"required", "enum", "x-problem-codes"}
NAMES = {  # objects whose keys are names, not keywords
    *("properties", "patternProperties", "schemas", "$defs", "paths", "responses", "content", "headers"),
    *("securitySchemes", "encoding", "mapping", "variables"),
}  # fmt: skip


@pytest.fixture(scope="module")
def service() -> FastAPI:
    """The application without its parts: its documents need no database."""
    return create_app(config_for(NOWHERE), Address(NOWHERE))


async def get(service: FastAPI, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(service)
    async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
        answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer


# --- the OpenAPI document --------------------------------------------------------------------------


def without_wording(node: Any) -> Any:
    """Return a part of the document without the wording for people."""
    if isinstance(node, list):
        return [without_wording(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: _kept(key, value) for key, value in node.items() if key not in WORDING}


def _kept(key: str, value: Any) -> Any:
    if key in DATA:
        return value
    if key == "examples":
        return [_example(item) for item in value]
    if key in NAMES and isinstance(value, dict):
        return {name: without_wording(item) for name, item in value.items()}
    if key in SETS and isinstance(value, list):
        return sorted(value, key=str)
    return without_wording(value)


def _example(value: Any) -> Any:
    """Return an example; of a problem, without the wording."""
    if isinstance(value, dict) and {"code", "title", "detail"} <= value.keys():
        return {**value, "title": "…", "detail": "…"}
    return value


def test_a_property_is_kept_whatever_its_name():
    schema = {
        "description": "wording",
        "properties": {"description": {"type": "string", "summary": "wording"}},
        "default": {"summary": "a value"},
        "required": ["b", "a"],
    }
    assert without_wording(schema) == {
        "properties": {"description": {"type": "string"}},
        "default": {"summary": "a value"},
        "required": ["a", "b"],
    }


async def test_the_openapi_document_equals_the_pinned_one(service: FastAPI, tmp_path: Path):
    document = (await get(service, "/openapi.json")).json()
    pinned.check("openapi", without_wording(document), tmp_path)


# --- what operators rely on ------------------------------------------------------------------------


def idle_background() -> Background:
    """Return the background of a process with one part, one pool and one kind of jobs."""
    supervisor = Supervisor(asyncio.Event(), monotonic)
    supervisor.add("listener", interval=1.0)
    probe = DatabaseProbe(cast(Database, None), monotonic)
    measured = Measurements(queues={"run": QueueSize(1, 2.0)}, accounts={"ok": 1})
    return Background(
        supervisor, probe, LoopWatch(), {"api": PoolWaits()}, Readers(), True, measured
    )


async def test_metrics_have_the_pinned_names_and_labels(service: FastAPI, tmp_path: Path):
    service.state.background = idle_background()
    await get(service, "/healthz")
    text = (await get(service, "/metrics")).text
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, flags=re.MULTILINE))
    found: dict[str, Any] = {name: {"type": kind, "samples": {}} for name, kind in types.items()}
    for sample, labels in re.findall(r"^([a-z_]+)(?:\{(.*)\})? ", text, flags=re.MULTILINE):
        family = max((name for name in types if sample.startswith(name)), key=len)
        found[family]["samples"][sample] = sorted(re.findall(r'(\w+)="', labels))
    pinned.check("metrics", found, tmp_path)


def test_the_commands_and_their_options_equal_the_pinned_ones(tmp_path: Path):
    (program,) = entry_points(group="console_scripts", name="levitate-clio")
    assert callable(program.load())
    pinned.check("commands", {"levitate-clio": _command(typer.main.get_command(cli))}, tmp_path)


def _command(command: Any) -> dict[str, Any]:
    """Return the subcommands, options and arguments of a command, in their order."""
    found: dict[str, Any] = {}
    for name, below in getattr(command, "commands", {}).items():
        found[name] = _command(below)
    arguments = 0
    for parameter in command.params:
        arguments += parameter.param_type_name == "argument"
        is_option = parameter.param_type_name == "option"
        name = " ".join(parameter.opts) if is_option else f"argument {arguments}"
        found[name] = {
            "required": parameter.required,
            "repeatable": parameter.nargs != 1 or bool(getattr(parameter, "multiple", False)),
            "flag": bool(getattr(parameter, "is_flag", False)),
            "default": parameter.default if isinstance(parameter.default, PLAIN) else None,
            "limits": [getattr(parameter, "min", None), getattr(parameter, "max", None)],
        }
    return found


def _variables() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((pinned.PINNED / "variables.json").read_text())
    return found


def _leaves(value: Any) -> Iterator[str]:
    """Return every value of a configuration in the form of a variable."""
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif value is not None:
        yield str(value.get_secret_value() if isinstance(value, SecretStr) else value)


@pytest.fixture
def no_variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in _variables():
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_every_environment_variable_is_read_under_its_pinned_name(
    no_variables: pytest.MonkeyPatch,
):
    for name, variable in _variables().items():
        no_variables.setenv(name, variable["sample"])
    read = set(_leaves(Config().model_dump()))
    assert [name for name, one in _variables().items() if one["sample"] not in read] == []


def test_every_environment_variable_has_its_pinned_default(no_variables: pytest.MonkeyPatch):
    defaults = Config().model_dump(mode="json")
    for name, variable in _variables().items():
        field = name.removeprefix("LEVITATE_CLIO_").lower()
        if not field.startswith("regions__"):
            assert defaults.pop(field) == variable["default"], name
    assert defaults == {"regions": {}}


# --- what waits in the queue -----------------------------------------------------------------------


class _Queue:
    """Keeps the jobs that are queued."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, str]] = {}

    async def enqueue(
        self, name: str, payload: bytes, _priority: int, *, dedupe_key: str, **_more: Any
    ) -> None:
        self.jobs[dedupe_key] = {"name": name, "payload": payload.decode()}


class _Session:
    """A session of a queue without jobs."""

    async def execute(self, *_: Any) -> Any:
        return SimpleNamespace(scalar_one_or_none=lambda: None, scalar_one=lambda: 0, rowcount=0)

    async def get_raw_connection(self) -> Any:
        return SimpleNamespace(driver_connection=None)


async def test_jobs_are_queued_under_their_pinned_names_and_keys(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """Jobs of another release wait in the queue, so their names are read by that release and by this one."""
    queue, session = _Queue(), cast(Session, _Session())
    monkeypatch.setattr(job_queue, "Queries", lambda _: queue)
    monkeypatch.setattr(job_queue, "AsyncpgDriver", lambda _: None)
    for lane in (*RUN_LANES, Lane.WRITE_BACK):
        await job_queue.want(session, lane, "{account}")
    await job_queue.want(session, Lane.DELIVERIES, "{endpoint}")
    for task in (ERASURE, DEAUTHORISATION, SUBSCRIPTIONS):
        await job_queue.want(session, Lane.HOUSEKEEPING, housekeeping_key(task, "{account}"))
    deletion = housekeeping_key(ENDPOINT_DELETION, "{endpoint}")
    await job_queue.want(session, Lane.HOUSEKEEPING, deletion)
    for name in retention.TABLES:
        await job_queue.want(session, Lane.HOUSEKEEPING, housekeeping_key(RETENTION, name))
    pinned.check("jobs", queue.jobs, tmp_path)


async def test_a_worker_has_a_handler_for_each_pinned_job(monkeypatch: pytest.MonkeyPatch):
    handlers: dict[str, Callable[[Job], Awaitable[None]]] = {}
    woken: dict[str, Any] = {}

    class Worker:
        def __init__(self, *_: Any, **_more: Any) -> None:
            pass

        def entrypoint(self, name: str, **_: Any) -> Callable[..., None]:
            return lambda handler: handlers.update({name: handler})

        async def work(self, *_: Any, **_more: Any) -> None:
            pass

    async def wake(_: Services, name: str, payload: bytes) -> None:
        woken[name] = json.loads(payload)

    monkeypatch.setattr(worker, "QueueWorker", Worker)
    monkeypatch.setattr(worker, "wake_lane_of", wake)
    supervisor = Supervisor(asyncio.Event(), monotonic)
    parts = (cast(ListeningDriver, None), supervisor, supervisor.add("worker", interval=1.0))
    services = cast(
        Services, SimpleNamespace(stopping=None, timing=SimpleNamespace(heartbeat=None))
    )
    await worker.work_on_earlier_jobs(services, *parts)
    earlier: dict[str, Any] = json.loads((pinned.PINNED / "earlier_jobs.json").read_text())
    assert handlers.keys() == earlier.keys()
    for name, job in earlier.items():
        payload = json.dumps(job["payload"]).encode()
        await handlers[name](cast(Job, SimpleNamespace(entrypoint=name, payload=payload)))
    assert woken == {name: job["payload"] for name, job in earlier.items()}
    for lane in Lane:
        await worker.work_on_lane(services, parts[0], lane, *parts[1:])
    jobs: dict[str, Any] = json.loads((pinned.PINNED / "jobs.json").read_text())
    assert handlers.keys() - earlier.keys() == {job["name"] for job in jobs.values()}


# --- codes and other words -------------------------------------------------------------------------


def modules() -> Iterator[str]:
    """Return the name of every module of the service; names in the simulator are not part of the contract."""
    for found in pkgutil.walk_packages(app.__path__, "app."):
        if not found.name.startswith("app.simulator") and not found.name.endswith("__main__"):
            importlib.import_module(found.name)
            yield found.name


def below(kind: type[Any]) -> Iterator[type[Any]]:
    for child in kind.__subclasses__():
        yield child
        yield from below(child)


def classes(kind: type[Any]) -> list[type[Any]]:
    """Return the classes of the service that are derived from another, wherever they are defined."""
    known = set(modules())
    return [found for found in below(kind) if found.__module__ in known]


def test_errors_have_the_pinned_codes_and_statuses(tmp_path: Path):
    found: dict[str, Any] = {}
    for kind in classes(Exception):
        code = vars(kind).get("code") or vars(kind).get("default_code")
        if isinstance(code, str):
            found[code] = getattr(kind, "status", None) if "code" in vars(kind) else "Clio's"
    assert len(found) > 40
    pinned.check("errors", found, tmp_path)


def test_issues_have_the_pinned_codes_and_severities(tmp_path: Path):
    page = (
        Path(__file__).parents[2] / "docs" / "issues.md"
    )  # another test compares it with the code
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", page.read_text(), flags=re.MULTILINE)
    pinned.check("issues", dict(rows), tmp_path)


def test_codes_without_a_class_or_enumeration_are_still_in_the_code():
    """Codes of problems, outcomes of a connection and marks in Clio are complete strings in the code."""
    texts = set()
    for name in modules():
        source = inspect.getsource(importlib.import_module(name))
        found = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
        texts |= {node.value for node in found if isinstance(node.value, str)}
    wanted: list[str] = json.loads((pinned.PINNED / "texts.json").read_text())
    assert [text for text in wanted if text not in texts] == []


def test_enumerations_have_the_pinned_words():
    """Types of events, kinds and states of runs, activities, holds and so on, whatever the name of the enumeration."""
    present = [sorted(item.value for item in kind) for kind in classes(enum.StrEnum)]
    wanted: list[list[str]] = json.loads((pinned.PINNED / "words.json").read_text())
    lost = [words for words in wanted if words not in present]
    nearest = {
        ", ".join(words): max(present, key=lambda other: len({*words} & {*other})) for words in lost
    }
    assert nearest == {}, "an enumeration has other words than the pinned ones"
