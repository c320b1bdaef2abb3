"""Whether the process lives and whether it can work: for those who run it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from app.api.deps import ServicesDep
from app.api.problems import problems
from app.db import migrate
from app.db.migrate import SchemaState
from app.errors import AppError, DatabaseUnavailable
from app.sync import scheduler

router = APIRouter(tags=["operations"])


class NotReady(AppError):
    """The process lives but cannot work yet."""

    status = 503
    code = "not_ready"
    title = "The database schema is not the one this version needs; run `levitate-clio migrate`"


class ClockStopped(AppError):
    """The process lives, but its clock no longer proposes slots."""

    status = 503
    code = "clock_stopped"
    title = "The clock of this process has stopped; start the process again"


class Health(BaseModel):
    """It is well."""

    status: str = "ok"


class Readiness(Health):
    """All that the process needs is there."""

    database: Literal["ok"] = "ok"
    schema_: Annotated[Literal["current", "newer"], Field(serialization_alias="schema")]
    clock: Literal["ok", "off"]


@router.get("/healthz")
async def healthz() -> Health:
    """The process lives."""
    return Health()


@router.get("/readyz", responses=problems(DatabaseUnavailable, NotReady, ClockStopped))
async def readyz(request: Request, services: ServicesDep) -> Readiness:
    """The database answers, its schema will do, the clock goes. A newer schema will: it was made to fit us, too."""
    schema = await migrate.compare_schema(services.database)
    if schema is SchemaState.OLDER:
        raise NotReady
    clock: scheduler.Scheduler | None = request.app.state.clock
    if clock is not None and not scheduler.is_on_time(clock, now=services.now()):
        raise ClockStopped
    return Readiness(schema_=schema.value, clock="ok" if clock else "off")
