"""Builds the service: database, HTTP clients, cipher, clock, workers and the API. The only module that knows all parts.

`create_app` returns the service as an ASGI application. It is made of two functions, so that tests can reuse one
application: `build_app` builds routes and middleware, `configure_app` sets what the next start uses.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic

import httpx
import structlog
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry
from prometheus_fastapi_instrumentator import Instrumentator
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from app import api, console, pages
from app.api import health, openapi, problems
from app.api.authentication import PROTECTED, ApiAuth, Authentication
from app.api.metrics import BackgroundCollector
from app.api.middleware import RequestContext, ValueLimit
from app.clio.call_budget import CallBudget
from app.clio.client import ClioClient
from app.clio.local_rate_limit import LocalLimit
from app.clio.oauth import ClioOAuth, TokenSource
from app.clio.regions import ClioApp, Region, check_origin, origin_of
from app.clio.responses import http_client
from app.clio.transport import ClioTransport, Clock
from app.config import Config
from app.crypto import TokenCipher, hash_secret
from app.db.connection import Address
from app.db.retention import Periods
from app.db.session import API_POOL, open_database
from app.errors import DatabaseUnavailable
from app.lanes import Lane
from app.sync.background import Prepare, Process, background_work
from app.sync.concurrency import sleep_or_stop
from app.sync.request_check_refresh import load_request_checks
from app.sync.request_checks import RequestChecks
from app.sync.services import LocalLimits, OfferedRegion, Services, Timing
from app.sync.waits import Readers, Waits
from app.webhook_sender import WebhookSender

# A lease is this many heartbeats long, so a run whose process died is taken over within 30 s.
LEASE_IN_HEARTBEATS = 2.5
FIRST_LOAD_SECONDS = 2.0  # how long a start waits for the database before it answers 503
MAX_BODY_BYTES = 4 * 1024 * 1024

log = structlog.get_logger(__name__)


def now() -> datetime:
    """Return the current time in UTC. This is the only clock of the service."""
    return datetime.now(UTC)


ClioTransports = Mapping[Region, httpx.AsyncBaseTransport]


@dataclass(frozen=True)
class Parts:
    """The parts that run in this process beside the API, and the HTTP transports to Clio (tests pass a simulator)."""

    workers: bool = True
    clock: bool = True
    clio_transports: ClioTransports | None = None


@dataclass(frozen=True)
class StartOptions:
    """The options that the lifespan of the application starts with; `app.state.start` holds them."""

    config: Config
    address: Address
    clio_transports: ClioTransports
    process: Process


def create_app(
    config: Config, address: Address, parts: Parts = Parts(), prepare: Prepare | None = None
) -> FastAPI:
    """Return the service as an ASGI application. Its lifespan opens and closes everything the service needs."""
    app = build_app()
    configure_app(app, config, address, parts, prepare)
    return app


def create_worker_app(
    config: Config, address: Address, parts: Parts = Parts(), prepare: Prepare | None = None
) -> FastAPI:
    """Return an application for a process without the API: it serves health checks and metrics only."""
    app = FastAPI(
        title="levitate-clio worker", lifespan=_lifespan, openapi_url=None, redirect_slashes=False
    )
    app.include_router(health.router)
    problems.install(app)
    _expose_metrics(app)
    app.add_middleware(RequestContext, max_body=0)
    configure_app(app, config, address, parts, prepare)
    return app


def build_app() -> FastAPI:
    """Return an application with routes and middleware. Call `configure_app` before its lifespan starts."""
    app = FastAPI(
        title="levitate-clio",
        version="1",
        summary="Clients of law firms, from Clio Manage to Levitate",
        description=openapi.DESCRIPTION,
        openapi_tags=openapi.TAGS,
        servers=[
            {"url": "/", "description": "This service, in production or local", "x-internal": False}
        ],
        contact={"name": "The maintainers of levitate-clio"},
        license_info={"name": "MIT", "identifier": "MIT"},
        lifespan=_lifespan,
        docs_url=None,  # app/pages/api_docs.py has it
        redoc_url=None,
        redirect_slashes=False,  # a redirect would repeat the request, at the host that its header names
        generate_unique_id_function=_operation_id,
    )
    app.include_router(api.router)
    pages.install(app)
    console.install(app)
    problems.install(app)
    openapi.install(app)
    app.add_middleware(ValueLimit, prefix=PROTECTED)
    app.add_middleware(Authentication)
    app.add_middleware(console.ConsoleSessions)
    _expose_metrics(app)
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY_BYTES)
    # Added last, so it is the outermost: it answers before RequestBodyLimitMiddleware reads the body.
    app.add_middleware(RequestContext, max_body=MAX_BODY_BYTES)
    return app


def _expose_metrics(app: FastAPI) -> None:
    registry = CollectorRegistry()
    registry.register(BackgroundCollector(app))
    Instrumentator(registry=registry).instrument(app).expose(
        app, tags=["operations"], response_class=PlainTextResponse
    )


def configure_app(
    app: FastAPI,
    config: Config,
    address: Address,
    parts: Parts = Parts(),
    prepare: Prepare | None = None,
) -> None:
    """Set what the application uses when its lifespan starts: see `StartOptions`."""
    token = config.service_token
    bootstrap_hash = hash_secret(token.get_secret_value()) if token else None
    process = Process(workers=parts.workers, clock=parts.clock, prepare=prepare)
    app.state.start = StartOptions(config, address, parts.clio_transports or {}, process)
    app.state.is_https = config.public_url.startswith("https://")
    app.state.serves_docs = config.serves_docs
    app.state.auth = ApiAuth(bootstrap_hash, config.api_rate, {})


def _operation_id(route: APIRoute) -> str:
    """Return the endpoint function's name. Operation ids are part of the API: do not rename endpoint functions."""
    return route.name


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    try:
        async with _running(app):
            yield
    except Exception:  # the server would only log the text
        log.exception("service_failed")
        raise


@asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    start: StartOptions = app.state.start
    async with open_services(start.config, start.address, start.clio_transports) as services:
        app.state.services = services
        if start.process.prepare is None:
            with suppress(
                DatabaseUnavailable, TimeoutError
            ):  # without it the first requests get 503
                await asyncio.wait_for(load_request_checks(services), FIRST_LOAD_SECONDS)
        async with background_work(services, start.address, start.process) as background:
            app.state.background = background
            yield


@asynccontextmanager
async def open_services(
    config: Config, address: Address, transports: ClioTransports
) -> AsyncIterator[Services]:
    """Open the database and the HTTP clients, and yield the services built on them. Close both when the block ends."""
    database = open_database(address, API_POOL)
    stopping = asyncio.Event()
    clock = Clock(monotonic, now, partial(sleep_or_stop, stopping))
    clients = {region: http_client(transports.get(region)) for region in Region}
    try:
        yield Services(
            database=database,
            cipher=TokenCipher(config.encryption_key_list()),
            regions=_offered_regions(config, transports),
            open_clio=_client_factory(clients, clock),
            open_budget=partial(CallBudget, monotonic),
            local_limits=LocalLimits(),
            feed_waits=Readers(),
            run_readers=Readers(),
            token_waits=Waits(),
            request_checks=RequestChecks(),
            timing=_timing(config),
            retention=_periods(config),
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


def _client_factory(
    http_clients: Mapping[Region, httpx.AsyncClient], clock: Clock
) -> Callable[[ClioApp, TokenSource, LocalLimit, Lane, CallBudget | None], ClioClient]:
    def open_clio(
        app: ClioApp,
        source: TokenSource,
        local_limit: LocalLimit,
        lane: Lane,
        budget: CallBudget | None,
    ) -> ClioClient:
        return ClioClient(
            ClioTransport(
                http_clients[app.region],
                origin=app.origin,
                source=source,
                local_limit=local_limit,
                clock=clock,
                lane=lane,
            ).within(budget)
        )

    return open_clio


def _periods(config: Config) -> Periods:
    return Periods(
        runs=timedelta(days=config.retention_runs_days),
        activities=timedelta(days=config.retention_activities_days),
        attempts=timedelta(days=config.retention_attempts_days),
        events=timedelta(days=config.retention_events_days),
        audit=timedelta(days=config.retention_audit_days),
    )


def _timing(config: Config) -> Timing:
    return Timing(
        slots=config.slot_list(),
        slot_spread=timedelta(seconds=config.slot_spread_seconds),
        lease=timedelta(seconds=config.heartbeat_seconds * LEASE_IN_HEARTBEATS),
        heartbeat=timedelta(seconds=config.heartbeat_seconds),
        settle=timedelta(seconds=config.settle_seconds),
    )


def _offered_regions(config: Config, transports: ClioTransports) -> dict[Region, OfferedRegion]:
    offered = {}
    for region in Region:
        registered = config.regions.get(region.value)
        if registered is None:
            continue
        app = ClioApp(
            region=region,
            origin=check_origin(registered.origin or origin_of(region)),
            client_id=registered.client_id,
            client_secret=registered.client_secret,
        )
        offered[region] = OfferedRegion(app, ClioOAuth(app, transport=transports.get(region)))
    return offered
