"""The rights and policies of the roles [T2]: migrations make those of the list, and `migrate` makes them again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from app.cli.database import check_schema, migrate_schema
from app.db import rights_check
from app.db.rights import RUN, SYSTEM, list_policies, list_rights
from app.db.session import Database, Session
from app.errors import CannotStart
from tests.support.sessions import as_owner

NOT_OURS = "has a policy that is not ours"
RESTRICTIVE = "create policy hides on contacts as restrictive to public using (false)"
CONSTANT = (
    "create or replace function app_account() returns text language plpgsql stable parallel safe"
    " as $$ begin return 'b'; end $$"
)


async def forget_everything(session: Session) -> None:
    """Lose what a restore loses into a server that has no roles yet: all grants and all policies."""
    for policy in list_policies():
        await session.execute(text(f"drop policy {policy.name} on {policy.table}"))
    for kind in ("tables", "sequences"):
        statement = f"revoke all on all {kind} in schema public from {RUN}, {SYSTEM}"
        await session.execute(text(statement))


@asynccontextmanager
async def never_committed(database: Database) -> AsyncIterator[Session]:
    async with as_owner(database) as session:
        yield session
        await session.rollback()


async def test_migrations_make_what_is_in_the_list_and_nothing_else(database: Database):
    async with as_owner(database) as session:
        assert await rights_check.find_differences(session) == []


async def test_everything_that_is_lost_is_found_and_made_again(database: Database):
    async with never_committed(database) as session:
        await forget_everything(session)
        lost = len(set(list_rights())) + len(list(list_policies())) + 2  # sequences of both roles
        assert len(await rights_check.find_differences(session)) == lost
        await rights_check.mend(session)
        assert await rights_check.find_differences(session) == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (f"revoke delete on contacts from {RUN}", f"{RUN} may not delete contacts"),
        (f"revoke select on service_tokens from {SYSTEM}", f"{SYSTEM} may not select service_tokens"),
        (f"revoke select (kinds) on webhook_endpoints from {RUN}", f"{RUN} may not select webhook_endpoints (kinds)"),
        (f"grant update on service_tokens to {RUN}", f"{RUN} may also update service_tokens"),
        (f"grant select (sealed_key) on address_key to {RUN}", f"{RUN} may also select address_key (sealed_key)"),
        ("grant select on contacts to public", "public may also select contacts"),
        ("alter table changes disable row level security", "changes has no row-level security"),
        ("alter table accounts disable row level security", "accounts has no row-level security"),
        ("drop policy own_account on events", f"events lacks its policy for {RUN}"),
        ("drop policy all_accounts on events", f"events lacks its policy for {SYSTEM}"),
        ("alter policy own_account on events to public", f"events lacks its policy for {RUN}"),
        ("alter policy own_account on contacts using (true)", f"contacts lacks its policy for {RUN}"),
        ("alter policy own_account on contacts with check (true)", f"contacts lacks its policy for {RUN}"),
        (f"create policy more on contacts to {RUN} using (true)", f"contacts {NOT_OURS}: more"),
        ('create policy "Every one" on contacts using (true)', f'contacts {NOT_OURS}: "Every one"'),
        ("create policy inserts on contacts for insert with check (true)", f"contacts {NOT_OURS}: inserts"),
        (RESTRICTIVE, f"contacts {NOT_OURS}: hides"),
        (f"revoke usage on sequence pgqueuer_id_seq from {SYSTEM}", f"{SYSTEM} may not use all sequences"),
        ("revoke all on schema public from public", f"{RUN} may not use the schema, and 1 more"),
        ("revoke execute on function app_account() from public", f"{RUN} may not call app_account(), and 1 more"),
        (CONSTANT, "the function app_account() is not ours"),
        ("alter function app_account() security definer", "the function app_account() is not ours"),
    ],
)  # fmt: skip
async def test_a_process_does_not_start_while_something_differs_and_migrate_mends_it(
    database: Database, change: str, what: str
):
    async with as_owner(database) as session:
        await session.execute(text(change.replace(":", r"\:")))
    with pytest.raises(CannotStart) as refused:
        await check_schema(database)
    refusal = f"The rights or policies of the database are not those of this version ({what})"
    if "schema public" in change:  # who may not use the schema sees no table
        refusal = "The database's schema is missing or too old"
    assert str(refused.value) == f"{refusal}; run `levitate-clio migrate`"
    await migrate_schema(database)
    await check_schema(database)


async def test_without_the_function_of_the_policies_all_of_them_are_made_again(database: Database):
    async with as_owner(database) as session:
        await session.execute(text("drop function app_account() cascade"))
    with pytest.raises(
        CannotStart, match=r"the function app_account\(\) is not ours, and \d+ more"
    ):
        await check_schema(database)
    await migrate_schema(database)
    await check_schema(database)


async def test_after_a_restore_into_a_server_without_the_roles_migrate_is_enough(
    database: Database,
):
    async with as_owner(database) as session:
        await forget_everything(session)
    with pytest.raises(CannotStart, match="run `levitate-clio migrate`"):
        await check_schema(database)
    await migrate_schema(database)
    await check_schema(database)


async def test_what_other_roles_may_do_is_left_to_the_operator(database: Database):
    async with never_committed(database) as session:
        await session.execute(text("create role analyst"))
        await session.execute(text("grant select on contacts to analyst"))
        await session.execute(text("create policy reads on contacts to analyst using (true)"))
        assert await rights_check.find_differences(session) == []


async def test_nothing_is_locked_if_nothing_differs(database: Database):
    async with as_owner(database) as session:
        await rights_check.mend(session)
        locks = "select count(*) from pg_locks where pid = pg_backend_pid() and mode = 'AccessExclusiveLock'"
        assert (await session.execute(text(locks))).scalar_one() == 0


@pytest.mark.parametrize(
    ("missing", "statements"),
    [
        (("levitate_absent",), "`create role levitate_absent`"),
        (("levitate_absent", "levitate_missing"), "`create role levitate_absent; create role levitate_missing`"),
    ],
)  # fmt: skip
async def test_who_may_not_create_the_roles_learns_which_ones_to_create(
    database: Database, missing: tuple[str, ...], statements: str
):
    async with never_committed(database) as session:
        await session.execute(text(f"set local role {RUN}"))  # it may create no role
        await rights_check.create_roles(session)  # both are there
        with pytest.raises(CannotStart) as refused:
            await rights_check.create_roles(session, (RUN, *missing))
        assert statements in str(refused.value)


async def test_who_may_create_the_roles_creates_them_once_and_nobody_may_log_in_with_them(
    database: Database,
):
    async with never_committed(database) as session:
        for _ in range(2):
            await rights_check.create_roles(session, ("levitate_absent",))
        may_log_in = text("select rolcanlogin from pg_roles where rolname = 'levitate_absent'")
        assert (await session.execute(may_log_in)).scalar_one() is False
