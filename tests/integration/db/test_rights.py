"""The rights and policies of the roles [T2]: migrations make those of the list, and `migrate` makes lost ones again."""

import pytest
from sqlalchemy import text

from app.cli.database import check_schema, migrate_schema
from app.db import rights
from app.db.rights import RUN, SYSTEM, Policy, Right, list_policies, list_rights
from app.db.session import Database, Session
from app.errors import CannotStart
from tests.support.sessions import as_owner

ROLES = {"roles": [RUN, SYSTEM]}
RIGHTS = """
    select r.rolname, c.relname, lower(a.privilege_type), ''
    from pg_class c cross join aclexplode(c.relacl) a join pg_roles r on r.oid = a.grantee
    where c.relkind in ('r', 'p') and r.rolname = any(:roles)
  union all
    select r.rolname, c.relname, lower(a.privilege_type), t.attname
    from pg_class c join pg_attribute t on t.attrelid = c.oid cross join aclexplode(t.attacl) a
      join pg_roles r on r.oid = a.grantee
    where r.rolname = any(:roles)
"""
POLICIES = """
    select c.relname, p.polname, r.rolname, pg_get_expr(p.polqual, p.polrelid)
    from pg_policy p join pg_class c on c.oid = p.polrelid join pg_roles r on array[r.oid] = p.polroles
    where p.polcmd = '*' and p.polpermissive and p.polwithcheck is null
"""


async def granted(session: Session) -> list[Right]:
    return sorted(Right(*row) for row in await session.execute(text(RIGHTS), ROLES))


async def made(session: Session) -> list[Policy]:
    """Return the policies with their conditions as PostgreSQL writes them."""
    return sorted(Policy(*row) for row in await session.execute(text(POLICIES)))


async def number_of_policies(session: Session) -> int:
    return int((await session.execute(text("select count(*) from pg_policy"))).scalar_one())


async def forget_everything(session: Session) -> None:
    """Lose what a restore loses into a server that has no roles yet: all grants and all policies."""
    for policy in await made(session):
        await session.execute(text(f"drop policy {policy.name} on {policy.table}"))
    for kind in ("tables", "sequences"):
        statement = f"revoke all on all {kind} in schema public from {RUN}, {SYSTEM}"
        await session.execute(text(statement))


async def test_the_list_has_the_rights_and_policies_that_the_migrations_make(database: Database):
    async with as_owner(database) as session:
        assert await granted(session) == sorted(list_rights())
        policies = await made(session)
        assert [(p.table, p.name, p.role) for p in policies] == [
            (p.table, p.name, p.role) for p in sorted(list_policies())
        ]
        assert len(policies) == await number_of_policies(session)
        assert await rights.find_missing(session) == []


async def test_what_is_made_again_is_what_the_migrations_made(database: Database):
    async with as_owner(database) as session:
        before = await granted(session), await made(session)
        await forget_everything(session)
        assert len(await rights.find_missing(session)) > len(before[0])
        await rights.restore(session)
        assert (await granted(session), await made(session)) == before
        assert await rights.find_missing(session) == []
        await session.rollback()


@pytest.mark.parametrize(
    ("loss", "what"),
    [
        (f"revoke delete on contacts from {RUN}", f"{RUN} may not delete contacts"),
        (f"revoke select on service_tokens from {SYSTEM}", f"{SYSTEM} may not select service_tokens"),
        (f"revoke select (kinds) on webhook_endpoints from {RUN}", f"{RUN} may not select webhook_endpoints (kinds)"),
        ("alter table changes disable row level security", "changes has no row-level security"),
        ("drop policy own_account on events", f"events has no policy for {RUN}"),
        ("alter policy own_account on events to public", f"events has no policy for {RUN}"),
        ("drop policy all_accounts on events", f"events has no policy for {SYSTEM}"),
        (f"revoke usage on sequence pgqueuer_id_seq from {SYSTEM}", f"{SYSTEM} may not use all sequences"),
    ],
)  # fmt: skip
async def test_a_process_does_not_start_without_a_right_or_policy_and_migrate_makes_it_again(
    database: Database, loss: str, what: str
):
    async with as_owner(database) as session:
        await session.execute(text(loss))
    advice = (
        f"The database lacks rights or policies of its roles ({what}); run `levitate-clio migrate`"
    )
    with pytest.raises(CannotStart) as refused:
        await check_schema(database)
    assert str(refused.value) == advice
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


async def test_nothing_is_locked_if_nothing_is_missing(database: Database):
    async with as_owner(database) as session:
        await rights.restore(session)
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
    async with as_owner(database) as session:
        await session.execute(text(f"set local role {RUN}"))  # it may create no role
        await rights.create_roles(session)  # both are there
        with pytest.raises(CannotStart) as refused:
            await rights.create_roles(session, (RUN, *missing))
        assert statements in str(refused.value)
        await session.rollback()


async def test_who_may_create_the_roles_creates_them_once_and_nobody_may_log_in_with_them(
    database: Database,
):
    async with as_owner(database) as session:
        for _ in range(2):
            await rights.create_roles(session, ("levitate_absent",))
        may_log_in = text("select rolcanlogin from pg_roles where rolname = 'levitate_absent'")
        assert (await session.execute(may_log_in)).scalar_one() is False
        await session.rollback()
