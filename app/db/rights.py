"""Lists what the roles of the service may do with each table, and the policies that keep accounts apart.

Migrations make the tables with their rights and policies. A start compares the database with this list, and `migrate`
makes it equal again (`app/db/rights_check.py`). A new table needs its line here and in its migration.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.db import tables

RUN, SYSTEM = "levitate_run", "levitate_system"  # for one account at a time, and for all of them

_READ = ("select",)
_READ_AND_DELETE = ("select", "delete")
_READ_AND_ADD = ("select", "insert")
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
    "audit": _READ_AND_ADD,  # who serves accounts cannot change what was logged, or make it go [T14]
    "service_audit": ("insert",),
    "console_sessions": ("select", "insert", "delete"),
    **dict.fromkeys(_OF_NUMBERS, _READ),
    **dict.fromkeys(_OF_QUEUE, _ALL),
}
_OF_SYSTEM: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("settings", "holds", "hold_items"), _READ),
    "health_changes": _READ_AND_ADD,
    "service_audit": (*_READ_AND_ADD, "delete"),
    **dict.fromkeys(
        ("accounts", "connections", "subscriptions", "revocations", "new_clients"),
        ("select", "update"),
    ),
    **dict.fromkeys(
        ("audit", "idempotency_keys", "scope_changes", "quarantine", "activity_attempts", "pulls"),
        _READ_AND_DELETE,
    ),
    "connect_links": _READ_AND_DELETE,
    **dict.fromkeys(
        ("list_failures", "run_logins", "named_records", "lookups", "listed"), _READ_AND_DELETE
    ),
    **dict.fromkeys(
        ("erasures", "authorizations", "slots", "runs", "activities"),
        ("select", "update", "delete"),
    ),
    **dict.fromkeys(("events", "deliveries", "issues", "activity_turns"), _ALL),
    **dict.fromkeys(
        ("webhook_endpoints", "service_tokens", "console_sessions", "chores", "sweeps"), _ALL
    ),
    **dict.fromkeys(("key_check", "address_key"), ("select", "insert", "update")),
    **dict.fromkeys(_OF_NUMBERS, _READ),
    **dict.fromkeys(_OF_QUEUE, _ALL),
}
# Which rows of a table a transaction of an account sees: those of its account, or those that serve its account. The
# text is the one in which PostgreSQL shows the condition.
_ROWS_OF_RUN: Mapping[str, str] = {
    **dict.fromkeys(_OF_ACCOUNTS, "(account_id = app_account())"),
    "console_sessions": "(only_account_id = app_account())",
    "service_tokens": "((account_ids IS NULL) OR (app_account() = ANY (account_ids)))",
    "webhook_endpoints": (
        "((token_id = 'bootstrap'::text)"
        " OR (EXISTS ( SELECT FROM service_tokens t WHERE (t.token_id = webhook_endpoints.token_id))))"
    ),
}
TABLES = sorted({*_OF_RUN, *_OF_SYSTEM})
PROTECTED_TABLES = sorted(_ROWS_OF_RUN)
ACCOUNT_FUNCTION = """
 declare account text := nullif(current_setting('app.account', true), '');
 begin
 if account is null then
 raise exception 'this transaction does not say whose it is' using errcode = 'LC001';
 end if;
 return account;
 end
"""


@dataclass(frozen=True, order=True)
class Right:
    """A role, or `public`, may do something with a table, or with one of its columns."""

    role: str
    table: str
    privilege: str
    column: str = ""


@dataclass(frozen=True, order=True)
class Policy:
    """A role sees and changes the rows of a table for which a condition is true."""

    table: str
    name: str
    role: str
    condition: str


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
