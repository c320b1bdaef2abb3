"""What the tests of the API share."""

from collections.abc import AsyncIterator

import pytest

from app.simulator.http.server import Simulator
from tests.support.world import World, opened_world


@pytest.fixture
async def api(dsn: str, simulator: Simulator) -> AsyncIterator[World]:
    """The API with an account, without workers and clock: nothing else reads or writes."""
    async with opened_world(dsn, simulator, workers=False, clock=False) as world, world:
        await world.create_account()
        yield world
