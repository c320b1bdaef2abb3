"""What the roles of the service may do with each table, and the policies that keep accounts apart.

Migrations make the tables with their rights and policies. This is the list of what they must have made, for the check
at each start. `migrate` makes again what a restore into a server without the roles has lost. A new table needs its line
here and in its migration. Rights that are no longer needed are taken away by a migration.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import text

from app.db import tables
from app.db.session import Session
from app.errors import CannotStart

RUN, SYSTEM = "levitate_run", "levitate_system"  # for one account at a time, and for all of them

_READ = ("select",)
_READ_AND_DELETE = ("select", "delete")
_ALL = ("select", "insert", "update", "delete")
_OF_ACCOUNTS = sorted(
    name for name, table in tables.metadata.tables.items() if "account_id" in table.columns
)
_OF_NUMBERS = ("alembic_version", "schema_compatibility")
_OF_QUEUE = ("pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics")
# Tables of no account that transactions of accounts read: they address events to webhook endpoints. They see no secret.
_COLUMNS_OF_RUN: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "webhook_endpoints": {
        "select": ("endpoint_id", "token_id", "kinds", "enabled", "deleted_at", "hurried_at",
                   "restarted_at", "served_account_id"),
        "update": ("served_account_id",),
    },
    "service_tokens": {"select": ("token_id", "account_ids", "revoked_at")},
}  # fmt: skip
_OF_RUN: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_OF_ACCOUNTS, _ALL),
    **dict.fromkeys(_OF_NUMBERS, _READ),
    **dict.fromkeys(_OF_QUEUE, _ALL),
}
_OF_SYSTEM: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("settings", "holds", "hold_items"), _READ),
    "health_changes": ("select", "insert"),
    **dict.fromkeys(
        ("accounts", "connections", "subscriptions", "revocations", "new_clients"),
        ("select", "update"),
    ),
    **dict.fromkeys(
        ("audit", "idempotency_keys", "scope_changes", "quarantine", "activity_attempts", "pulls"),
        _READ_AND_DELETE,
    ),
    **dict.fromkeys(
        ("list_failures", "run_logins", "named_records", "lookups", "listed"), _READ_AND_DELETE
    ),
    **dict.fromkeys(
        ("erasures", "authorizations", "slots", "runs", "activities"),
        ("select", "update", "delete"),
    ),
    **dict.fromkeys(("events", "deliveries", "issues", "activity_turns"), _ALL),
    **dict.fromkeys(("webhook_endpoints", "service_tokens", "chores", "sweeps"), _ALL),
    **dict.fromkeys(("key_check", "address_key"), ("select", "insert", "update")),
    **dict.fromkeys(_OF_NUMBERS, _READ),
    **dict.fromkeys(_OF_QUEUE, _ALL),
}
# Which rows of a table a transaction of an account sees: those of its account, or those that serve its account.
_ROWS_OF_RUN: Mapping[str, str] = {
    **dict.fromkeys(_OF_ACCOUNTS, "account_id = app_account()"),
    "service_tokens": "account_ids is null or app_account() = any (account_ids)",
    "webhook_endpoints": (
        "token_id = 'bootstrap'"
        " or exists (select from service_tokens t where t.token_id = webhook_endpoints.token_id)"
    ),
}


@dataclass(frozen=True, order=True)
class Right:
    """A role may do something with a table, or with one of its columns."""

    role: str
    table: str
    privilege: str
    column: str = ""


@dataclass(frozen=True, order=True)
class Policy:
    """A role sees and changes the rows of a table for which a condition is true, and no others."""

    table: str
    name: str
    role: str
    condition: str


@dataclass(frozen=True)
class Missing:
    """What a database lacks, in words, and the statements that make it."""

    what: str
    made_by: tuple[str, ...]


def list_rights() -> Iterator[Right]:
    """Yield the rights of the two roles."""
    for role, of_role in ((RUN, _OF_RUN), (SYSTEM, _OF_SYSTEM)):
        for table, privileges in of_role.items():
            for privilege in privileges:
                yield Right(role, table, privilege)
    for table, of_columns in _COLUMNS_OF_RUN.items():
        for privilege, columns in of_columns.items():
            for column in columns:
                yield Right(RUN, table, privilege, column)


def list_policies() -> Iterator[Policy]:
    """Yield the policies. The rows of these tables are hidden from a role for which there is none."""
    for table, condition in _ROWS_OF_RUN.items():
        yield Policy(table, "own_account", RUN, condition)
        if table in _OF_SYSTEM:
            yield Policy(table, "all_accounts", SYSTEM, "true")


async def find_missing(session: Session) -> list[Missing]:
    """Return the rights and policies that a database of this version lacks; every user may ask."""
    return [
        *[_without_security(table) for table in await _find_unprotected(session)],
        *[_without_policy(policy) for policy in await _find_missing_policies(session)],
        *[_without_right(right) for right in await _find_missing_rights(session)],
        *[_without_sequences(role) for role in await _find_without_sequences(session)],
    ]


async def restore(session: Session) -> None:
    """Make the rights and policies that are missing; nothing is locked if none is. Only the owner may do it."""
    for missing in await find_missing(session):
        for statement in missing.made_by:
            await session.execute(text(statement))


async def create_roles(session: Session, roles: tuple[str, ...] = (RUN, SYSTEM)) -> None:
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


def _without_security(table: str) -> Missing:
    return Missing(
        f"{table} has no row-level security", (f"alter table {table} enable row level security",)
    )


def _without_policy(policy: Policy) -> Missing:
    return Missing(
        f"{policy.table} has no policy for {policy.role}",
        (
            f"drop policy if exists {policy.name} on {policy.table}",
            f"create policy {policy.name} on {policy.table} to {policy.role} using ({policy.condition})",
        ),
    )


def _without_right(right: Right) -> Missing:
    column = f" ({right.column})" if right.column else ""
    return Missing(
        f"{right.role} may not {right.privilege} {right.table}{column}",
        (f"grant {right.privilege}{column} on {right.table} to {right.role}",),
    )


def _without_sequences(role: str) -> Missing:
    return Missing(
        f"{role} may not use all sequences",
        (f"grant usage on all sequences in schema public to {role}",),
    )


async def _find_unprotected(session: Session) -> list[str]:
    found = await session.execute(_UNPROTECTED, {"tables": list(_ROWS_OF_RUN)})
    return list(found.scalars())


async def _find_missing_policies(session: Session) -> list[Policy]:
    policies = sorted(list_policies())
    found = await session.execute(
        _MISSING_POLICIES,
        {
            "tables": [policy.table for policy in policies],
            "names": [policy.name for policy in policies],
            "roles": [policy.role for policy in policies],
        },
    )
    return [policies[number - 1] for number in found.scalars()]


async def _find_missing_rights(session: Session) -> list[Right]:
    rights = sorted(list_rights())
    found = await session.execute(
        _MISSING_RIGHTS,
        {
            "roles": [right.role for right in rights],
            "tables": [right.table for right in rights],
            "privileges": [right.privilege for right in rights],
            "columns": [right.column for right in rights],
        },
    )
    return [rights[number - 1] for number in found.scalars()]


async def _find_without_sequences(session: Session) -> list[str]:
    return list((await session.execute(_WITHOUT_SEQUENCES, {"roles": [RUN, SYSTEM]})).scalars())


_MISSING_ROLES = text(
    "select name from unnest(cast(:roles as text[])) as wanted (name) where to_regrole(name) is null"
)
_MAY_CREATE_ROLES = text(
    "select rolsuper or rolcreaterole from pg_roles where rolname = current_user"
)
_UNPROTECTED = text("""
    select name from unnest(cast(:tables as text[])) as wanted (name)
    where not exists (select from pg_class c where c.oid = to_regclass(name) and c.relrowsecurity)
""")
_MISSING_POLICIES = text("""
    select number from unnest(cast(:tables as text[]), cast(:names as text[]), cast(:roles as text[]))
      with ordinality as wanted (name, policy, role, number)
    where not exists (
      select from pg_policy p where p.polrelid = to_regclass(name) and p.polname = policy
      and p.polroles = array[to_regrole(role)::oid]
    ) order by number
""")
_MISSING_RIGHTS = text("""
    select number from unnest(cast(:roles as text[]), cast(:tables as text[]), cast(:privileges as text[]),
        cast(:columns as text[])) with ordinality as wanted (role, name, privilege, col, number)
    where not coalesce(case col
        when '' then has_table_privilege(to_regrole(role)::oid, to_regclass(name)::oid, privilege)
        else has_column_privilege(to_regrole(role)::oid, to_regclass(name)::oid, col, privilege)
      end, false) order by number
""")
_WITHOUT_SEQUENCES = text("""
    select role from unnest(cast(:roles as text[])) as wanted (role) where exists (
      select from pg_class s where s.relkind = 'S' and s.relnamespace = 'public'::regnamespace
      and not coalesce(has_sequence_privilege(to_regrole(role)::oid, s.oid, 'usage'), false)
    )
""")
