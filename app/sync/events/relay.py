"""The relay: serves the webhook endpoints that are due, each in a task of its own, those served longest ago first."""

import asyncio

import structlog

from app.db.events import turns
from app.db.session import transaction
from app.errors import DatabaseUnavailable
from app.sync.events.endpoint_slice import serve_endpoint
from app.sync.services import Services
from app.sync.supervisor import Part, Supervisor

CONCURRENT_ENDPOINTS = 50  # in one process
POLL_SECONDS = 1.0  # between two queries for due endpoints

log = structlog.get_logger(__name__)


async def relay_events(services: Services, supervisor: Supervisor, part: Part) -> None:
    """Serve endpoints until the process must stop; an endpoint keeps its place only while no other one needs it."""
    served: set[str] = set()
    async with asyncio.TaskGroup() as group:

        async def serve(endpoint_id: str) -> None:
            served.add(endpoint_id)
            try:
                while await _is_due_after_slice(services, endpoint_id):
                    if len(served) >= CONCURRENT_ENDPOINTS or services.stopping.is_set():
                        break
            finally:
                served.remove(endpoint_id)

        async def serve_due() -> None:
            for endpoint_id in await _list_due(services, limit=CONCURRENT_ENDPOINTS - len(served)):
                if endpoint_id not in served:
                    group.create_task(serve(endpoint_id))

        await supervisor.repeat(part, serve_due, every=POLL_SECONDS)


async def _list_due(services: Services, *, limit: int) -> list[str]:
    if limit <= 0:
        return []
    async with transaction(services.database) as session:
        return await turns.list_due_endpoints(session, limit=limit, now=services.now())


async def _is_due_after_slice(services: Services, endpoint_id: str) -> bool:
    """Serve one slice of an endpoint; return whether the next one is due."""
    try:
        due_at = await serve_endpoint(services, endpoint_id)
        return due_at is not None and due_at <= services.now()
    except DatabaseUnavailable:
        pass  # the claim ends by itself; the relay reports the database
    except Exception:  # a fault at one endpoint must not end the others
        log.exception("delivery_crashed", endpoint_id=endpoint_id)
    return False
