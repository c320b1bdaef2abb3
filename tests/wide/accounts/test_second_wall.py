"""All kinds of work without the account condition of each statement: PostgreSQL alone keeps accounts apart [T2]."""

from tests.e2e.test_two_accounts import test_no_account_changes_or_depends_on_another as do_story
from tests.support.first_run import AfterFirstRun
from tests.support.postgres import Server
from tests.support.stripped import without_account_conditions

STATEMENTS = 300  # of at least so many kinds the conditions were taken out


async def test_without_the_conditions_no_account_changes_or_depends_on_another(
    server: Server, after_first_run: AfterFirstRun
):
    with without_account_conditions() as stripped:
        await do_story(server, after_first_run)
    assert len(stripped) > STATEMENTS
