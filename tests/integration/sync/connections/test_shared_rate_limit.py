"""Processes with one login stay within its limit, and Clio refuses none of their requests [S10]."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from time import monotonic

import httpx
import pytest

from app import main
from app.clio import resources
from app.clio.client import ClioClient
from app.clio.errors import ClioRetryLater
from app.clio.local_rate_limit import LocalLimit
from app.clio.responses import http_client
from app.clio.shared_rate_limit import RESERVED_SHARE
from app.clio.transport import ClioTransport, Clock
from app.db.connections.connections import Connection, Status
from app.db.session import open_database
from app.lanes import Lane
from app.simulator.firms.harlow_pike import harlow_pike
from app.simulator.http.server import Simulator
from app.sync.connections.rate_limit import ALLOTMENT_SIZE, TokenGate, _stored_window
from tests.integration.db.contacts.test_change_feed import make_account
from tests.support.postgres import address_of
from tests.support.rate_limited_read import CALLBACK, CLIO, _FixedToken, _token

LIMIT = 23
LATENCY = 0.05  # no process uses up the window before the others check again (PROBE)
LOGIN = Connection("a", "cnx", "u_1", "us", Status.CONNECTED, None, None, None, None)
LANES = (Lane.INITIAL, Lane.RECONCILE, Lane.WRITE_BACK)  # of three processes


async def no_waiting(seconds: float) -> None:
    """Accept short waits; fail on a longer one."""
    if seconds > 1:
        raise ClioRetryLater("the window is used up", after=timedelta(seconds=seconds))
    await asyncio.sleep(seconds)


@pytest.fixture
async def clients(dsn: str) -> AsyncIterator[tuple[list[ClioClient], Simulator]]:
    simulator = Simulator(
        [harlow_pike(main.now)],
        now=main.now,
        redirect_uris=[CALLBACK],
        rate_limit=LIMIT,
        latency=LATENCY,
    )
    transport = httpx.ASGITransport(simulator.app("us"))
    source = _FixedToken(await _token(transport, user=501))
    databases = [open_database(address_of(dsn)) for _ in LANES]
    await make_account(databases[0], "a")
    clock = Clock(monotonic, main.now, no_waiting)
    yield (
        [
            ClioClient(
                ClioTransport(
                    http_client(transport),
                    origin=CLIO,
                    source=source,
                    local_limit=LocalLimit(TokenGate(partial(_stored_window, database, LOGIN))),
                    clock=clock,
                    lane=lane,
                )
            )
            for database, lane in zip(databases, LANES, strict=True)
        ],
        simulator,
    )
    for database in databases:
        await database.dispose()


async def test_three_processes_with_different_lanes_share_the_window_and_are_never_refused(
    clients: tuple[list[ClioClient], Simulator],
):
    # S10: two readers take all that they get; a third process that writes gets the rest; all stay within the limit
    ask, simulator = clients
    made = [0, 0, 0]

    async def one(nth: int) -> None:
        try:
            while True:
                await ask[nth].get_many(resources.CONTACTS, [1001])
                made[nth] += 1
        except ClioRetryLater:
            return

    async with asyncio.TaskGroup() as group:
        for nth in (0, 1):
            for _ in range(2):
                group.create_task(one(nth))
    await one(2)
    assert all(made)
    assert simulator.limits.refused == 0
    assert sum(made) == len(simulator.requests())
    held, for_people = 2 * (ALLOTMENT_SIZE - 1), int(LIMIT * RESERVED_SHARE[Lane.WRITE_BACK])
    assert LIMIT - held - for_people <= sum(made) <= LIMIT
