"""One record seen by several connections: it is stored once, in the fullest version [S3]."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from sqlalchemy import insert, select, update

from app.db.connections import tables as connection_tables
from app.db.mirror import coverage, kept, records, removals, rule_inputs, visibility
from app.db.mirror import tables as mirror_tables
from app.db.mirror.coverage import SoleSightings
from app.db.mirror.records import CONTACTS, Reading
from app.db.mirror.visibility import View
from app.db.session import Database, transaction
from app.main import now
from app.rules.records import ContactRecord, CustomValue, Email, MatterRecord, MatterStatus
from app.rules.removed_contacts import NOT_VISIBLE, REMOVED
from tests.integration.db.contacts.test_change_feed import make_account
from tests.support.values import replace

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
        async with transaction(database, "a") as session:
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


async def land(
    database: Database, view: View, record: ContactRecord, asked_at: datetime | None = None
) -> int:
    async with transaction(database, "a") as session:
        return await records.land_contacts(session, view, [record], Reading(asked_at))


async def end(database: Database, view: View) -> None:
    async with transaction(database, "a") as session:
        logins = connection_tables.connections
        one = logins.c.connection_id == view.connection_id
        await session.execute(update(logins).where(one).values(status="disconnected"))


async def known(database: Database) -> ContactRecord:
    async with transaction(database, "a") as session:
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


@pytest.mark.parametrize("readers", [(ANN, CAT), (CAT, ANN)], ids=["full first", "full last"])
async def test_a_field_that_disappears_without_a_new_time_is_cleared_whoever_reads_first(
    account: Database, readers: tuple[View, View]
):
    # row 38: a company that is deleted in Clio moves no time of its people, and a tag may depend on it
    for view in (ANN, CAT):
        await land(account, view, replace(WHOLE, company_id=2001, company_name="Acme"))
    for view in readers:
        await land(account, view, WHOLE)
    assert await known(account) == WHOLE


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
    async with transaction(account, "a") as session:
        await removals.remove_records(session, "a", "contacts", [1001], why=REMOVED)
        assert await visibility.load_sightings(session, ANN, "contacts", [1001]) == {}
    assert await land(account, ANN, WHOLE) == 1
    async with transaction(account, "a") as session:
        row = (await session.execute(select(mirror_tables.mirror_contacts))).one()
    assert (row.gone, row.stale) == (None, True)


async def test_a_record_that_only_one_login_saw_is_removed_long_after_the_login_ended(
    account: Database,
):
    # S4: the time is an argument
    matter = MatterRecord(clio_id=208, status=MatterStatus.OPEN, client_id=1001, updated_at=T0)
    await land(account, ANN, WHOLE)
    await land(account, CAT, PART)
    async with transaction(account, "a") as session:
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
    async with transaction(account, "a") as session:
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


EMPTY = replace(WHOLE, title=None, emails=(), custom_values=(), updated_at=T0 + timedelta(days=1))


@pytest.mark.parametrize("previous_release", [False, True])
async def test_a_restricted_login_clears_what_it_has_shown_itself(
    account: Database, previous_release: bool
):
    # row 38: in a firm whose users have no roles, nothing was ever cleared
    await land(account, CAT, WHOLE)
    if previous_release:
        async with transaction(account, "a") as session:
            await session.execute(
                update(mirror_tables.sightings).values(shown=None, updated_at=None)
            )
    await land(account, CAT, EMPTY)
    assert await known(account) == EMPTY


async def test_a_restricted_login_clears_nothing_that_it_has_not_shown(account: Database):
    await land(account, ANN, WHOLE)
    await land(account, CAT, PART)
    await land(account, CAT, EMPTY)
    assert await known(account) == replace(
        EMPTY, title="Teacher", emails=WHOLE.emails, custom_values=(CustomValue(2, "y"),)
    )
    await land(account, ANN, EMPTY)
    assert await known(account) == EMPTY


async def test_a_login_that_is_restricted_now_clears_nothing_that_it_showed_before(
    account: Database,
):
    await land(account, ANN, WHOLE)
    await land(account, replace(ANN, full_view=False), EMPTY)
    assert await known(account) == replace(WHOLE, updated_at=EMPTY.updated_at)


async def test_a_full_view_that_is_not_newer_clears_nothing_that_another_login_shows(
    account: Database,
):
    # whichever of them is read first
    other = replace(ANN, connection_id=CAT.connection_id)
    bare = replace(EMPTY, updated_at=T0)
    for first, second in ((WHOLE, bare), (bare, WHOLE)):
        async with transaction(account, "a") as session:
            await removals.remove_records(session, "a", "contacts", [1001], why=REMOVED)
        await land(account, ANN, first)
        await land(account, other, second)
        assert await known(account) == WHOLE
        again = replace(bare, prefix="Ms.")
        await land(account, other if second is bare else ANN, again)
        assert await known(account) == replace(WHOLE, prefix="Ms.")


async def test_a_later_answer_of_a_login_counts_although_its_time_is_lower(account: Database):
    # a time in the future, and one that a restored backup sets back
    bogus = replace(WHOLE, title="Judge", updated_at=datetime(2099, 1, 1, tzinfo=UTC))
    for view in (ANN, CAT):
        await land(account, view, bogus)
        await land(account, view, WHOLE)
        assert await known(account) == WHOLE
    parts = [replace(bogus, prefix=None), replace(bogus, title=None, prefix="Ms.")]
    for view, part in zip((ANN, CAT), parts, strict=True):
        await land(account, view, part)
    await land(account, CAT, replace(WHOLE, prefix="Mr."))
    assert await known(account) == replace(WHOLE, prefix="Mr.")


async def test_a_time_in_the_future_that_a_login_left_behind_does_not_hold_up_the_others(
    account: Database,
):
    bogus = replace(WHOLE, title="Judge", updated_at=datetime(2099, 1, 1, tzinfo=UTC))
    await land(account, ANN, bogus, T0)
    await end(account, ANN)
    await land(account, CAT, WHOLE, T0)
    assert await known(account) == WHOLE
    late = replace(WHOLE, title="Clerk", updated_at=T0 + timedelta(minutes=10))
    await land(account, CAT, late, T0 + timedelta(minutes=11))
    dan = View("a", "cnx_dan", full_view=True)
    await land(account, dan, replace(WHOLE, title="Dean"), T0)
    assert await known(account) == late, "an answer that was under way is older"
