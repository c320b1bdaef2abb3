"""Health checks for operators: whether the process is alive, and whether it can work."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import Field

from app.api.deps import ServicesDep
from app.api.problems import problems
from app.api.schema_check import SchemaCheck
from app.api.schemas.base import Schema
from app.db.migrate import SchemaState
from app.errors import AppError, DatabaseUnavailable
from app.sync import scheduler

router = APIRouter(tags=["operations"])


class NotReady(AppError):
    """The process is alive but cannot work yet."""

    status = 503
    code = "not_ready"
    title = "The database schema is older than this version needs; run `levitate-clio migrate`"


class ClockStopped(AppError):
    """The process is alive, but its scheduler has stopped."""

    status = 503
    code = "clock_stopped"
    title = "The scheduler of this process has stopped; restart the process"


class Health(Schema):
    """The process is alive."""

    status: str = "ok"
    """Always `ok`: the process is alive."""


class Readiness(Health):
    """The process can work."""

    database: Literal["ok"] = "ok"
    """Always `ok`: the database responds."""

    schema_: Annotated[Literal["current", "newer"], Field(serialization_alias="schema")]
    """Whether the database schema is the one of this version (`current`) or of a newer one (`newer`)."""

    clock: Literal["ok", "off"]
    """`ok`: the scheduler of this process runs. `off`: this process has none."""


@router.get("/healthz")
async def healthz() -> Health:
    """Return ok while the process is alive."""
    return Health()


@router.get("/readyz", responses=problems(DatabaseUnavailable, NotReady, ClockStopped))
async def readyz(request: Request, services: ServicesDep) -> Readiness:
    """Return ok if the database responds, its schema is current or newer, and the scheduler runs.

    A newer schema is accepted because every migration keeps the previous release working.
    """
    check: SchemaCheck = request.app.state.schema_check
    schema = await check.state(services.database)
    if schema is SchemaState.OLDER:
        raise NotReady
    clock: scheduler.Scheduler | None = request.app.state.clock
    if clock is not None and not scheduler.is_on_time(clock, now=services.now()):
        raise ClockStopped
    return Readiness(schema_=schema.value, clock="ok" if clock else "off")
