"""The marks of stale contacts: which run may assess one while a pull is not complete [row 53]."""

from collections.abc import Sequence
from itertools import count

import pytest
from sqlalchemy import select

from app.db.mirror import records, rule_inputs, staleness, tables
from app.db.mirror.staleness import Affected
from app.db.mirror.visibility import View
from app.db.session import Database, transaction
from app.rules.records import ContactRecord
from tests.integration.db.contacts.test_change_feed import make_account

VERSIONS = count()
PULL, ONE, OTHER, RULES = "pull", "run_1", "run_2", "rules"


async def change(database: Database, by: str, how: str) -> None:
    """Let a run change the records of the person with the id 1: the record itself, or one that belongs to it."""
    beside = None if by == PULL else by
    async with transaction(database, "a") as session:
        if by == RULES:
            await staleness.mark_stale(session, "a", Affected([1]), by_rules=True)
        elif how == "mark":
            await staleness.mark_stale(session, "a", Affected([1]), beside=beside)
        else:
            person = ContactRecord(1, is_person=True, title=f"Version {next(VERSIONS)}")
            view = View("a", "cnx", full_view=True, beside=beside)
            await records.land_contacts(session, view, [person])


@pytest.mark.parametrize("how", ["mark", "land"])
@pytest.mark.parametrize(
    ("changes", "assessed_by"),
    [
        ([ONE], [ONE]),
        ([PULL], []),
        ([RULES], [ONE, OTHER]),
        ([PULL, ONE], []),
        ([ONE, PULL], []),
        ([ONE, OTHER], []),
        ([ONE, OTHER, ONE], []),
        ([RULES, ONE], [ONE]),
        ([RULES, PULL], []),
        ([ONE, RULES], [ONE]),
        ([PULL, RULES], []),
        ([ONE, PULL, ONE], []),
    ],
)
async def test_beside_a_pull_a_run_assesses_what_it_alone_has_changed(
    database: Database, how: str, changes: Sequence[str], assessed_by: Sequence[str]
):
    await make_account(database, "a")
    await change(database, PULL, "land")
    async with transaction(database, "a") as session:
        await rule_inputs.clear_stale(session, "a", [1], kept=())
    for by in changes:
        await change(database, by, how)
    async with transaction(database, "a") as session:
        names = await rule_inputs.load_current_names(session, "a")
        for run_id in (ONE, OTHER):
            found = await rule_inputs.load_stale_facts(session, "a", names, beside=run_id, limit=9)
            assert len(found) == (run_id in assessed_by), run_id
            counted = await records.count_stale(session, "a", run_id)
            assert (counted.total, counted.waiting) == (1, 1 - (run_id in assessed_by))
        assert (
            len(await rule_inputs.load_stale_facts(session, "a", names, beside=None, limit=9)) == 1
        )


async def test_an_assessed_contact_has_no_mark(database: Database):
    await make_account(database, "a")
    await change(database, ONE, "land")
    async with transaction(database, "a") as session:
        await rule_inputs.clear_stale(session, "a", [1], kept=())
        marks = select(tables.mirror_contacts.c.stale, tables.mirror_contacts.c.changed_only_by)
        assert (await session.execute(marks)).one() == (False, None)
