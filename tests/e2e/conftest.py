"""The fixture firm, connected and pulled once: where most stories begin."""

import pytest

from tests.support.world import World


@pytest.fixture
async def pulled(world: World) -> World:
    """Harlow & Pike, connected by Ann, who sees all contacts, and pulled."""
    await world.create_account()
    await world.connect("u_ann", 501)
    await world.settled()
    return world
