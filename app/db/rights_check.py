"""Compares the rights and policies of a database with the list in `rights.py`, and makes them equal to it.

Of the tables of the service, the rights of both roles and of PUBLIC are those of the list and no others, and so are
the policies that apply to them. What other roles may do is the operator's decision.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import text

from app.db import rights
from app.db.rights import RUN, SYSTEM, Policy, Right
from app.db.session import Session
from app.errors import CannotStart

_ROLES = (RUN, SYSTEM)


@dataclass(frozen=True)
class Difference:
    """A right or policy that is missing in a database or too much, in words, and the statements that mend it."""

    what: str
    mended_by: tuple[str, ...]


async def find_differences(session: Session) -> list[Difference]:
    """Return how a database with the schema of this version differs from the list; every user may ask."""
    return [
        *await _differences_of_schema(session),
        *await _differences_of_policies(session),
        *await _differences_of_rights(session),
    ]


async def mend(session: Session) -> None:
    """Make the rights and policies equal to the list; nothing is locked if they are. Only the owner may do it."""
    for difference in await find_differences(session):
        for statement in difference.mended_by:
            await session.exec_driver_sql(statement)


async def create_roles(session: Session, roles: tuple[str, ...] = _ROLES) -> None:
    """Create the roles that the server lacks. They may not log in; the users of the service are their members.

    Another database of the server may be creating them at the same moment. Raises CannotStart if this user may not.
    """
    found = await session.execute(_MISSING_ROLES, {"roles": list(roles)})
    missing = list(found.scalars())
    if missing and not (await session.execute(_MAY_CREATE_ROLES)).scalar_one():
        statements = "; ".join(f"create role {role}" for role in missing)
        raise CannotStart(
            f"The server lacks {' and '.join(missing)}, and the user of the migration may not create roles. Nothing"
            f" was changed. As a superuser run `{statements}`, then `levitate-clio migrate` again"
        )
    for role in missing:
        await session.execute(
            text(
                f"do $$ begin create role {role} nologin;"
                " exception when duplicate_object or unique_violation then null; end $$"
            )
        )


async def _differences_of_schema(session: Session) -> list[Difference]:
    """Return what is wrong with the schema, the function of the policies, row-level security, and sequences."""
    found = (await session.execute(_SCHEMA, {"roles": list(_ROLES)})).all()
    differences = [
        Difference(f"{role} may not {what}", (f"grant {right} to {role}",))
        for role, *allowed in found
        for (what, right), is_allowed in zip(_OF_SCHEMA.items(), allowed, strict=True)
        if not is_allowed
    ]
    body = (await session.execute(_FUNCTION)).scalar_one_or_none()
    if body is None or body.split() != rights.ACCOUNT_FUNCTION.split():
        made = f"create or replace function app_account() {_FUNCTION_IS} as $${rights.ACCOUNT_FUNCTION}$$"
        differences.insert(0, Difference("the function app_account() is not ours", (made,)))
    unprotected = await session.execute(_UNPROTECTED, {"tables": rights.PROTECTED_TABLES})
    return differences + [
        Difference(
            f"{table} has no row-level security",
            (f"alter table {table} enable row level security",),
        )
        for table in unprotected.scalars()
    ]


async def _differences_of_policies(session: Session) -> list[Difference]:
    rows = await session.execute(_POLICIES, {"tables": rights.TABLES, "roles": list(_ROLES)})
    found = {
        (row.table, row.name): Policy(row.table, row.name, row.roles, _plain(row.condition))
        if row.is_plain
        else None
        for row in rows
    }
    return list(_compare_policies(found))


def _plain(condition: str) -> str:
    """Return a condition on one line, whatever the search path of the user who looks at it."""
    return " ".join(condition.split()).replace("public.", "")


def _compare_policies(found: dict[tuple[str, str], Policy | None]) -> Iterator[Difference]:
    """Yield the policies that are missing, changed or not ours. None is a policy of another kind than ours."""
    wanted = {(policy.table, policy.name): policy for policy in rights.list_policies()}
    for (table, name), policy in wanted.items():
        if found.get((table, name)) != policy:
            made = f"create policy {name} on {table} to {policy.role} using ({policy.condition})"
            drop = f"drop policy if exists {name} on {table}"
            yield Difference(f"{table} lacks its policy for {policy.role}", (drop, made))
    for table, name in found.keys() - wanted.keys():
        yield Difference(
            f"{table} has a policy that is not ours: {name}", (f"drop policy {name} on {table}",)
        )


async def _differences_of_rights(session: Session) -> list[Difference]:
    rows = await session.execute(_RIGHTS, {"tables": rights.TABLES, "roles": list(_ROLES)})
    found, wanted = {Right(*row) for row in rows}, set(rights.list_rights())
    missing = [_difference(right, "may not", "grant", "to") for right in sorted(wanted - found)]
    others = [_difference(right, "may also", "revoke", "from") for right in sorted(found - wanted)]
    return missing + others


def _difference(right: Right, may: str, verb: str, towards: str) -> Difference:
    column = f" ({right.column})" if right.column else ""
    return Difference(
        f"{right.role} {may} {right.privilege} {right.table}{column}",
        (f"{verb} {right.privilege}{column} on {right.table} {towards} {right.role}",),
    )


_MISSING_ROLES = text(
    "select name from unnest(cast(:roles as text[])) as wanted (name) where to_regrole(name) is null"
)
_MAY_CREATE_ROLES = text(
    "select rolsuper or rolcreaterole from pg_roles where rolname = current_user"
)
# What a role needs beside its tables, and the right; each is a column of `_SCHEMA`.
_OF_SCHEMA = {
    "use the schema": "usage on schema public",
    "use all sequences": "usage on all sequences in schema public",
    "call app_account()": "execute on function app_account()",
}
_SCHEMA = text("""
    select role, has_schema_privilege(r.oid, 'public'::regnamespace, 'usage'),
      not exists (select from pg_class s where s.relnamespace = 'public'::regnamespace
        and case s.relkind when 'S' then not has_sequence_privilege(r.oid, s.oid, 'usage') end),
      not exists (select from pg_proc p where p.proname = 'app_account' and p.pronamespace = 'public'::regnamespace
        and not has_function_privilege(r.oid, p.oid, 'execute'))
    from unnest(cast(:roles as text[])) as wanted (role) join pg_roles r on r.rolname = role
""")
_FUNCTION_IS = "returns text language plpgsql stable parallel safe"
_FUNCTION = text("""
    select p.prosrc from pg_proc p join pg_language l on l.oid = p.prolang
    where p.proname = 'app_account' and p.pronamespace = 'public'::regnamespace and p.pronargs = 0
    and l.lanname = 'plpgsql' and p.provolatile = 's' and not p.prosecdef and p.proconfig is null
""")
_UNPROTECTED = text("""
    select name from unnest(cast(:tables as text[])) as wanted (name) where not exists (
      select from pg_class c where c.relname = name and c.relnamespace = 'public'::regnamespace and c.relrowsecurity)
""")
_POLICIES = text("""
    select c.relname as table, quote_ident(p.polname) as name, roles,
      pg_get_expr(p.polqual, p.polrelid) as condition,
      p.polcmd = '*' and p.polpermissive and p.polwithcheck is null and p.polqual is not null as is_plain
    from pg_policy p join pg_class c on c.oid = p.polrelid,
    lateral (select string_agg(coalesce(rolname, 'public'), ', ')
      from unnest(p.polroles) role left join pg_roles r on r.oid = role) as named (roles)
    where c.relnamespace = 'public'::regnamespace and c.relname = any(:tables)
    and (0 = any(p.polroles) or exists (
      select from pg_roles r where r.rolname = any(:roles) and r.oid = any(p.polroles)))
""")
_RIGHTS = text("""
    select coalesce(r.rolname, 'public'), relname, lower(privilege_type), attname from (
      select c.relname, '' as attname, a.grantee, a.privilege_type
      from pg_class c cross join aclexplode(c.relacl) a
      where c.relnamespace = 'public'::regnamespace and c.relname = any(:tables)
      union
      select c.relname, quote_ident(t.attname), a.grantee, a.privilege_type
      from pg_class c join pg_attribute t on t.attrelid = c.oid cross join aclexplode(t.attacl) a
      where c.relnamespace = 'public'::regnamespace and c.relname = any(:tables)
    ) as granted left join pg_roles r on r.oid = grantee
    where grantee = 0 or r.rolname = any(:roles)
""")
