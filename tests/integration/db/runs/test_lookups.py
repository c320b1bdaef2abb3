"""What a run has done as each login, and the missing records that it looks up, survive an attempt and not the run."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from app.db import retention
from app.db.mirror import tables as mirror_tables
from app.db.runs import checkpoints, listed_ids, lookups, run_logins
from app.db.runs import tables as run_tables
from app.db.runs.leases import Lease
from app.db.runs.lookups import Answer, Lookup, MissingRecords
from app.db.runs.run_logins import RunLogin
from app.db.session import Database, Session, transaction
from app.errors import Problem
from app.main import now
from tests.integration.db.contacts.test_change_feed import make_account
from tests.integration.db.runs.test_leases import acquire, request

ANN, BEN, CAT = "cnx_ann", "cnx_ben", "cnx_cat"


@pytest.fixture
async def lease(database: Database) -> Lease:
    await make_account(database, "a")
    found = await acquire(database, await request(database))
    assert found is not None
    return found


async def read(
    session: Session, lease: Lease, login: str, *pages: Collection[int], complete: bool = True
) -> None:
    """Let the run read the list of contacts as a login."""
    pull = await checkpoints.open_pull(session, lease, login, "contacts", since=None)
    for nth, page in enumerate(pages, 1):
        pull = replace(pull, pages=nth, complete=complete and nth == len(pages))
        await checkpoints.store_pull(session, lease, pull)
        await listed_ids.record_page(session, lease, pull, page)


async def saw(session: Session, login: str, *clio_ids: int) -> None:
    rows = [
        {"account_id": "a", "resource": "contacts", "clio_id": clio_id, "connection_id": login}
        for clio_id in clio_ids
    ]
    await session.execute(insert(mirror_tables.sightings), rows)


async def test_a_missing_record_is_looked_up_as_each_login_that_saw_and_does_not_list_it(
    database: Database, lease: Lease
):
    # S1: Ben's list is not complete; Cat lists record 3, and her list is not compared
    async with transaction(database, "a") as session:
        await saw(session, ANN, 1, 2, 3, 4)
        await saw(session, BEN, 2, 3)
        await saw(session, CAT, 3, 4)
        await read(session, lease, ANN, [1], [9])
        await read(session, lease, BEN, [1], complete=False)
        await read(session, lease, CAT, [3])
        counted = [
            await lookups.count_missing(session, lease, login, "contacts") for login in (ANN, BEN)
        ]
        assert counted == [MissingRecords(seen=4, missing=3), MissingRecords(0, 0)]
        for _ in range(2):
            await lookups.add_missing(session, lease, ANN, "contacts", [ANN, BEN, CAT])
        await lookups.add_missing(session, lease, BEN, "contacts", [ANN, BEN, CAT])
        found = await lookups.list_next(session, lease, "contacts", [ANN, BEN, CAT], limit=9)
        asked = [(one.clio_id, one.connection_id) for one in found]
        assert asked == [(2, ANN), (2, BEN), (3, ANN), (3, BEN), (4, ANN), (4, CAT)]
        assert {one.clio_id for one in found if one.listed} == {3}
        first = await lookups.list_next(session, lease, "contacts", [ANN, CAT], limit=2)
        assert [(one.clio_id, one.connection_id) for one in first] == [(2, ANN), (3, ANN)]


async def test_answers_stay_until_a_record_is_decided(database: Database, lease: Lease):
    async with transaction(database, "a") as session:
        await saw(session, ANN, 1, 2, 3)
        await read(session, lease, ANN, [9])
        await lookups.add_missing(session, lease, ANN, "contacts", [ANN])
        given = {1: Answer.GONE, 2: Answer.LACKED}
        await lookups.store_answers(session, lease, "contacts", ANN, given)
        await lookups.add_lacked(session, lease, BEN, "contacts", [3])
        found = await lookups.list_next(session, lease, "contacts", [ANN, BEN], limit=9)
        assert found == [
            Lookup(1, ANN, Answer.GONE),
            Lookup(2, ANN, Answer.LACKED),
            Lookup(3, ANN),
            Lookup(3, BEN, Answer.LACKED),
        ]
        await lookups.delete_decided(session, lease, "contacts", [1, 3])
        left = await lookups.list_next(session, lease, "contacts", [ANN, BEN], limit=9)
        assert left == [Lookup(2, ANN, Answer.LACKED)]


async def test_what_was_done_as_a_login_is_found_again(database: Database, lease: Lease):
    done = RunLogin(
        ANN,
        now(),
        full_view=False,
        lists={"matters": None, "relationships": "token"},
        retried={"contacts": 7},
        dropped=frozenset({"contacts.title"}),
        problems=(Problem("clio_forbidden", "x"),),
        shown=True,
        compared=frozenset({"matters"}),
        complete=True,
        waits={"contacts": now()},
    )
    async with transaction(database, "a") as session:
        for login in (RunLogin(ANN, None), done, RunLogin(BEN, None)):
            await run_logins.save(session, lease, login)
        assert await run_logins.load_all(session, lease) == {ANN: done, BEN: RunLogin(BEN, None)}
        await run_logins.delete_logins(session, "a", lease.run_id)
        assert await run_logins.load_all(session, lease) == {}


async def test_a_small_list_whose_first_pages_are_not_stored_is_not_believed(
    database: Database, lease: Lease
):
    # EN-3: the previous release stores the ids of no small list, and may have read its beginning
    async with transaction(database, "a") as session:
        pull = await checkpoints.open_pull(session, lease, ANN, "users", since=None)
        first, second = replace(pull, pages=1), replace(pull, pages=2)
        await listed_ids.record_page(session, lease, second, [3, 4])
        assert await listed_ids.load_listed(session, lease, second) == set()
        await listed_ids.record_page(session, lease, first, [1, 2])
        assert await listed_ids.load_listed(session, lease, second) == {1, 2, 3, 4}


@pytest.mark.parametrize("table", ["run_logins", "lookups"])
async def test_what_a_cancelled_run_leaves_is_deleted(database: Database, lease: Lease, table: str):
    rows = select(run_tables.run_logins if table == "run_logins" else run_tables.lookups)
    async with transaction(database, "a") as session:
        await run_logins.save(session, lease, RunLogin(ANN, None))
        await lookups.add_lacked(session, lease, ANN, "contacts", [1])

        async def swept() -> int:
            return await retention.delete_some(
                session, table, retention.Periods(), now=now(), limit=9
            )

        assert (await swept(), len((await session.execute(rows)).all())) == (0, 1)
        runs = run_tables.runs
        await session.execute(update(runs).values(finished_at=now() - timedelta(days=1)))
        assert (await swept(), len((await session.execute(rows)).all())) == (1, 0)
