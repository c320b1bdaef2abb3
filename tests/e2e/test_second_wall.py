"""The second wall holds alone: without the account condition of its statements the service shows nothing foreign [T2].

`tests/wide/accounts` does the same with all kinds of work.
"""

from sqlalchemy import text

from app.db.contacts import contacts
from app.db.session import transaction
from tests.e2e.test_two_accounts import make_settings_newer, seen, services_of
from tests.support.account_copies import copy_account, rows_of
from tests.support.sessions import as_owner
from tests.support.stripped import strip, without_account_conditions
from tests.support.world import World

STATEMENTS = 100  # of at least so many kinds the conditions were taken out


async def test_without_the_conditions_an_account_is_served_as_if_it_were_alone(pulled: World):
    before = await seen(pulled, walled=False)
    await copy_account(pulled.dsn, "hp", "copy")
    await make_settings_newer(pulled.dsn, "copy")
    copied = await rows_of(pulled.dsn, "copy")
    with without_account_conditions() as stripped:
        assert await seen(pulled, walled=False) == before
        pulled.simulator.firms[0].put("contact", {"id": 1001, "title": "Judge"})
        run = await pulled.run("full")
        assert (run["status"], run["problems"]) == ("succeeded", [])
        rederived = await pulled.choose({"tags": {"location": {"city": True}}})
        assert rederived is not None
        assert rederived["status"] == "succeeded"
        assert len(await pulled.contacts()) == len(before["contacts"])
        await pulled.idle()
    assert await rows_of(pulled.dsn, "copy") == copied
    assert len(stripped) > STATEMENTS


async def test_the_stripped_statement_shows_the_owner_all_accounts(pulled: World):
    # so the test above would notice a wall that is off
    database = services_of(pulled).database
    async with transaction(database, "hp") as session:
        alone = await contacts.count_by_state(session, "hp")
    await copy_account(pulled.dsn, "hp", "copy")
    count = text(strip("select count(*) from contacts where account_id = $1").replace("$1", "'hp'"))
    async with transaction(database, "hp") as session:
        assert (await session.execute(count)).scalar_one() == sum(alone.values())
    async with as_owner(database) as session:
        assert (await session.execute(count)).scalar_one() == 2 * sum(alone.values())
