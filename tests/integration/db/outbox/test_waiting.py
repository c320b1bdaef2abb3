"""The activities that wait: the contact that is next, and the time of the next one, as a simple model says it."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.db.outbox import waiting
from app.db.outbox.waiting import WaitingContact
from app.db.session import Database
from app.main import now
from tests.integration.db.contacts.test_change_feed import make_account
from tests.support.sessions import as_owner
from tests.support.waiting_activities import store_waiting, waiting_activity

USERS, CONTACTS = ("u_ann", "u_ben", "u_cat"), (1001, 1002, 1003, 1004)
WAITING = ("queued", "sending")
CASES = 40


@dataclass(frozen=True)
class Case:
    """The activities of an account, the seconds until the leases of contacts end, and until logins have requests."""

    account_id: str
    rows: list[dict[str, Any]]
    leased: dict[tuple[str, int], int]
    closed: dict[str, datetime]
    visited: set[int]


def any_case(chance: random.Random, account_id: str, moment: datetime) -> Case:
    rows = [
        waiting_activity(
            account_id,
            number,
            user_id=chance.choice(USERS),
            clio_contact_id=chance.choice(CONTACTS),
            status=chance.choice((*WAITING, "queued", "blocked", "written")),
            due_at=chance.choice((None, None, moment - SECOND, moment + 30 * SECOND)),
            created_at=moment - chance.randint(0, 3) * SECOND,
        )
        for number in range(chance.randint(0, 8))
    ]
    leased = {
        (account_id, each): chance.choice((-60, 60)) for each in CONTACTS if chance.random() < 0.3
    }
    closed = {each: moment + 20 * SECOND for each in USERS if chance.random() < 0.3}
    visited = {each for each in CONTACTS if chance.random() < 0.2}
    return Case(account_id, rows, leased, closed, visited)


SECOND = timedelta(seconds=1)


def first_of_each_contact(case: Case) -> Mapping[int, dict[str, Any]]:
    """Return the activity of each contact that must be sent first."""
    found: dict[int, dict[str, Any]] = {}
    for row in sorted(case.rows, key=lambda row: row["place"]):
        if row["status"] in WAITING:
            found.setdefault(row["clio_contact_id"], row)
    return found


def ready_at(row: dict[str, Any]) -> datetime:
    found: datetime = row["due_at"] or row["created_at"]
    return found


def can_be_sent(case: Case, moment: datetime) -> list[dict[str, Any]]:
    """Return the activities that can be sent, the one first that could be for longest, whoever did them."""
    found = [
        row
        for contact_id, row in first_of_each_contact(case).items()
        if ready_at(row) <= moment and case.leased.get((case.account_id, contact_id), -1) < 0
    ]
    return sorted(found, key=lambda row: (ready_at(row), row["clio_contact_id"]))


def expected_contact(case: Case, moment: datetime) -> WaitingContact | None:
    allowed = (
        WaitingContact(row["clio_contact_id"], row["user_id"])
        for row in can_be_sent(case, moment)
        if row["user_id"] not in case.closed and row["clio_contact_id"] not in case.visited
    )
    return next(allowed, None)


def expected_wait(case: Case, moment: datetime) -> timedelta | None:
    """Return after what time something may be sent: the least of all reasons to wait."""
    ready = can_be_sent(case, moment)
    if any(row["user_id"] not in case.closed for row in ready):
        return timedelta(0)
    waits = [case.closed[row["user_id"]] - moment for row in ready]
    waits += [
        ready_at(row) - moment
        for row in first_of_each_contact(case).values()
        if ready_at(row) > moment
    ]
    waits += [
        seconds * SECOND
        for (_, contact_id), seconds in case.leased.items()
        if seconds > 0 and contact_id in first_of_each_contact(case)
    ]
    return min(waits, default=None)


@pytest.mark.parametrize("seed", range(5))
async def test_the_next_contact_and_the_next_time_are_those_of_the_model(
    database: Database, seed: int
):
    chance, moment = random.Random(seed), now()  # noqa: S311  # an example, no secret
    for number in range(CASES):
        case = any_case(chance, f"a{number}", moment)
        await make_account(database, case.account_id)
        async with as_owner(database) as session:
            await store_waiting(session, case.rows, leased=case.leased)
            found = await waiting.find_contact(
                session,
                case.account_id,
                except_users=case.closed,
                except_contacts=case.visited,
                now=moment,
            )
            due = await waiting.next_due(session, case.account_id, closed=case.closed, now=moment)
        expected = expected_wait(case, moment)
        assert found == expected_contact(case, moment), case
        assert (due is None) == (expected is None), case
        if due is not None and expected is not None:
            # leases are of the database's clock, so that their rest is a little shorter
            assert expected - 5 * SECOND < due - moment <= expected, case


async def test_nothing_of_an_account_that_is_disabled_can_be_sent(database: Database):
    await make_account(database, "a")
    async with as_owner(database) as session:
        await store_waiting(session, [waiting_activity("a", 1)], leased={})
        asked: dict[str, Any] = {"except_users": (), "except_contacts": (), "now": now()}
        assert await waiting.find_contact(session, "a", **asked) is not None
        await session.exec_driver_sql("update accounts set enabled = false")
        assert await waiting.find_contact(session, "a", **asked) is None
        assert await waiting.next_due(session, "a", closed={}, now=now()) is None
