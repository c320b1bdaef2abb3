"""Health checks for operators: whether the process must be restarted, and whether it can work.

They need no token, so they never use the database: they show the last answer that the process itself got.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import Field

from app.api.problems import problems
from app.api.schemas.base import Schema
from app.db.migrate import SchemaState
from app.errors import AppError
from app.sync.background import Background
from app.sync.request_checks import RequestChecks
from app.sync.services import Services
from app.sync.supervisor import State

router = APIRouter(tags=["operations"])


class PartStuck(AppError):
    """A part of the process hangs. Only a new process repairs that."""

    status = 503
    code = "part_stuck"
    title = "A background part of this process hangs"
    next_step = "restart the process"


class NotReady(AppError):
    """The process is alive but cannot work now."""

    status = 503
    code = "not_ready"
    title = "This process cannot work now"
    next_step = "read `detail` and `parts`, which say why and what to do"


class Health(Schema):
    """The process is alive."""

    status: str = "ok"
    """Always `ok`: the process is alive."""


class PartHealth(Schema):
    """A background part of the process."""

    name: str
    """The part, for example `clock`."""

    state: str
    """`running`, `waiting_for_database`, `restarting`, or `stuck`."""

    seconds_since_turn: float
    """The seconds since the part finished its last turn."""


class Readiness(Health):
    """The process can work."""

    database: Literal["ok", "unavailable"]
    """Whether the database responds."""

    schema_: Annotated[
        Literal["current", "newer", "older", "too_new", "unknown"],
        Field(serialization_alias="schema"),
    ]
    """Whether the database schema is the one of this version (`current`) or of the next one (`newer`), which this
    version can use, too old (`older`), too new (`too_new`), or not known while the database does not respond
    (`unknown`)."""

    clock: Literal["ok", "off"]
    """`ok`: this process has a scheduler, and it runs. `off`: this process has none."""

    parts: list[PartHealth]
    """Every background part of this process."""


@router.get("/healthz", responses=problems(PartStuck))
async def healthz(request: Request) -> Health:
    """Return ok while the process is alive and no part of it hangs."""
    background: Background = request.app.state.background
    answering = background.probe.answering()
    for part in background.supervisor.parts.values():
        if part.state(answering=answering) is State.STUCK:
            raise PartStuck(f"The part {part.name} hangs; restart this process")
    return Health()


@router.get("/readyz", responses=problems(NotReady))
async def readyz(request: Request) -> Readiness:
    """Return ok if the database responds, its schema can be used, and every part finished a turn a short time ago.

    A part is late after three of its intervals. An error has the same members as the success, beside the problem.
    """
    background: Background = request.app.state.background
    await background.probe.check()
    readiness = _readiness(background)
    services: Services = request.app.state.services
    if reason := _reason(background, services.request_checks):
        members = readiness.model_dump(by_alias=True, exclude={"status"})
        raise NotReady(reason, headers={"Retry-After": "5"}, members=members)
    return readiness


def _readiness(background: Background) -> Readiness:
    answering, parts = background.probe.answering(), background.supervisor.parts.values()
    return Readiness(
        database="unavailable" if answering is None else "ok",
        schema_=background.probe.schema.value if background.probe.schema else "unknown",
        clock="ok" if any(part.name == "clock" for part in parts) else "off",
        parts=[
            PartHealth(
                name=part.name,
                state=part.state(answering=answering),
                seconds_since_turn=round(part.age(), 1),
            )
            for part in parts
        ],
    )


def _reason(background: Background, checks: RequestChecks) -> str | None:
    """Return why the process cannot work, or None."""
    if background.probe.answering() is None:
        return "The database does not respond; check it. The process continues by itself"
    if background.probe.schema is SchemaState.OLDER:
        return "The database schema is older than this version needs; run `levitate-clio migrate`"
    if background.probe.schema is SchemaState.TOO_NEW:
        return "The database schema is too new for this version; start a newer version"
    if not (background.prepared and checks.has_tokens):
        return "The process is starting; wait"
    late = sorted(part.name for part in background.supervisor.parts.values() if part.is_late())
    if not late:
        return None
    return f"These parts are late: {', '.join(late)}. Wait a minute, then restart the process if /healthz says so"
