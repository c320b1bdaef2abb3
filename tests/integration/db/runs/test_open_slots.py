"""A slot is never lost: which run serves it, and how long it stays open [OV-3, row 44]."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert, select, text, update

from app.db.accounts import tables as account_tables
from app.db.connections import tables as connection_tables
from app.db.runs import leases, run_requests, runs, slots, tables, turns
from app.db.runs.leases import Lease
from app.db.runs.run_requests import RunRequest
from app.db.runs.runs import Kind, Run, Status, Trigger
from app.db.runs.slots import Slot
from app.db.session import Database, Session, transaction
from app.sync.slot_times import zone_of
from tests.integration.db.contacts.test_change_feed import make_account

AT = datetime(2026, 3, 3, 11, 0, tzinfo=UTC)
MORNING = Slot(date(2026, 3, 3), "06:00", AT)
EVENING = Slot(date(2026, 3, 3), "18:00", AT + timedelta(hours=12))
NEED_LOGIN: Sequence[dict[str, object]] = [
    {"code": "needs_reconnect", "detail": "x", "connection_id": None}
]
REFUSED: Sequence[dict[str, object]] = [
    {"code": "clio_refused", "detail": "x", "connection_id": None}
]


@pytest.fixture
async def firm(database: Database) -> Database:
    """A database with an account that has a working login, and that was read a week ago completely."""
    await make_account(database, "a")
    async with transaction(database, "a") as session:
        await session.execute(
            insert(connection_tables.connections).values(
                account_id="a", connection_id="cnx", user_id="u", region="us", status="connected",
                connected_at=AT - timedelta(days=8), created_at=AT,
            )
        )  # fmt: skip
    first = await request(database, Kind.INITIAL, Trigger.CONNECT, now=AT - timedelta(days=6))
    await end(database, first, Status.SUCCEEDED, at=AT - timedelta(days=6))
    return database


async def request(database: Database, kind: Kind, trigger: Trigger, *, now: datetime = AT) -> Run:
    async with transaction(database, "a") as session:
        wanted = RunRequest(kind, trigger)
        return await run_requests.request_run(session, "a", wanted, now=now)


async def begin(session: Session, run: Run, *, at: datetime = AT) -> Lease | None:
    minute = timedelta(minutes=1)
    lease = await turns.take_turn(session, "a", run.lane, length=minute, now=at)
    assert lease is None or lease.run_id == run.run_id
    return lease


async def end(
    database: Database,
    run: Run,
    status: Status,
    *,
    at: datetime,
    problems: Sequence[dict[str, object]] = (),
) -> None:
    async with transaction(database, "a") as session:
        lease = await begin(session, run, at=at)
        assert lease is not None
        await leases.close_run(session, lease, status, problems=problems, now=at)


async def tick(database: Database, now: datetime, *due: Slot) -> list[Run]:
    """Do with the database what the scheduler does in one tick; return the runs that were started."""
    started = []
    async with transaction(database, "a") as session:
        for slot in due:
            await slots.claim(session, "a", slot, now=now)
        await slots.settle(session, ["a"])
        for account_id, slot in await slots.list_startable(session, now=now, limit=9):
            started.append(await slots.start(session, account_id, slot, now=now))
    return [run for run in started if run]


async def is_open(database: Database) -> bool:
    async with transaction(database, "a") as session:
        return await slots.oldest_unserved(session) is not None


@pytest.mark.parametrize(
    ("kind", "trigger", "becomes"),
    [
        (Kind.INCREMENTAL, Trigger.WEBHOOK, Trigger.SCHEDULE),
        (Kind.INCREMENTAL, Trigger.MANUAL, Trigger.MANUAL),
        (Kind.FULL, Trigger.MANUAL, Trigger.MANUAL),
        (Kind.INITIAL, Trigger.CONNECT, Trigger.CONNECT),
    ],
)
async def test_a_queued_run_that_reads_lists_becomes_the_run_of_the_slot(
    firm: Database, kind: Kind, trigger: Trigger, becomes: Trigger
):
    queued = await request(firm, kind, trigger)
    (served,) = await tick(firm, AT, MORNING)
    assert (served.run_id, served.kind) == (queued.run_id, kind)
    assert (served.slot, served.trigger) == ("2026-03-03 06:00", becomes)
    await end(firm, served, Status.SUCCEEDED, at=AT)
    assert await tick(firm, AT + timedelta(hours=1)) == []
    assert not await is_open(firm)


@pytest.mark.parametrize("kind", [Kind.REDERIVE, Kind.CONTACT, Kind.COVERAGE])
async def test_a_queued_run_that_does_not_read_the_lists_of_all_logins_serves_no_slot(
    firm: Database, kind: Kind
):
    queued = await request(firm, kind, Trigger.MANUAL)
    (served,) = await tick(firm, AT, MORNING)
    assert served.run_id != queued.run_id
    assert (served.kind, served.trigger) == (Kind.INCREMENTAL, Trigger.SCHEDULE)


@pytest.mark.parametrize("state", [Status.RUNNING, Status.INTERRUPTED])
async def test_a_run_that_has_begun_serves_no_slot_that_became_due_later(
    firm: Database, state: Status
):
    begun = await request(firm, Kind.FULL, Trigger.MANUAL)
    async with transaction(firm, "a") as session:
        lease = await begin(session, begun)
        if lease and state is Status.INTERRUPTED:
            await leases.close_run(session, lease, state, problems=[], now=AT)
    (served,) = await tick(firm, AT, MORNING)
    assert served.run_id != begun.run_id
    assert (served.status, served.kind) == (Status.QUEUED, Kind.INCREMENTAL)
    (later,) = await tick(firm, EVENING.due_at, EVENING)
    assert (later.run_id, later.slot) == (served.run_id, "2026-03-03 18:00"), "it has not begun"


async def test_the_runs_of_slots_wait_for_a_first_run_and_take_its_place_if_it_fails(
    firm: Database,
):
    # IS-1, NC-5: a firm's clients are announced as new ones only after an `initial` run
    async with transaction(firm, "a") as session:
        await session.execute(update(tables.runs).values(status=Status.FAILED))
    first = await request(firm, Kind.INITIAL, Trigger.CONNECT)
    async with transaction(firm, "a") as session:
        lease = await begin(session, first)
    (served,) = await tick(firm, AT, MORNING)
    assert served.kind is Kind.INCREMENTAL
    assert lease is not None
    async with transaction(firm, "a") as session:
        await leases.close_run(session, lease, Status.FAILED, problems=REFUSED, now=AT)
        assert await begin(session, served) is not None
        assert (await runs.get_run(session, "a", served.run_id)).kind is Kind.INITIAL


async def test_a_run_that_begins_while_its_slot_is_proposed_serves_it_only_if_the_slot_was_first(
    firm: Database,
):
    queued = await request(firm, Kind.INCREMENTAL, Trigger.MANUAL)
    async with transaction(firm, "a") as worker:
        assert await begin(worker, queued) is not None
        async with asyncio.TaskGroup() as group:
            proposing = group.create_task(tick(firm, AT, MORNING))
            await waits_for_a_lock(firm)
            await worker.commit()
    (served,) = proposing.result()
    assert served.run_id != queued.run_id

    async with transaction(firm, "a") as clock, transaction(firm, "a") as worker:
        await slots.claim(clock, "a", EVENING, now=EVENING.due_at)
        adopted = await slots.start(clock, "a", EVENING, now=EVENING.due_at)
        assert adopted is not None
        assert await begin(worker, adopted) is None, "the job tries again"
    assert adopted.slot == "2026-03-03 18:00"


async def waits_for_a_lock(database: Database) -> None:
    """Wait until a session waits for a lock."""
    locks = text("select count(*) from pg_locks where not granted")
    async with asyncio.timeout(30):
        while True:
            async with transaction(database, "a") as session:
                if (await session.execute(locks)).scalar_one():
                    return


async def test_a_slot_that_many_sessions_propose_has_one_run(firm: Database):
    async with asyncio.TaskGroup() as group:
        ticks = [group.create_task(tick(firm, AT, MORNING)) for _ in range(6)]
    assert len([run for task in ticks for run in task.result()]) == 1


async def test_a_failed_run_starts_again_after_growing_pauses_until_one_succeeds(firm: Database):
    now, pauses = AT, []
    (run,) = await tick(firm, now, MORNING)
    for _ in range(5):
        await end(firm, run, Status.FAILED, at=now, problems=REFUSED)
        failed_at = now
        while not (started := await tick(firm, now, MORNING)):
            now += timedelta(minutes=1)
        (run,) = started
        assert (run.slot, run.trigger) == ("2026-03-03 06:00", Trigger.SCHEDULE)
        pauses.append((now - failed_at).total_seconds() / 60)
    assert pauses == [5, 15, 45, 60, 60]
    assert await is_open(firm)
    await end(firm, run, Status.SUCCEEDED, at=now)
    assert await tick(firm, now + timedelta(hours=3), MORNING) == []
    assert not await is_open(firm)


async def test_a_slot_whose_logins_all_need_reconnecting_starts_again_when_one_is_connected(
    firm: Database,
):
    (run,) = await tick(firm, AT, MORNING)
    await end(firm, run, Status.FAILED, at=AT, problems=NEED_LOGIN)
    await set_login(firm, "needs_reconnect")
    assert await tick(firm, AT + timedelta(hours=2)) == []
    assert not await is_open(firm), "it waits for a user, not for the service"
    await set_login(firm, "connected", at=AT + timedelta(hours=2))
    (again,) = await tick(firm, AT + timedelta(hours=2))
    assert again.slot == run.slot


async def test_a_slot_that_is_due_while_no_login_works_waits_for_one_longer_than_six_hours(
    firm: Database,
):
    await set_login(firm, "needs_reconnect")
    assert await tick(firm, AT, MORNING) == []
    await set_login(firm, "connected")
    assert len(await tick(firm, AT + timedelta(hours=11))) == 1


async def set_login(database: Database, status: str, at: datetime = AT) -> None:
    """Change the state of the login as connecting it does; only then its slot may start."""
    async with transaction(database, "a") as session:
        await session.execute(update(connection_tables.connections).values(status=status))
        await slots.start_waiting(session, "a", now=at)


async def test_a_slot_without_a_login_is_read_once_an_hour_and_also_starts_if_nobody_starts_it(
    firm: Database,
):
    async def start_at() -> datetime | None:
        async with transaction(firm, "a") as session:
            found: datetime | None = (
                await session.execute(select(tables.slots.c.start_at))
            ).scalar_one()
        return found

    await set_login(firm, "needs_reconnect")
    for minutes, expected in ((0, 60), (59, 60), (61, 121)):
        await tick(firm, AT + timedelta(minutes=minutes), MORNING)
        assert await start_at() == AT + timedelta(minutes=expected)
    async with transaction(firm, "a") as session:  # as the previous release connects a login
        await session.execute(update(connection_tables.connections).values(status="connected"))
    assert await tick(firm, AT + timedelta(minutes=120)) == []
    assert len(await tick(firm, AT + timedelta(minutes=121))) == 1


async def test_another_login_does_not_shorten_the_pause_after_a_failed_run(firm: Database):
    (run,) = await tick(firm, AT, MORNING)
    await end(firm, run, Status.FAILED, at=AT, problems=REFUSED)
    assert await tick(firm, AT) == []
    async with transaction(firm, "a") as session:
        other = insert(connection_tables.connections).values(
            account_id="a", connection_id="c2", user_id="v", region="us", status="connected",
            connected_at=AT, created_at=AT,
        )  # fmt: skip
        await session.execute(other)
        await slots.start_waiting(session, "a", now=AT)
    assert await tick(firm, AT + timedelta(minutes=4)) == []


async def test_a_cancelled_run_and_an_account_that_is_switched_off_close_the_slot(firm: Database):
    (run,) = await tick(firm, AT, MORNING)
    async with transaction(firm, "a") as session:
        await turns.cancel_run(session, "a", run.run_id, now=AT)
    assert await tick(firm, AT + timedelta(hours=3), MORNING) == []
    assert not await is_open(firm)
    (run,) = await tick(firm, EVENING.due_at, EVENING)
    await end(firm, run, Status.FAILED, at=EVENING.due_at, problems=REFUSED)
    async with transaction(firm, "a") as session:
        await slots.close_open(session, "a", now=EVENING.due_at)
    assert await tick(firm, EVENING.due_at + timedelta(hours=3), EVENING) == []


@pytest.mark.parametrize("enabled", [True, False])
async def test_an_open_slot_starts_nothing_while_the_account_is_off(firm: Database, enabled: bool):
    # EN-1
    async with transaction(firm, "a") as session:
        await session.execute(update(account_tables.accounts).values(enabled=enabled))
    assert len(await tick(firm, AT, MORNING)) == enabled


async def test_the_next_slot_takes_the_place_of_an_open_one_and_an_older_one_does_not(
    firm: Database,
):
    (run,) = await tick(firm, AT, MORNING)
    await end(firm, run, Status.FAILED, at=AT, problems=REFUSED)
    (later,) = await tick(firm, EVENING.due_at, EVENING)
    assert later.slot == "2026-03-03 18:00"
    await end(firm, later, Status.FAILED, at=EVENING.due_at, problems=REFUSED)
    late = Slot(date(2026, 3, 3), "12:00", AT + timedelta(hours=6))  # by a clock that is behind
    (again,) = await tick(firm, EVENING.due_at + timedelta(minutes=5), late, MORNING)
    assert again.slot == "2026-03-03 18:00"


async def test_a_slot_that_the_previous_release_stored_is_known_and_kept(firm: Database):
    run = await request(firm, Kind.INCREMENTAL, Trigger.MANUAL)
    row = {"account_id": "a", "local_date": MORNING.local_date, "slot": MORNING.label}
    async with transaction(firm, "a") as session:
        await session.execute(insert(tables.slots).values(**row, run_id=run.run_id))
    assert await tick(firm, AT, MORNING) == []
    async with transaction(firm, "a") as session:
        stored = (await session.execute(select(tables.slots))).one()
    assert (stored.due_at, stored.closed_at) == (AT, None)
    await end(firm, run, Status.FAILED, at=AT, problems=REFUSED)
    assert len(await tick(firm, AT + timedelta(minutes=5))) == 1


async def test_a_run_that_was_cancelled_before_it_began_is_no_incomplete_pull(firm: Database):
    # S2
    for status, incomplete in ((Status.QUEUED, False), (Status.INTERRUPTED, True)):
        run = await request(firm, Kind.FULL, Trigger.MANUAL)
        if status is Status.INTERRUPTED:
            await end(firm, run, status, at=AT)
        async with transaction(firm, "a") as session:
            await runs.cancel_waiting(session, "a", now=AT)
            assert await runs.is_incomplete(session, "a") is incomplete


def test_a_time_zone_that_this_machine_does_not_know_counts_as_utc():
    assert [zone_of(name).key for name in ("Mars/Base", "../x", "Asia/Tokyo")] == [
        "UTC",
        "UTC",
        "Asia/Tokyo",
    ]
