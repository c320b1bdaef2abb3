"""When the regular tasks look at an account again: what is due, what is put off, and what brings a look forward."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text, update

from app.db.accounts import looks, tables
from app.db.accounts.looks import Look, Task
from app.db.session import Database
from app.db.system import system_transaction
from app.sync import health, scheduler
from app.sync.services import Services
from app.sync.writeback import maintain_outbox
from tests.integration.db.contacts.test_change_feed import make_account
from tests.support.sessions import as_owner, listen, unlisten
from tests.support.world import World

NOW = datetime(2026, 3, 3, 11, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
async def firms(database: Database) -> Database:
    """A database with three accounts that are due at the hour `NOW` and the two hours before."""
    for nth, account_id in enumerate("abc"):
        await make_account(database, account_id)
        own = tables.accounts.c.account_id == account_id
        async with as_owner(database) as session:
            due = update(tables.accounts).where(own).values(slot_due_at=NOW - nth * MINUTE)
            await session.execute(due)
    return database


async def due(database: Database, now: datetime = NOW, limit: int = 9) -> list[Look]:
    async with system_transaction(database) as session:
        return await looks.list_due(session, Task.SLOTS, now=now, limit=limit)


def ids(found: list[Look]) -> str:
    return "".join(look.account_id for look in found)


async def put_off(database: Database, found: list[Look], after: timedelta) -> None:
    async with system_transaction(database) as session:
        times = dict.fromkeys(found, NOW + after)
        await looks.put_off(session, Task.SLOTS, times, now=NOW)


async def test_the_longest_due_are_looked_at_first_and_not_again_before_their_time(
    firms: Database,
):
    assert ids(await due(firms, limit=2)) == "cb"
    assert ids(await due(firms, NOW - MINUTE)) == "cb"
    await put_off(firms, await due(firms, limit=2), 5 * MINUTE)
    assert ids(await due(firms)) == "a"
    assert sorted(ids(await due(firms, NOW + 5 * MINUTE))) == ["a", "b", "c"]


async def test_no_account_is_put_off_for_longer_than_an_hour_and_a_later_time_counts_as_due(
    firms: Database,
):
    # the configured slots have changed, or the system clock was set back
    await put_off(firms, await due(firms), timedelta(days=1))
    later = [len(await due(firms, NOW + minutes * MINUTE)) for minutes in (35, 45, 55, 60)]
    assert later == [0, 1, 2, 3], "they do not come back all at once"
    assert len(await due(firms, NOW - HOUR, limit=2)) == 2


async def test_a_change_during_a_look_is_looked_at_again(firms: Database):
    found = await due(firms)
    async with as_owner(firms) as session:
        await looks.look_now(session, Task.SLOTS, "a", now=NOW - HOUR)
    async with as_owner(firms) as other:  # it has an account locked: nobody waits for it
        await other.execute(text("select from accounts where account_id = 'b' for update"))
        await put_off(firms, found, HOUR)
    assert sorted(ids(await due(firms))) == ["a", "b"]


async def test_ticks_with_nothing_to_do_read_no_account(pulled: World):
    services: Services = pulled.app.state.services
    tasks = (scheduler.propose_slots, health.refresh_health, maintain_outbox)
    for task in tasks:
        await task(services)
    statements: list[str] = []

    def executed(_: object, __: object, statement: str, *more: object) -> None:
        statements.append(statement)

    listen(services.database, "before_cursor_execute", executed)
    for task in tasks:
        await task(services)
    unlisten(services.database, "before_cursor_execute", executed)
    assert len(statements) < 12
    assert not [one for one in statements if "connected_at" in one or "min(" in one], statements
    assert [one for one in statements if "slot_due_at" in one]


async def test_a_changed_time_zone_is_looked_at_in_the_next_tick(pulled: World):
    # row 31: its next slot may be earlier than in the zone before
    services: Services = pulled.app.state.services
    await scheduler.propose_slots(services)
    column = select(tables.accounts.c.slot_due_at)
    async with as_owner(services.database) as session:
        before = (await session.execute(column)).scalar_one()
    assert before > services.now()
    await pulled.create_account(time_zone="Asia/Tokyo")
    async with as_owner(services.database) as session:
        assert (await session.execute(column)).scalar_one() <= services.now()
