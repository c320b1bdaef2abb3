"""Harlow & Pike after its first runs, kept so that a test can start there without another first run."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from app.simulator.http.server import Simulator
from tests.support import world as world_module
from tests.support.postgres import MIGRATED, Server
from tests.support.sessions import as_owner
from tests.support.world import config_for, generous_simulator, harlow_and_pike, opened_world

Login = tuple[str, int]  # a Levitate user and the Clio user


@dataclass(frozen=True)
class AfterFirstRun:
    """A template database and the simulated Clio after the first runs; tests change only copies of both."""

    template: str
    clio: Simulator

    def simulator(self) -> Simulator:
        """Return a simulated Clio in the same state."""
        memo: dict[int, Any] = {id(firm.watchers): [] for firm in self.clio.firms}
        made = generous_simulator(*copy.deepcopy(self.clio.firms, memo))
        made.oauth = copy.deepcopy(self.clio.oauth, memo)  # its grants refer to the copied firms
        made.limits = copy.deepcopy(self.clio.limits)
        made.log.extend(self.clio.log)
        return made


async def first_run(server: Server, *logins: Login) -> AfterFirstRun:
    """Connect these logins one after another, and wait each time for the end of the run that this starts."""
    name = "_".join(["after", *(user_id for user_id, _ in logins)])
    dsn = await server.new_template(name, base=MIGRATED)
    simulator = generous_simulator(harlow_and_pike())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world_module, "config_for", config_for)  # the first test may have patched it
        await _connect(dsn, simulator, logins)
    return AfterFirstRun(name, simulator)


async def _connect(dsn: str, simulator: Simulator, logins: Sequence[Login]) -> None:
    async with opened_world(dsn, simulator, clock=False) as world, world:
        await world.create_account()
        for login in logins:
            await world.connect(*login)
            await world.settled()
        await world.idle()
        await world.housekept()
        # Each copy has its first requests at another time. The stored window would end in the middle of one of them.
        async with as_owner(world.app.state.services.database) as session:
            await session.execute(text("delete from budgets"))
