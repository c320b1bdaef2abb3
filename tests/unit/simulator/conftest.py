"""A simulated Clio with Harlow & Pike, and a clock that a test moves."""

import pytest

from app.simulator.firms.harlow_pike import harlow_pike
from app.simulator.http.server import Simulator
from app.simulator.store.firm import Firm
from tests.support.visitor import Clock, Visitor, simulator_with


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def firm(clock: Clock) -> Firm:
    return harlow_pike(clock)


@pytest.fixture
def clio(firm: Firm, clock: Clock) -> Simulator:
    return simulator_with(firm, clock=clock)


@pytest.fixture
async def ann(clio: Simulator) -> Visitor:
    """The owner of the firm, who sees everything except matter 208."""
    return await Visitor(clio).login(501)
