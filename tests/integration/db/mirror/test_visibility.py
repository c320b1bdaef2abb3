"""One record seen by several connections: it is stored once, in the fullest version [S3]."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from sqlalchemy import insert, select

from app.db.connections import tables as connection_tables
from app.db.mirror import coverage, kept, records, removals, rule_inputs, visibility
from app.db.mirror import tables as mirror_tables
from app.db.mirror.coverage import SoleSightings
from app.db.mirror.records import CONTACTS
from app.db.mirror.visibility import View
from app.db.session import Database, transaction
from app.main import now
from app.rules.records import ContactRecord, CustomValue, Email, MatterRecord, MatterStatus
from app.rules.removed_contacts import NOT_VISIBLE, REMOVED
from tests.integration.db.contacts.test_change_feed import make_account

T0 = datetime(2026, 3, 1, tzinfo=UTC)
ANN = View("a", "cnx_ann", full_view=True)
CAT = View("a", "cnx_cat", full_view=False)
WHOLE = ContactRecord(
    clio_id=1001,
    is_person=True,
    first_name="Alice",
    last_name="Moreno",
    title="Teacher",
    emails=(Email("alice@home.test"), Email("alice@work.test")),
    custom_values=(CustomValue(1, "x"), CustomValue(2, "y")),
    updated_at=T0,
)
PART = replace(WHOLE, title=None, emails=(), custom_values=(CustomValue(1, "x"),))


@pytest.fixture
async def account(database: Database) -> Database:
    await make_account(database, "a")
    for view in (ANN, CAT):
        values = {"user_id": view.connection_id, "region": "us", "status": "connected"}
        async with transaction(database) as session:
            await session.execute(
                insert(connection_tables.connections).values(
                    account_id="a",
                    connection_id=view.connection_id,
                    full_view=view.full_view,
                    created_at=now(),
                    **values,
                )
            )
    return database


async def land(database: Database, view: View, record: ContactRecord) -> int:
    async with transaction(database) as session:
        return await records.land_contacts(session, view, [record])


async def known(database: Database) -> ContactRecord:
    async with transaction(database) as session:
        row = (await session.execute(select(mirror_tables.mirror_contacts))).one()
    return CONTACTS.codec.load(row.record)


async def rows(dsn: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        return [
            tuple(row)
            for table in ("mirror_contacts", "sightings")
            for row in await connection.fetch(f"select ctid, xmin from {table} order by ctid")
        ]
    finally:
        await connection.close()


@pytest.mark.parametrize("order", [(ANN, CAT), (CAT, ANN)], ids=["widest first", "widest last"])
async def test_a_narrower_view_fills_gaps_and_clears_nothing(account: Database, order):
    # S3, F19
    pages = {ANN: WHOLE, CAT: PART}
    for view in order:
        await land(account, view, pages[view])
    assert await known(account) == WHOLE


async def test_different_views_of_a_record_do_not_overwrite_each_other(account: Database, dsn: str):
    # S3: mirror and sightings are not written, and no contact becomes stale
    for view, record in ((ANN, WHOLE), (CAT, PART)):
        await land(account, view, record)
    before = await rows(dsn)
    for view, record in ((ANN, WHOLE), (CAT, PART), (CAT, PART), (ANN, WHOLE)):
        assert await land(account, view, record) == 0
    assert await rows(dsn) == before


async def test_a_change_in_a_narrow_view_is_stored_although_updated_at_did_not_change(
    account: Database,
):
    # clio.md §13: some changes do not move the time of the parent
    await land(account, CAT, PART)
    await land(account, CAT, replace(PART, custom_values=(CustomValue(1, "z"),)))
    assert (await known(account)).custom_values == (CustomValue(1, "z"),)


async def test_a_full_view_wins_over_a_changed_narrow_view_of_the_same_time(account: Database):
    # S3
    await land(account, ANN, WHOLE)
    await land(account, CAT, PART)
    await land(account, CAT, replace(PART, emails=(Email("part@only.test"),)))
    assert await known(account) == WHOLE


async def test_a_field_that_is_empty_in_the_full_view_is_cleared(account: Database):
    # DM-9
    await land(account, ANN, WHOLE)
    await land(account, CAT, PART)
    later = replace(WHOLE, title=None, updated_at=T0 + timedelta(hours=1))
    await land(account, ANN, later)
    assert await known(account) == later


async def test_an_older_view_changes_nothing(account: Database):
    await land(account, ANN, WHOLE)
    await land(account, CAT, replace(PART, title="Pupil", updated_at=T0 - timedelta(days=1)))
    assert await known(account) == WHOLE


async def test_a_field_that_clio_did_not_show_is_not_cleared(account: Database):
    # F19
    await land(account, ANN, WHOLE)
    blind = replace(ANN, unseen=frozenset({"title", "custom_values"}))
    later = replace(WHOLE, title=None, custom_values=(), updated_at=T0 + timedelta(hours=1))
    await land(account, blind, later)
    assert await known(account) == replace(WHOLE, updated_at=later.updated_at)


async def test_a_removed_contact_is_stored_again_when_a_view_shows_it_again(account: Database):
    # S1
    await land(account, ANN, WHOLE)
    async with transaction(account) as session:
        await removals.remove_records(session, "a", "contacts", [1001], why=REMOVED)
        assert await visibility.load_digests(session, ANN, "contacts", [1001]) == {}
    assert await land(account, ANN, WHOLE) == 1
    async with transaction(account) as session:
        row = (await session.execute(select(mirror_tables.mirror_contacts))).one()
    assert (row.gone, row.stale) == (None, True)


async def test_a_record_that_only_one_login_saw_is_removed_long_after_the_login_ended(
    account: Database,
):
    # S4: the time is an argument
    matter = MatterRecord(clio_id=208, status=MatterStatus.OPEN, client_id=1001, updated_at=T0)
    await land(account, ANN, WHOLE)
    await land(account, CAT, PART)
    async with transaction(account) as session:
        await records.land_matters(session, CAT, [matter])
        one = connection_tables.connections.c.connection_id == CAT.connection_id
        await session.execute(
            connection_tables.connections.update()
            .where(one)
            .values(status="disconnected", left_at=T0)
        )
        counted = await coverage.count_coverage(session, "a", [CAT.connection_id])
        assert counted.alone == {CAT.connection_id: SoleSightings(matters=1, first_matters=(208,))}
        found = {
            (resource, seconds): (
                await coverage.list_expired(
                    session, "a", resource,
                    left_before=T0 + timedelta(seconds=seconds), after=0, limit=9,
                )
            ).clio_ids
            for resource in ("contacts", "matters")
            for seconds in (0, 1)
        }  # fmt: skip
        assert {key for key, clio_ids in found.items() if clio_ids} == {("matters", 1)}
        assert found["matters", 1] == (208,)
        await removals.remove_records(session, "a", "matters", [208], why=NOT_VISIBLE)
        assert (await session.execute(select(mirror_tables.mirror_matters))).all() == []


async def test_a_contact_that_a_login_lost_was_seen_once(account: Database):
    # row 53: `kept` contacts become stale in batches when no login that ever saw them limits them
    for clio_id in (1001, 1002, 1003):
        await land(account, ANN, replace(WHOLE, clio_id=clio_id))
    for clio_id in (1001, 1003):
        await land(account, CAT, replace(PART, clio_id=clio_id))
    async with transaction(account) as session:
        await visibility.delete_sightings(session, CAT, CONTACTS.name, [1001, 1002])
        everybody, cat = [1001, 1002, 1003], {CAT.connection_id}
        assert await visibility.find_ever_seen(session, "a", cat, everybody) == {1001, 1003}
        assert await visibility.count_ever_seen(session, "a", CAT.connection_id) == 2
        await rule_inputs.clear_stale(session, "a", everybody, kept=everybody)
        assert await kept.release_kept(session, "a", cat, after=0, limit=2) == 1002
        assert await kept.release_kept(session, "a", cat, after=1002, limit=2) is None
        assert await records.count_stale(session, "a", "run") == records.StaleCounts(
            total=1, waiting=0
        )
        assert await kept.release_kept(session, "a", (), after=0, limit=9) is None
        assert (await records.count_stale(session, "a", "run")).total == 3
