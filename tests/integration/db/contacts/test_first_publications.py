"""The review of a first publication in the database: one hold at a time, its counts, and releases beside a batch."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from app.db.accounts import accounts
from app.db.accounts.accounts import AccountFields
from app.db.contacts import first_publications, hold_decisions, holds, tables
from app.db.contacts.first_publications import FirstPublicationOpen, UnpublishedContact
from app.db.contacts.holds import HoldKind, HoldStatus
from app.db.session import Database
from app.rules.settings import InitialSync
from tests.support.interleaving import interrupt, steps_of
from tests.support.sessions import as_owner

NOW = datetime(2026, 3, 2, tzinfo=UTC)
FIRM = AccountFields("Firm", "UTC", "US", None, enabled=True, publish="after_review")


@pytest.fixture
async def reviewed(database: Database) -> Database:
    """Two accounts whose first run has begun."""
    async with as_owner(database) as session:
        for account_id in ("hp", "other"):
            await accounts.put_account(session, account_id, FIRM, now=NOW)
            await first_publications.begin_review(session, account_id, "run_1", now=NOW)
    return database


@pytest.fixture
async def looker(dsn: str, database: Database) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


async def the_hold(database: Database, account_id: str = "hp") -> str:
    async with as_owner(database) as session:
        found = await first_publications.lock_review(session, account_id)
    assert found is not None
    return found


async def test_an_account_has_one_review_at_a_time_and_one_ever(reviewed: Database):
    # API-19
    hold_id = await the_hold(reviewed)
    async with as_owner(reviewed) as session:
        await first_publications.begin_review(session, "hp", "run_2", now=NOW)
    assert await the_hold(reviewed) == hold_id
    with pytest.raises(IntegrityError):
        async with as_owner(reviewed) as session:
            await first_publications.gather(session, "hp", "run_2", now=NOW)
    async with as_owner(reviewed) as session:
        await hold_decisions.decide(
            session, "hp", hold_id, HoldStatus.RELEASED, by="u_ann", now=NOW
        )
        await first_publications.begin_review(session, "hp", "run_3", now=NOW)
        assert await first_publications.lock_review(session, "hp") is None
        await first_publications.check_no_review(session, "hp")
        with pytest.raises(FirstPublicationOpen):
            await first_publications.check_no_review(session, "other")


async def test_an_account_that_asks_for_no_review_has_none(database: Database):
    # API-19: `automatic` is the default
    async with as_owner(database) as session:
        automatic = AccountFields("Firm", "UTC", "US", None, enabled=True)
        await accounts.put_account(session, "hp", automatic, now=NOW)
        await first_publications.begin_review(session, "hp", "run_1", now=NOW)
        assert await first_publications.lock_review(session, "hp") is None
        assert not await first_publications.has_unpublished(session, "hp")


A, B = b"a", b"b"
PEOPLE = [
    UnpublishedContact(1, None, "u_ann", ("Client", "Active"), is_client=True, email_digest=A),
    UnpublishedContact(2, None, "u_ann", ("Client",), is_client=True, email_digest=A),
    UnpublishedContact(3, None, None, (), is_client=True, email_digest=B),
    UnpublishedContact(4, None, "u_ben", ("Client",), is_client=True),
    UnpublishedContact(5, None, "u_ben", ("Judge",), email_digest=None),
    UnpublishedContact(6, "not_a_client"),
    UnpublishedContact(7, "role_excluded"),
    UnpublishedContact(8, None, "u_ann", ("Client",), is_client=True),  # released, in no open hold
]


@pytest.mark.parametrize(("announced", "duplicates"), [(None, 1), (A, 2), (B, 2)])
async def test_the_counts_are_those_of_people_who_wait_in_the_hold(
    reviewed: Database, announced: bytes | None, duplicates: int
):
    # API-19, NC-6, T2: the first of an address is no duplicate unless a new client was announced with it
    for account_id in ("hp", "other"):
        hold_id = await the_hold(reviewed, account_id)
        async with as_owner(reviewed) as session:
            await first_publications.store_people(session, account_id, PEOPLE)
            await holds.add_items(session, account_id, hold_id, [1, 2, 3, 4, 5])
    hold_id = await the_hold(reviewed)
    async with as_owner(reviewed) as session:
        if announced:
            await session.execute(insert(tables.new_clients).values(**_announced(announced)))
        counts = await first_publications.count(session, "hp", hold_id)
    assert counts.people == 5
    assert counts.by_label == {"Client": 3, "Active": 1, "Judge": 1}
    assert counts.by_owner == {"u_ann": 2, "u_ben": 2, None: 1}
    assert counts.by_state_reason == {"not_a_client": 1, "role_excluded": 1}
    assert (counts.new_clients, counts.possible_duplicates) == (4, duplicates)


def _announced(digest: bytes) -> dict[str, object]:
    return {
        "account_id": "hp", "clio_id": 99, "new_client_id": "ncl_99", "contact_id": "con_99",
        "status": "emitted", "origin": "incremental", "basis": "flag", "has_open_matter": False,
        "run_id": "run_1", "email_digest": digest, "created_at": NOW,
    }  # fmt: skip


@pytest.mark.parametrize("batch_begins", [True, False])
async def test_a_person_whom_a_batch_finds_beside_a_release_waits_in_it_or_is_published(
    reviewed: Database, looker: asyncpg.Connection, batch_begins: bool
):
    # API-19: whatever the order of the statements, nobody waits in a hold that is decided and carried out
    steps_of(reviewed)
    hold_id = await the_hold(reviewed)
    waits_in: list[str | None] = []

    async def batch() -> None:
        async with as_owner(reviewed) as session:
            waits_in.append(await first_publications.lock_review(session, "hp"))
            if waits_in[-1] is not None:
                await holds.add_items(session, "hp", waits_in[-1], [1])

    decided: list[list[int]] = []

    async def release() -> None:
        async with as_owner(reviewed) as session:
            await hold_decisions.lock_undecided(session, "hp", hold_id)
            await hold_decisions.decide(
                session, "hp", hold_id, HoldStatus.RELEASED, by="u_ann", now=NOW
            )
            decided.append(await holds.list_items(session, "hp", hold_id, after=0, limit=9))

    async def again() -> None:
        waits_in.clear()
        decided.clear()
        async with as_owner(reviewed) as session:
            for table in (tables.hold_items, tables.holds):
                await session.execute(table.delete().where(table.c.account_id == "hp"))
            values = {"kind": HoldKind.FIRST_PUBLICATION, "status": HoldStatus.OPEN}
            await session.execute(
                insert(tables.holds).values(
                    account_id="hp", hold_id=hold_id, run_id="run_1", opened_at=NOW, **values
                )
            )

    after, had_more = 0, True
    while had_more:
        await again()
        sides = (batch, release) if batch_begins else (release, batch)
        had_more = await interrupt(looker, *sides, after=after)
        assert (waits_in, decided) in (([hold_id], [[1]]), ([None], [[]])), after
        after += 1
    assert after > 2


async def test_a_released_person_is_known_with_what_was_chosen_for_new_clients(reviewed: Database):
    # API-19
    hold_id = await the_hold(reviewed)
    async with as_owner(reviewed) as session:
        await holds.add_items(session, "hp", hold_id, [1, 2, 3])
        hold = await holds.get_hold(session, "hp", hold_id)
        part = await hold_decisions.split(session, "hp", hold, [2], now=NOW)
        await hold_decisions.decide(session, "hp", part, HoldStatus.RELEASED, by="u_ann", now=NOW)
        await first_publications.store_choice(session, "hp", part, InitialSync.HOLD)
        found = await first_publications.find_released(session, "hp", [1, 2, 3])
        assert found == {2: InitialSync.HOLD}
        assert await first_publications.find_released(session, "other", [1, 2, 3]) == {}
        left = await session.execute(
            select(tables.hold_items.c.clio_id).where(tables.hold_items.c.hold_id == hold_id)
        )
        assert sorted(left.scalars()) == [1, 3]
