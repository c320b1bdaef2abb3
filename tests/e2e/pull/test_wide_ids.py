"""Clio's ids are 64 bits wide: a firm all of whose ids begin at 2^40 is read, mapped, tagged and written to."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app import main
from app.simulator.firms.harlow_pike import NOW, harlow_pike
from app.simulator.store.firm import KINDS, Firm
from tests.e2e.assess.test_golden import GOLDEN
from tests.e2e.writeback.test_writeback import EMAIL, post, until
from tests.support.harlow_pike import labels, owner, tags
from tests.support.world import World, generous_simulator, opened_world

FIRST = 2**40
OPTIONS = {"9001", "9002"}  # of the picklist, whose value is the id of an option


def widened(value: Any, name: str = "") -> Any:
    """Return a record whose ids, and the ids that it refers to, are higher by `FIRST`."""
    if isinstance(value, dict):
        return {name: widened(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [widened(one, name) for one in value]
    if name == "only_users":
        return value and frozenset(FIRST + one for one in value)
    is_id = (name == "id" or name.endswith("_id")) and str(value).isdecimal()
    if is_id or (name == "value" and value in OPTIONS):
        return type(value)(FIRST + int(value))
    return value


def wide_firm() -> Firm:
    """Return the firm of the golden table with ids that begin at 2^40."""
    known = harlow_pike(main.now)
    firm = Firm(account_id=FIRST + 77, name="Harlow & Pike LLP", region="us", now=main.now)
    for kind in KINDS:
        for record_id in known.ids(kind):
            firm.put(kind, widened(known.find(kind, record_id)), at=NOW)
    return firm


@pytest.fixture
async def wide(dsn: str) -> AsyncIterator[World]:
    """The wide firm, connected and pulled."""
    async with opened_world(dsn, generous_simulator(wide_firm())) as world, world:
        await world.create_account()
        assert await world.connect("u_ann", FIRST + 501) == "x=1&clio=connected"
        (run,) = await world.settled()
        assert (run["status"], run["problems"]) == ("succeeded", [])
        yield world


async def test_the_golden_table_holds_for_ids_beyond_32_bits(wide: World):
    found = {
        int(clio_id) - FIRST: (labels(contact), contact["owner"]["user_id"])
        for clio_id, contact in (await wide.contacts()).items()
    }
    assert found == {int(key): (names, who[0]) for key, (names, who) in GOLDEN.items()}


async def test_wide_ids_can_be_mapped_tagged_and_written_to(wide: World):
    alice, jon = str(FIRST + 1001), str(FIRST + 1010)
    attorney = f"/v1/accounts/hp/attorneys/{FIRST + 502}"
    assert (await wide.api.put(attorney, json={"user_id": "u_off"})).status_code == 200
    tag = {"field_id": str(FIRST + 4), "label_format": "value"}
    await wide.choose({"tags": {"custom_fields": [tag]}})
    assert "Friend" in await tags(wide, alice)
    assert await owner(wide, jon) == ("u_off", "responsible_attorney", str(FIRST + 210))

    accepted = await post(wide, {**EMAIL, "clio_contact_id": alice})
    assert (await until(wide, accepted))["status"] == "written"

    wide.simulator.firms[0].put("contact", {"id": FIRST + 1001, "title": "Judge"})
    assert (await wide.run())["counts"]["changed"] == 1
