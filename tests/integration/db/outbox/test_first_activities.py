"""The row of a contact says which of its waiting activities is next, whoever changes them and at the same time."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from app.db.outbox import contact_leases, outbox
from app.db.outbox.activities import ActivityNotFound, NotCancellable, NotRetryable, Outcome, Status
from app.db.session import Database, Session, transaction
from app.errors import RunTakenOver
from app.main import now
from tests.integration.db.contacts.test_change_feed import make_account
from tests.support.interleaving import interrupt, steps_of
from tests.support.waiting_activities import store_waiting, waiting_activity

CONTACT = 1001
MINUTE = timedelta(minutes=1)
STORED = text("select first_user_id, ready_at from activity_turns where clio_contact_id = :contact")
EXPECTED = text(
    "select user_id, coalesce(due_at, created_at) as ready_at from activities"
    " where clio_contact_id = :contact and status in ('queued', 'sending') order by place limit 1"
)


async def check(session: Session, contact_id: int = CONTACT) -> Any:
    """Check the row of the contact; return it."""
    named = {"contact": contact_id}
    stored = (await session.execute(STORED, named)).one()
    expected = (await session.execute(EXPECTED, named)).one_or_none() or (None, None)
    assert tuple(stored) == tuple(expected)
    return stored


async def write(session: Session, activity_id: str, chance: random.Random) -> None:
    """Write the first activity of the contact as a worker does: begin an attempt, and mostly end it."""
    moment = now()
    lease = await contact_leases.acquire(session, "a", CONTACT, length=MINUTE)
    assert lease is not None
    if activity := await contact_leases.next_activity(session, lease):
        begun = await contact_leases.begin_attempt(
            session, lease, activity, "cnx", due_at=moment + MINUTE, now=moment
        )
        statuses = (Status.QUEUED, Status.WRITTEN, Status.BLOCKED, Status.FAILED)
        outcome = Outcome(chance.choice(statuses), after=chance.choice((None, MINUTE)))
        if begun is not None and chance.random() < 0.8:
            await contact_leases.end_attempt(session, begun, outcome, now=moment)
    await contact_leases.release(session, lease)


async def retry(session: Session, activity_id: str, chance: random.Random) -> None:
    await outbox.retry(session, "a", activity_id)


async def cancel(session: Session, activity_id: str, chance: random.Random) -> None:
    await outbox.cancel(session, "a", activity_id)


async def unblock(session: Session, activity_id: str, chance: random.Random) -> None:
    await outbox.unblock(session, "a", "u_ann")


async def delete(session: Session, activity_id: str, chance: random.Random) -> None:
    await session.execute(
        text("delete from activities where activity_id = :activity"), {"activity": activity_id}
    )


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_to_activities_the_first_one_is_known(database: Database, seed: int):
    chance = random.Random(seed)  # noqa: S311  # an example, no secret
    await make_account(database, "a")
    users = ("u_ann", "u_ben")
    rows = [waiting_activity("a", n, user_id=users[n % 2]) for n in range(8)]
    async with transaction(database, "a") as session:
        await store_waiting(session, rows, leased={})
    ids = [row["activity_id"] for row in rows]
    seen = set()
    for _ in range(80):
        change = chance.choices((write, retry, cancel, unblock, delete), (12, 8, 3, 2, 1))[0]
        async with transaction(database, "a") as session:
            try:
                await change(session, chance.choice(ids), chance)
            except (NotCancellable, NotRetryable, ActivityNotFound):
                continue
            seen.add(await check(session))
    assert len(seen) > 5


# --- two at the same time ------------------------------------------------------------------------------

Side = Callable[[Database], Awaitable[None]]
FIRST, SECOND = "act_000001", "act_000002"


async def do_cancel(database: Database, activity_id: str) -> None:
    async with transaction(database, "a") as session:
        await outbox.cancel(session, "a", activity_id)


async def do_retry(database: Database) -> None:
    async with transaction(database, "a") as session:
        await outbox.retry(session, "a", "act_000000")


async def do_unblock(database: Database) -> None:
    async with transaction(database, "a") as session:
        await outbox.unblock(session, "a", "u_ben")


async def do_send(database: Database) -> None:
    """Take the contact, find what is next and begin to send it, as a worker does."""
    moment = now()
    async with transaction(database, "a") as session:
        lease = await contact_leases.acquire(session, "a", CONTACT, length=MINUTE)
    assert lease is not None
    async with transaction(database, "a") as session:
        await contact_leases.renew(session, lease)
        activity = await contact_leases.next_activity(session, lease)
    assert activity is not None
    async with transaction(database, "a") as session:
        await contact_leases.renew(session, lease)
        await contact_leases.begin_attempt(
            session, lease, activity, "cnx", due_at=moment + MINUTE, now=moment
        )


SIDES: dict[str, Side] = {
    "cancel the first": partial(do_cancel, activity_id=FIRST),
    "cancel the second": partial(do_cancel, activity_id=SECOND),
    "retry one before them": do_retry,
    "unblock another one": do_unblock,
    "send": do_send,
}


@pytest.fixture
async def looker(dsn: str, database: Database) -> AsyncIterator[asyncpg.Connection]:
    await make_account(database, "a")
    steps_of(database)
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


async def store(database: Database, moment: datetime) -> None:
    rows = [
        waiting_activity("a", 0, status="failed"),
        waiting_activity("a", 1),
        waiting_activity("a", 2, user_id="u_ben"),
        waiting_activity("a", 3, user_id="u_ben", status="blocked", blocked_at=moment),
    ]
    async with transaction(database, "a") as session:
        await store_waiting(session, rows, leased={})


@pytest.mark.parametrize("second", SIDES)
@pytest.mark.parametrize("first", SIDES)
async def test_two_changes_at_a_contact_at_the_same_time_leave_the_first_one_known(
    database: Database, looker: asyncpg.Connection, first: str, second: str
):
    if first == second:
        return
    after = 0
    has_more = True
    while has_more:
        await looker.execute(
            "truncate activities, activity_attempts, activity_turns, pgqueuer cascade"
        )
        await store(database, now())
        sides = [partial(_ignoring, SIDES[name], database) for name in (first, second)]
        has_more = await interrupt(looker, sides[0], sides[1], after=after)
        async with transaction(database, "a") as session:
            await check(session)
        after += 1
    assert after > 2


async def _ignoring(side: Side, database: Database) -> None:
    """Do a side; what the other one did first may have made it impossible."""
    try:
        await side(database)
    except (NotCancellable, NotRetryable, RunTakenOver):
        return
