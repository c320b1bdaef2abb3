"""The second wall [T2]: PostgreSQL shows a transaction no row of another account, whatever its statements forget."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from app.db.accounts import accounts, service_tokens, tables
from app.db.accounts.service_tokens import ServiceToken
from app.db.embedded import ROLES
from app.db.events import endpoints
from app.db.events import tables as event_tables
from app.db.events.endpoints import Endpoint
from app.db.session import Database, PoolLimits, Session, open_database, transaction
from app.db.system import system_transaction
from tests.integration.db.contacts.test_change_feed import make_account
from tests.support.postgres import address_of
from tests.support.sessions import as_owner

RUN, SYSTEM = ROLES
# Tables whose rows belong to no account, and why every transaction may see all of them.
OF_NO_ACCOUNT = {
    "console_sessions": "a session may be of all accounts of a token; a policy of its own shows those of an account",
    "service_tokens": "a token may be for many accounts; a policy of its own shows those that are for an account",
    "webhook_endpoints": "an endpoint belongs to a token; a policy of its own shows those of the tokens it sees",
    "service_audit": "what is of no single account; the role that serves accounts may only add to it",
    "key_check": "one value for the whole database; only the system role may read it",
    "address_key": "one value for the whole database; only the system role may read it",
    "chores": "which daily tasks were done; only the system role may use it",
    "sweeps": "how far retention came; only the system role may use it",
    "schema_compatibility": "a number",
    "alembic_version": "a number",
    "pgqueuer": "a job names a lane and a key, and a worker takes those of all accounts",
    "pgqueuer_log": "as above",
    "pgqueuer_schedules": "the service does not use it",
    "pgqueuer_statistics": "the service does not use it",
}
SECRETS = {
    "service_tokens": ("secret_hash",),
    "webhook_endpoints": ("url", "sealed_secret", "sealed_old_secret"),
}
OF_PEOPLE = {
    *("contacts", "changes", "mirror_contacts", "mirror_matters", "mirror_relationships", "users"),
    *("preexisting_tags", "erased_contacts", "unpublished_contacts", "catalog_items"),
}
HOSTILE = (
    "it's",
    "a\\'; drop table runs; --",
    "$$",
    "é 名",
    "",
    "a" * 5000,
    "' || app_account() || '",
)


@pytest.fixture
async def two(database: Database) -> Database:
    """A database with the accounts `a` and `b`."""
    for account_id in ("a", "b"):
        await make_account(database, account_id)
    return database


async def visible(session: Session) -> list[str]:
    found = await session.execute(select(tables.accounts.c.account_id).order_by(text("1")))
    return list(found.scalars())


async def test_every_table_with_an_account_has_its_policy_and_every_other_one_a_reason(
    database: Database,
):
    query = """
        select c.relname, c.relrowsecurity, exists (
            select from pg_attribute where attrelid = c.oid and attname = 'account_id') as of_accounts,
          array(select p.polname || ': ' || pg_get_expr(p.polqual, p.polrelid) from pg_policy p
            where p.polrelid = c.oid and p.polcmd = '*' and p.polpermissive and p.polwithcheck is null
            and p.polroles = array[cast(:run as regrole)::oid]) as policies
        from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
    """
    async with as_owner(database) as session:
        rows = (await session.execute(text(query), {"run": RUN})).all()
    assert {row.relname for row in rows if not row.of_accounts} == OF_NO_ACCOUNT.keys()
    for row in rows:
        if row.of_accounts:
            assert row.relrowsecurity, f"{row.relname}: enable row level security in its migration"
            assert row.policies == ["own_account: (account_id = app_account())"], row.relname


async def test_the_system_role_sees_no_person_and_only_what_its_work_needs(database: Database):
    query = """
        select c.relname, has_any_column_privilege(:system, c.oid, 'select, insert, update') as may,
          exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'all_accounts'
            and p.polroles = array[cast(:system as regrole)::oid]) as has_policy
        from pg_class c where c.relkind = 'r' and c.relrowsecurity
    """
    async with as_owner(database) as session:
        rows = (await session.execute(text(query), {"system": SYSTEM})).all()
    assert [row.relname for row in rows if row.may != row.has_policy] == []
    assert not {row.relname for row in rows if row.may} & OF_PEOPLE


async def test_no_view_and_no_function_passes_the_policies_with_the_rights_of_the_owner(
    database: Database,
):
    async with as_owner(database) as session:
        views = "select relname from pg_class where relkind in ('v', 'm') and relnamespace = 'public'::regnamespace"
        definers = (
            "select proname from pg_proc where prosecdef and pronamespace = 'public'::regnamespace"
        )
        assert (await session.execute(text(views))).all() == []
        assert (await session.execute(text(definers))).all() == []


async def test_the_role_that_serves_accounts_passes_no_policy(database: Database):
    query = """
        select rolsuper or rolbypassrls or rolcreaterole as is_mighty,
          pg_has_role(current_user, :run, 'usage') as is_run,
          pg_has_role(current_user, :system, 'member') as is_system,
          exists (select from pg_class where pg_has_role(current_user, relowner, 'member')) as is_owner
        from pg_roles where rolname = current_user
    """
    names = {"run": RUN, "system": SYSTEM}
    async with transaction(database, "a") as session:
        assert tuple((await session.execute(text(query), names)).one()) == (
            False,
            True,
            False,
            False,
        )
    async with system_transaction(database) as session:
        assert tuple((await session.execute(text(query), names)).one()) == (
            False,
            False,
            True,
            False,
        )


async def test_the_role_that_serves_accounts_sees_no_secret_of_what_belongs_to_no_account(
    database: Database,
):
    may = "select has_column_privilege(:role, :name, :column, 'select')"
    async with as_owner(database) as session:
        for name, columns in SECRETS.items():
            for column in columns:
                names = {"role": RUN, "name": name, "column": column}
                assert not (await session.execute(text(may), names)).scalar_one(), names
        for name in ("key_check", "address_key", "chores", "sweeps"):
            allowed = "select has_any_column_privilege(:role, :name, 'select, insert, update')"
            found = await session.execute(text(allowed), {"role": RUN, "name": name})
            assert not found.scalar_one(), name


async def test_a_transaction_sees_only_its_account_and_the_system_all(two: Database):
    for account_id in ("a", "b"):
        async with transaction(two, account_id) as session:
            assert await visible(session) == [account_id]
    async with system_transaction(two) as session:
        assert await visible(session) == ["a", "b"]


async def test_a_transaction_sees_only_the_tokens_and_endpoints_that_serve_its_account(
    two: Database,
):
    now = datetime(2026, 11, 30, tzinfo=UTC)
    async with system_transaction(two) as session:
        for token_id, account_ids in (("of_a", ("a",)), ("of_b", ("b", "c")), ("of_all", None)):
            token = ServiceToken(token_id, "x", "hash", account_ids, now, None)
            await service_tokens.add_token(session, token)
        for token_id in ("of_a", "of_b", "of_all", service_tokens.BOOTSTRAP_ID):
            made = Endpoint(
                f"for_{token_id}", token_id, "https://x", ("*",), "", True, None, now, now
            )
            await endpoints.add_endpoint(session, made, sealed_secret="x")
    for account_id, hidden in (("a", "of_b"), ("b", "of_a")):
        async with transaction(two, account_id) as session:
            tokens = select(tables.service_tokens.c.token_id)
            assert set((await session.execute(tokens)).scalars()) == {"of_a", "of_b", "of_all"} - {
                hidden
            }
            kept = select(event_tables.webhook_endpoints.c.endpoint_id)
            assert set((await session.execute(kept)).scalars()) == (
                {"for_of_a", "for_of_b", "for_of_all", "for_bootstrap"} - {f"for_{hidden}"}
            )
            claimed = text(
                "update webhook_endpoints set served_account_id = 'x' where endpoint_id = :id"
            )
            assert (await session.execute(claimed, {"id": f"for_{hidden}"})).rowcount == 0
    async with system_transaction(two) as session:
        everything = select(func.count()).select_from(event_tables.webhook_endpoints)
        assert (await session.execute(everything)).scalar_one() == 4


async def test_a_row_of_another_account_can_be_neither_changed_nor_written(two: Database):
    async with transaction(two, "a") as session:
        for change in ("update accounts set name = 'x'", "delete from accounts"):
            done = await session.execute(text(f"{change} where account_id = 'b'"))
            assert done.rowcount == 0
    for change in (
        "insert into health_changes (account_id) values ('b')",
        "update accounts set account_id = 'c'",
    ):
        with pytest.raises(DBAPIError, match="row-level security"):  # a defect, not an outage
            async with transaction(two, "a") as session:
                await session.execute(text(change))


async def test_a_transaction_that_does_not_say_whose_it_is_raises(two: Database):
    async with transaction(two, "a") as session:  # so that the setting exists on the connection
        await visible(session)
    forgetful = replace(two, system=two.accounts)
    with pytest.raises(DBAPIError, match="does not say whose it is"):
        async with system_transaction(forgetful) as session:
            await visible(session)


@pytest.mark.parametrize("account_id", HOSTILE)
async def test_any_text_is_quoted(database: Database, account_id: str):
    async with transaction(database, account_id) as session:
        shown = await session.execute(text("select current_setting('app.account')"))
        assert shown.scalar_one() == account_id
    async with transaction(database, account_id) as session:
        await session.execute(text("set local standard_conforming_strings = off"))


async def test_what_postgresql_cannot_store_is_refused(database: Database):
    for account_id in ("a\0b", "a\ud800"):
        with pytest.raises(ValueError, match=r"NUL|surrogates"):
            async with transaction(database, account_id):
                pass


@pytest.mark.parametrize("pooler", [False, True])
async def test_ten_tasks_over_one_pool_do_not_mix_their_accounts(dsn: str, pooler: bool):
    names = [f"firm-{number}" for number in range(10)]
    address = address_of(dsn)
    if pooler:
        address = replace(address, past_pooler=address.url)
    database = open_database(address, PoolLimits(kept=3, most=3))
    for name in names:
        await make_account(database, name)

    async def look(name: str) -> None:
        for _ in range(20):
            async with transaction(database, name) as session:
                assert await visible(session) == [name]
                await asyncio.sleep(0)
                await accounts.lock_account(session, name)
                counted = await session.execute(select(func.count()).select_from(tables.accounts))
                assert counted.scalar_one() == 1

    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(look(name))
    await database.dispose()


async def test_a_transaction_within_another_one_is_of_its_own_account(two: Database):
    async with transaction(two, "a") as outer, transaction(two, "b") as inner:
        assert await visible(inner) == ["b"]
        assert await visible(outer) == ["a"]
