"""No statement of the hot path lacks its account, so the accounts can be spread over several databases [T2].

`tests/integration/db/test_spread_by_account.py` says the same of the keys, docs/scaling.md why.
"""

from collections.abc import Mapping

import pytest

from tests.e2e.test_two_accounts import services_of, story
from tests.support.account_conditions import (
    Parameters,
    reads_without_account,
    recorded_statements,
)
from tests.support.world import World

STATEMENTS = 250  # of at least so many kinds there were plans


async def test_no_statement_of_runs_reads_and_write_back_lacks_the_account(world: World):
    async def no_copy() -> None:
        pass

    with recorded_statements() as statements:
        await world.create_account()
        await world.connect("u_ann", 501)
        await world.settled()  # the first run
        await story(world, no_copy)  # runs of all kinds, write-back, lists, the feed
    found = await reads_without_account(services_of(world).database, statements)
    assert not found
    assert len(statements) > STATEMENTS


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        ("select state from contacts", ["contacts"]),
        ("select state from contacts where contact_id = 'con_1'", ["contacts"]),
        ("select state from contacts where account_id = 'hp'", []),
        ("update contacts set state = state where clio_id = 1", ["contacts"]),
        ("delete from runs where account_id = 'hp' and run_id = 'x'", []),
        ("select 1 from contacts c join runs r on r.account_id = c.account_id where c.account_id = 'hp'", []),
        ("select 1 from contacts c, runs r where c.account_id = 'hp'", ["runs"]),
        ("select 1 from contacts where account_id = 'hp' and exists (select from runs)", ["runs"]),
        ("select case when exists (select from runs r where r.account_id = c.account_id and r.status = 'x') then 1 end"
         " from generate_series(1, 1000), contacts c where c.account_id = 'hp'", ["runs"]),
        ("insert into issues select * from issues where issue_id = 'iss_1'", ["issues"]),
    ],
)  # fmt: skip
async def test_a_statement_without_its_account_is_noticed(
    pulled: World, statement: str, tables: list[str]
):
    statements: Mapping[str, Parameters] = {statement: ()}
    found = await reads_without_account(services_of(pulled).database, statements)
    assert found == ({statement: tables} if tables else {})
