"""`create_app(config)`: builds engine, HTTP client, cipher, clock and workers. The only place that knows all parts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

import httpx
import structlog
from fastapi import FastAPI
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry
from prometheus_fastapi_instrumentator import Instrumentator
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from app import api
from app.api import openapi, problems
from app.api.deps import Door
from app.api.middleware import RequestContext
from app.clio.client import ClioClient
from app.clio.local_limit import LocalLimit
from app.clio.oauth import ClioOAuth, TokenSource
from app.clio.regions import ClioApp, Region, check_origin, origin_of
from app.clio.responses import http_client
from app.clio.shared_limit import Lane
from app.clio.transport import ClioTransport, Clock
from app.config import Config
from app.crypto import TokenCipher, hash_secret
from app.db.session import open_database
from app.sync.concurrency import Stopping
from app.sync.events import relay_events
from app.sync.scheduler import Scheduler, follow_clock_changes, start_scheduler
from app.sync.services import LocalLimits, OfferedRegion, Services, Timing
from app.sync.worker import run_workers
from app.webhook_sender import WebhookSender

LEASE_OF_HEARTBEATS = (
    2.5  # a lease outlives this many heartbeats of its holder; a dead one is replaced within 30 s
)
MAX_BODY = 4 * 1024 * 1024

log = structlog.get_logger(__name__)


def now() -> datetime:
    """The time: the only clock of the service."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Parts:
    """What runs in this process beside the API, and how Clio is reached (a simulator may stand in by transport)."""

    workers: bool = True
    clock: bool = True
    clio_transports: Mapping[Region, httpx.AsyncBaseTransport] | None = None


@asynccontextmanager
async def open_services(config: Config, dsn: str, parts: Parts) -> AsyncIterator[Services]:
    """All that the steps need, opened; closed again when the block ends."""
    database = open_database(dsn)
    transports = parts.clio_transports or {}
    stopping = asyncio.Event()
    clock = Clock(monotonic, now, _until(stopping))
    clients = {region: http_client(transports.get(region)) for region in Region}

    def open_clio(
        app: ClioApp, source: TokenSource, local_limit: LocalLimit, lane: Lane
    ) -> ClioClient:
        client = clients[app.region]
        return ClioClient(
            ClioTransport(
                client,
                origin=app.origin,
                source=source,
                local_limit=local_limit,
                clock=clock,
                lane=lane,
            )
        )

    try:
        yield Services(
            database=database,
            cipher=TokenCipher(config.encryption_key_list()),
            regions=_regions(config, transports),
            open_clio=open_clio,
            local_limits=LocalLimits(),
            timing=Timing(
                slots=config.slot_list(),
                slot_spread=timedelta(seconds=config.slot_spread_seconds),
                lease=timedelta(seconds=config.heartbeat_seconds * LEASE_OF_HEARTBEATS),
                heartbeat=timedelta(seconds=config.heartbeat_seconds),
                settle=timedelta(seconds=config.settle_seconds),
            ),
            notifier=WebhookSender(private_hosts=config.webhook_host_list()),
            public_url=config.public_url,
            return_origins=frozenset(config.return_origin_list()),
            now=now,
            stopping=stopping,
        )
    finally:
        for client in clients.values():
            await client.aclose()
        await database.dispose()


def _until(stopping: asyncio.Event) -> Callable[[float], Awaitable[None]]:
    """How to wait for Clio: a process that must end does not, but lays its work down (F27)."""

    async def sleep(seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await stopping.wait()
        except TimeoutError:
            return
        raise Stopping

    return sleep


def _regions(
    config: Config, transports: Mapping[Region, httpx.AsyncBaseTransport]
) -> dict[Region, OfferedRegion]:
    offered = {}
    for region in Region:
        registered = config.regions.get(region.value)
        if registered is None:
            continue
        app = ClioApp(
            region=region,
            origin=check_origin(registered.origin or origin_of(region)),
            client_id=registered.client_id,
            client_secret=registered.client_secret.get_secret_value(),
        )
        offered[region] = OfferedRegion(app, ClioOAuth(app, transport=transports.get(region)))
    return offered


@asynccontextmanager
async def at_work(services: Services, dsn: str, parts: Parts) -> AsyncIterator[Scheduler | None]:
    """Clock and workers beside the block; at its end runs are laid down between two pages."""
    clock = start_scheduler(services) if parts.clock else None
    try:
        async with asyncio.TaskGroup() as group:
            if clock is not None:
                group.create_task(follow_clock_changes(services, clock))
            if parts.workers:
                group.create_task(run_workers(services, dsn))
                group.create_task(relay_events(services))
            try:
                yield clock
            finally:
                services.stopping.set()
    finally:
        if clock is not None:
            clock.shutdown(wait=False)


def create_app(
    config: Config, dsn: str, parts: Parts = Parts()
) -> FastAPI:  # frozen, so shared safely
    """The service as an ASGI application; its lifespan opens and closes everything."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_services(config, dsn, parts) as services:
            app.state.services = services
            async with at_work(services, dsn, parts) as clock:
                app.state.clock = clock
                yield

    app = FastAPI(
        title="levitate-clio",
        version="1",
        summary="Clients of law firms, from Clio Manage to Levitate",
        description=openapi.DESCRIPTION,
        openapi_tags=openapi.TAGS,
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
    )
    token = config.service_token
    app.state.door = Door(
        hash_secret(token.get_secret_value()) if token else None, config.api_rate, {}
    )
    app.include_router(api.router)
    problems.install(app)
    openapi.install(app)
    Instrumentator(registry=CollectorRegistry()).instrument(app).expose(app, tags=["operations"])
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY)
    app.add_middleware(
        RequestContext, max_body=MAX_BODY
    )  # outermost, so that it answers before that one does
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
