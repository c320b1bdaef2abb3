"""What is emptied in Clio is emptied here, whoever sees it; and the later answer of a login counts [rows 38, DM-9]."""

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from app import main
from tests.support.sessions import as_owner
from tests.support.world import World


async def test_what_is_emptied_in_clio_is_emptied_for_a_login_without_roles(world: World):
    # row 38: Cat has no roles, and nobody else is connected
    await world.create_account()
    await world.connect("u_cat", 503)
    await world.settled()
    before = (await world.contacts())["1001"]
    assert (before["title"], bool(before["addresses"])) == ("Teacher", True)
    firm = world.simulator.firms[0]
    firm.put("contact", {"id": 1001, "title": None, "addresses": []})
    assert (await world.run())["status"] == "succeeded"
    after = (await world.contacts())["1001"]
    assert (after["title"], after["addresses"]) == (None, [])
    assert after["phones"] == before["phones"]


async def test_an_attorney_who_is_removed_from_a_matter_is_removed_for_a_login_without_roles(
    world: World,
):
    # row 38: for matters alike
    await world.create_account()
    await world.connect("u_cat", 503)
    await world.settled()
    firm = world.simulator.firms[0]
    assert firm.sees(503, "matter", 201)
    assert await stored_attorney(world, 201) is not None
    firm.put("matter", {"id": 201, "responsible_attorney_id": None})
    await world.run()
    assert await stored_attorney(world, 201) is None


async def stored_attorney(world: World, clio_id: int) -> Any:
    async with as_owner(world.app.state.services.database) as session:
        query = "select record -> 'responsible' from mirror_matters where clio_id = :id"
        return (await session.execute(text(query), {"id": clio_id})).scalar_one()


async def test_a_time_in_the_future_does_not_hold_up_later_edits(pulled: World):
    # A record with such a time beat every later edit for ever, in full runs too.
    def spoil(path: str, body: bytes) -> bytes:
        if path != "/api/v4/contacts.json":
            return body
        document = json.loads(body)
        for record in document["data"]:
            if record["id"] == 1001:
                record["updated_at"] = "2099-01-01T00:00:00Z"
        return json.dumps(document).encode()

    await pulled.connect("u_cat", 503)
    await pulled.settled()
    firm = pulled.simulator.firms[0]
    firm.put("contact", {"id": 1001, "title": "Judge"})
    pulled.clio_transport.edit = spoil
    await pulled.run()
    assert (await pulled.contacts())["1001"]["title"] == "Judge"
    pulled.clio_transport.edit = None
    firm.put("contact", {"id": 1001, "title": "Clerk"})
    await pulled.run()
    assert (await pulled.contacts())["1001"]["title"] == "Clerk"
    # Clio's times have whole seconds: only a version of another second is newer than the one before.
    firm.put("contact", {"id": 1001, "title": None}, at=main.now() + timedelta(seconds=2))
    await pulled.run()
    assert (await pulled.contacts())["1001"]["title"] is None
