"""Runs that read named records: which run a webhook of Clio gets, and that such a run serves no other request."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, text

from app import main
from app.db.job_queue import delete_jobs
from app.db.runs import leases, named_records, run_requests, runs, slots, turns
from app.db.runs.named_records import NamedRecord
from app.db.runs.run_requests import RunRequest
from app.db.runs.runs import Kind, Reads, Run, Status, Trigger
from app.db.runs.slots import Slot
from app.db.session import Database, transaction
from tests.integration.db.contacts.test_change_feed import make_account

NOW = main.now()
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def firm(database: Database) -> Database:
    """A database with an account that a run has read completely."""
    await make_account(database, "a")
    await end(database, await request(database, Kind.INITIAL, Trigger.CONNECT), Status.SUCCEEDED)
    return database


async def request(
    database: Database, kind: Kind, trigger: Trigger, clio_id: int | None = None
) -> Run:
    async with transaction(database, "a") as session:
        wanted = RunRequest(kind, trigger, contact_clio_id=clio_id)
        return await run_requests.request_run(session, "a", wanted, now=NOW)


async def name(
    database: Database, clio_id: int, resource: str = "contacts", by: str = "cnx"
) -> Run:
    record = NamedRecord(resource, clio_id, by)
    async with transaction(database, "a") as session:
        return await run_requests.request_reading(session, "a", record, after=MINUTE, now=NOW)


async def begin(database: Database, run: Run) -> leases.Lease:
    async with transaction(database, "a") as session:
        lease = await turns.take_turn(session, "a", run.lane, length=MINUTE, now=NOW + 2 * MINUTE)
    assert lease is not None
    assert lease.run_id == run.run_id
    return lease


async def end(database: Database, run: Run, status: Status) -> None:
    lease = await begin(database, run)
    async with transaction(database, "a") as session:
        await leases.close_run(session, lease, status, problems=[], now=NOW)
        await delete_jobs(session, "a")


async def test_records_that_are_named_before_a_run_begins_share_it(firm: Database):
    first = await name(firm, 1)
    assert (first.kind, first.trigger, first.reads) == (
        Kind.INCREMENTAL, Trigger.WEBHOOK, Reads.RECORDS,
    )  # fmt: skip
    assert (await name(firm, 1, by="other")).run_id == first.run_id
    assert (await name(firm, 2, resource="matters")).run_id == first.run_id
    await begin(firm, first)
    assert (await name(firm, 3)).run_id != first.run_id, "the first one may have read past it"


@pytest.mark.parametrize("kind", [Kind.INCREMENTAL, Kind.FULL])
async def test_a_queued_run_that_reads_the_lists_reads_a_named_record(firm: Database, kind: Kind):
    queued = await request(firm, kind, Trigger.MANUAL)
    assert (await name(firm, 1)).run_id == queued.run_id
    await begin(firm, queued)
    assert (await name(firm, 1)).run_id != queued.run_id


async def test_a_named_record_does_not_wait_for_a_run_behind_a_pull(firm: Database):
    await begin(firm, await request(firm, Kind.FULL, Trigger.MANUAL))
    async with transaction(firm, "a") as session:
        slot = Slot(date(2026, 3, 3), "06:00", NOW)
        await slots.claim(session, "a", slot, now=NOW)
        behind = await run_requests.serve_slot(session, "a", Kind.INCREMENTAL, slot.label, now=NOW)
    named = await name(firm, 1)
    assert (named.run_id != behind.run_id, named.reads) == (True, Reads.RECORDS)


async def test_a_run_to_which_the_release_before_gave_a_slot_reads_the_lists(firm: Database):
    named = await name(firm, 1)
    async with transaction(firm, "a") as session:
        adopt = (
            "update runs set slot = '2026-03-03 06:00', trigger = 'schedule' where run_id = :run"
        )
        await session.execute(text(adopt), {"run": named.run_id})
        assert (await runs.get_run(session, "a", named.run_id)).reads is Reads.LISTS
        sql = select(runs.reads_no_lists()).where(runs.is_run("a", named.run_id))
        assert not (await session.execute(sql)).scalar_one()


async def test_before_a_firm_was_read_completely_a_named_record_waits_for_the_lists(
    database: Database,
):
    await make_account(database, "a")
    first = await name(database, 1)
    assert (first.kind, first.reads) == (Kind.INITIAL, Reads.LISTS)
    await begin(database, first)
    later = await name(database, 1)
    assert (later.kind, later.reads) == (Kind.INCREMENTAL, Reads.LISTS)


@pytest.mark.parametrize(
    ("kind", "clio_id"), [(Kind.INCREMENTAL, None), (Kind.FULL, None), (Kind.CONTACT, 1)]
)
async def test_a_run_that_reads_named_records_serves_no_other_request(
    firm: Database, kind: Kind, clio_id: int | None
):
    named = await name(firm, 1)
    asked = await request(firm, kind, Trigger.MANUAL, clio_id)
    assert (asked.run_id != named.run_id, asked.kind) == (True, kind)


async def test_a_slot_makes_it_a_run_that_reads_the_lists(firm: Database):
    # row 44
    named = await name(firm, 1)
    slot = Slot(date(2026, 3, 3), "06:00", NOW)
    async with transaction(firm, "a") as session:
        await slots.claim(session, "a", slot, now=NOW)
        run = await run_requests.serve_slot(session, "a", Kind.INCREMENTAL, slot.label, now=NOW)
        assert (run.run_id, run.trigger, run.reads) == (
            named.run_id, Trigger.SCHEDULE, Reads.LISTS,
        )  # fmt: skip


async def test_more_records_than_a_run_may_have_become_a_run_that_reads_the_lists(
    firm: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(named_records, "MOST", 3)
    found = [await name(firm, clio_id) for clio_id in (1, 2, 2, 3)]
    assert {run.reads for run in found} == {Reads.RECORDS}
    too_many = await name(firm, 3, resource="matters")
    assert (too_many.run_id, too_many.reads) == (found[0].run_id, Reads.LISTS)
    assert (await request(firm, Kind.INCREMENTAL, Trigger.MANUAL)).run_id == too_many.run_id


async def test_it_goes_between_two_slices_of_a_run_that_reads_the_lists(firm: Database):
    pull = await request(firm, Kind.FULL, Trigger.MANUAL)
    lease = await begin(firm, pull)
    named = await name(firm, 1)
    async with transaction(firm, "a") as session:
        await leases.pause_run(session, lease, after=timedelta(0), now=NOW)
    await begin(firm, named)


async def test_what_a_cancelled_run_leaves_behind_is_no_hindrance(firm: Database):
    named = await name(firm, 1)
    async with transaction(firm, "a") as session:
        await turns.cancel_run(session, "a", named.run_id, now=NOW)
    again = await name(firm, 1)
    assert again.run_id != named.run_id
    async with transaction(firm, "a") as session:
        assert (await runs.get_run(session, "a", again.run_id)).status is Status.QUEUED
