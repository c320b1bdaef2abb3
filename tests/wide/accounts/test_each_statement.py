"""Each statement of a transaction of an account, without each of its account conditions in turn [T2].

With the policies it does and shows the same. With one role for everything, which the policies do not bind, the trials
notice what is foreign, and the conditions alone keep the accounts apart.
"""

import re
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from app.db.connection import Address
from tests.e2e.test_two_accounts import make_settings_newer, story
from tests.support import world as world_module
from tests.support.account_copies import TABLES, copy_account, rows_of
from tests.support.first_run import AfterFirstRun
from tests.support.postgres import Server
from tests.support.stripped import CONDITION, OTHER_FORM
from tests.support.trials import Trials, trying_each_statement
from tests.support.twin import make_twin
from tests.support.world import config_for, opened_world

STATEMENTS = 300  # at least so many were tried,
TELLING = 200  # so many of them when they had found something,
TOLD_APART = 240  # and so many statements without a condition do or show what is foreign if nothing hinders them
NAMES = "|".join([*(table.name for table in TABLES), "deliveries", "authorizations", "erasures"])
OF_ACCOUNTS = re.compile(rf"\b(?:from|join|update|into|using)\s+(?:{NAMES})\b", re.IGNORECASE)
# The new row says whose it is, and so does the key by which an existing one is found.
NEW_ROW = re.compile(
    rf"\s*insert into (?:{NAMES}) \(account_id[,)](?!.*\b(?:from|join)\s+(?:{NAMES})\b)",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Told:
    """What the account's users see after the story, and which of its copies are changed, or have marks of a change."""

    trials: Trials
    shown: dict[str, Any]
    changed: set[str]
    marked: set[str]


async def tell(server: Server, start: AfterFirstRun) -> Told:
    """Do the story beside a twin and three copies of the account, and try each statement."""
    async with (
        server.database(start.template) as dsn,
        opened_world(dsn, start.simulator(), clock=False) as world,
        world,
    ):
        await make_twin(dsn, "hp", "twin")
        copies: dict[str, tuple[Any, Any]] = {}

        async def copy() -> None:
            name = f"copy-{len(copies)}"
            await copy_account(dsn, "hp", name)
            await make_settings_newer(dsn, name)
            copies[name] = await rows_of(dsn, name), await marks(dsn, name)

        with trying_each_statement("hp") as trials:
            found = await story(world, copy)
            await world.erase()
        return Told(
            trials,
            found,
            {name for name, (rows, _) in copies.items() if await rows_of(dsn, name) != rows},
            {name for name, (_, marked) in copies.items() if await marks(dsn, name) != marked},
        )


async def marks(dsn: str, account_id: str) -> dict[str, list[Any]]:
    """Return for each row of an account who has written it, and who has locked, changed or deleted it last.

    PostgreSQL keeps the mark of a change that was undone.
    """
    connection = await asyncpg.connect(dsn)
    try:
        return {
            table.name: await connection.fetch(
                f"select ctid, xmin, xmax from {table.name} where account_id = $1 order by ctid",  # our names
                account_id,
            )
            for table in TABLES
        }
    finally:
        await connection.close()


async def test_each_statement_without_each_condition(
    server: Server, after_first_run: AfterFirstRun, monkeypatch: pytest.MonkeyPatch
):
    apart = await tell(server, after_first_run)
    trials = apart.trials
    assert not trials.told_apart
    assert not apart.marked, "a statement without its conditions locked or changed foreign rows"
    assert len(trials.tried) >= STATEMENTS
    assert len(+trials.telling) >= TELLING
    assert not [told for told in trials.tried if OTHER_FORM.search(CONDITION.sub("", told))]
    assert not [
        told
        for told in trials.without_condition
        if OF_ACCOUNTS.search(told) and not NEW_ROW.match(told)
    ], "only the policy keeps these statements from foreign rows"

    monkeypatch.setattr(world_module, "address_of", Address)
    monkeypatch.setattr(world_module, "config_for", config_with_one_role)
    together = await tell(server, after_first_run)
    assert together.shown == apart.shown
    assert not together.changed
    assert together.marked == {"copy-0", "copy-1", "copy-2"}
    assert len(together.trials.told_apart) >= TOLD_APART


def config_with_one_role(dsn: str, **more: Any) -> Any:
    urls = {"database_url": dsn, "system_database_url": None, "migrate_database_url": None}
    return config_for(dsn, **urls, **more)


@pytest.mark.parametrize(
    "unknown",
    [
        "select from runs where (account_id, run_id) = ($1, $2)",
        "select from runs where (run_id, r.account_id) in (select 1, 2)",
        "select from runs join pulls using (account_id, run_id)",
        "select from runs where account_id in ($1, $2)",
        "select from runs where $1::text = runs.account_id",
        "select from runs where account_id like $1",
    ],
)
def test_a_condition_of_another_form_is_noticed(unknown: str):
    assert OTHER_FORM.search(CONDITION.sub("", unknown))
