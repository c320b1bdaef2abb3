"""Whether the process lives and whether it can work: for those who run it."""

from fastapi import APIRouter
from pydantic import BaseModel

from app.api.deps import ServicesDep
from app.db import migrate
from app.errors import AppError

router = APIRouter(tags=["operations"])


class NotReady(AppError):
    """The process lives but cannot work yet."""

    status = 503
    code = "not_ready"
    title = "The database schema is not the one this version needs; run `levitate-clio migrate`"


class Health(BaseModel):
    """It is well."""

    status: str = "ok"


@router.get("/healthz")
async def healthz() -> Health:
    """The process lives."""
    return Health()


@router.get("/readyz")
async def readyz(services: ServicesDep) -> Health:
    """The database answers and its schema is the expected one."""
    if not await migrate.is_current(services.database):
        raise NotReady
    return Health()
