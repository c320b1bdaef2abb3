"""Holds of removals: which contacts they have, and when they are empty [S5]."""

from datetime import UTC, datetime

import pytest

from app.db.accounts import accounts
from app.db.accounts.accounts import AccountFields
from app.db.contacts import hold_decisions, holds
from app.db.contacts.holds import HoldKind, HoldStatus
from app.db.mirror.audience import EVERYBODY
from app.db.runs import run_report
from app.db.session import Database
from tests.support.sessions import as_owner

NOW = datetime(2026, 3, 2, tzinfo=UTC)
FIRM = AccountFields("Firm", "UTC", "US", None, enabled=True)


async def test_a_hold_is_empty_when_its_last_contact_was_removed(database: Database):
    # T2: the other account has the same contacts in a hold of its own
    async with as_owner(database) as session:
        for account_id in ("hp", "other"):
            await accounts.put_account(session, account_id, FIRM, now=NOW)
            await holds.add_removals(session, account_id, "run_1", [1, 2], now=NOW)
        first, second = [
            await holds.remove_contacts(session, "hp", HoldKind.REMOVALS, [clio_id])
            for clio_id in (1, 2)
        ]
        assert (len(first.left), len(first.emptied)) == (1, 0)
        assert (second.left, second.emptied) == ([], first.left)
        left = await holds.find_removal_statuses(session, "other", [1, 2])
        assert left == {1: HoldStatus.GATHERING, 2: HoldStatus.GATHERING}


async def test_a_report_shows_contacts_as_held_only_while_their_hold_is_open(database: Database):
    async with as_owner(database) as session:
        await accounts.put_account(session, "hp", FIRM, now=NOW)
        await holds.add_removals(session, "hp", "run_1", [1, 2], now=NOW)
        hold = await holds.find_of_run(session, "hp", "run_1")
        assert hold is not None
        found = []
        for status, by in ((HoldStatus.OPEN, None), (HoldStatus.RELEASED, "u_ann")):
            await hold_decisions.decide(session, "hp", hold.hold_id, status, by=by, now=NOW)
            held = await run_report.list_held_contacts(
                session, "hp", "run_1", EVERYBODY, after=0, limit=9
            )
            found.append(held)
        assert found == [[1, 2], []]


@pytest.mark.parametrize(
    ("by", "status"), [(None, HoldStatus.GATHERING), ("u_ann", HoldStatus.RELEASED)]
)
async def test_a_hold_that_its_run_released_gathers_again(
    database: Database, by: str | None, status: HoldStatus
):
    # S5: some that were released wait for another pull; what a person decided stays decided
    async with as_owner(database) as session:
        await accounts.put_account(session, "hp", FIRM, now=NOW)
        await holds.add_removals(session, "hp", "run_1", [1], now=NOW)
        hold = await holds.find_of_run(session, "hp", "run_1")
        assert hold is not None
        await hold_decisions.decide(
            session, "hp", hold.hold_id, HoldStatus.RELEASED, by=by, now=NOW
        )
        await holds.add_removals(session, "hp", "run_1", [2], now=NOW)
        again = await holds.find_of_run(session, "hp", "run_1")
        assert again is not None
        assert (again.status, again.count) == (status, 2)
