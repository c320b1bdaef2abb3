"""PostgreSQL itself keeps the accounts apart: roles, rights, and a policy for each table with an account

`levitate_run` serves one account in each transaction, `levitate_system` does the work over all accounts. The owner of
the tables passes the policies, so a service with one role, and the previous release, work as before.

The roles belong to the whole server, and `app/db/migrate.py` creates them before. They stay at a downgrade, because
another database may use them.

Revision ID: 0034
Revises: 0033
"""

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

RUN, SYSTEM = "levitate_run", "levitate_system"
ALL = "select, insert, update, delete"

OF_ACCOUNTS = (
    *("accounts", "health_changes", "users", "attorney_mappings", "settings", "audit"),
    *("idempotency_keys", "erasures", "connections", "authorizations", "subscriptions", "budgets"),
    *("revocations", "contacts", "changes", "preexisting_tags", "erased_contacts", "new_clients"),
    *("holds", "scope_changes", "hold_items", "unpublished_contacts", "events", "deliveries"),
    *("mirror_contacts", "mirror_matters", "mirror_relationships", "catalog_items", "sightings"),
    *("lost_sightings", "changed_items", "coverage_changes", "quarantine", "unread_values"),
    *("activities", "activity_attempts", "activity_turns", "slots", "runs", "pulls"),
    *("list_failures", "logins_set_aside", "run_logins", "named_records", "lookups"),
    *("checkpoints", "listed", "issues"),
)
QUEUE = ("pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics")
# What belongs to no account, and what the transactions of accounts do with it: they queue jobs, and they address events
# to webhook endpoints. They see no secret of an endpoint or a token.
RUN_BESIDES = {
    "webhook_endpoints": (
        "select (endpoint_id, token_id, kinds, enabled, deleted_at, hurried_at, restarted_at,"
        " served_account_id),"
        " update (served_account_id)"
    ),
    "service_tokens": "select (token_id, account_ids, revoked_at)",
    "alembic_version": "select",
    "schema_compatibility": "select",
    **dict.fromkeys(QUEUE, ALL),
}
SYSTEM_RIGHTS = {
    **dict.fromkeys(("settings", "holds", "hold_items"), "select"),
    "health_changes": "select, insert",
    **dict.fromkeys(
        ("accounts", "connections", "subscriptions", "revocations", "new_clients"), "select, update"
    ),
    **dict.fromkeys(
        ("audit", "idempotency_keys", "scope_changes", "quarantine", "activity_attempts", "pulls"),
        "select, delete",
    ),
    **dict.fromkeys(
        ("list_failures", "run_logins", "named_records", "lookups", "listed"), "select, delete"
    ),
    **dict.fromkeys(
        ("erasures", "authorizations", "slots", "runs", "activities"), "select, update, delete"
    ),
    **dict.fromkeys(("events", "deliveries", "issues", "activity_turns"), ALL),
    **dict.fromkeys(("webhook_endpoints", "service_tokens", "chores", "sweeps"), ALL),
    **dict.fromkeys(("key_check", "address_key"), "select, insert, update"),
    **dict.fromkeys(("alembic_version", "schema_compatibility"), "select"),
    **dict.fromkeys(QUEUE, ALL),
}


def upgrade() -> None:
    op.execute(
        "create function app_account() returns text language plpgsql stable parallel safe as $$"
        " declare account text := nullif(current_setting('app.account', true), '');"
        " begin"
        " if account is null then"
        " raise exception 'this transaction does not say whose it is' using errcode = 'LC001';"
        " end if;"
        " return account;"
        " end $$"
    )
    for table in OF_ACCOUNTS:
        op.execute(f"alter table {table} enable row level security")
        op.execute(
            f"create policy own_account on {table} to {RUN} using (account_id = app_account())"
        )
        if table in SYSTEM_RIGHTS:
            op.execute(f"create policy all_accounts on {table} to {SYSTEM} using (true)")
    _grant(RUN, {**dict.fromkeys(OF_ACCOUNTS, ALL), **RUN_BESIDES})
    _grant(SYSTEM, SYSTEM_RIGHTS)
    # Under row-level security an operator that is not leakproof, such as `&&`, is no condition of an index.
    op.drop_index("new_clients_matters_idx", "new_clients")


def _grant(role: str, rights: dict[str, str]) -> None:
    for table, right in rights.items():
        op.execute(f"grant {right} on {table} to {role}")
    op.execute(f"grant usage on all sequences in schema public to {role}")


def downgrade() -> None:
    op.create_index(
        "new_clients_matters_idx", "new_clients", ["matter_ids"], postgresql_using="gin"
    )
    for table in OF_ACCOUNTS:
        op.execute(f"drop policy if exists all_accounts on {table}")
        op.execute(f"drop policy own_account on {table}")
        op.execute(f"alter table {table} disable row level security")
    op.execute("drop function app_account()")
    for role, rights in (
        (RUN, {**dict.fromkeys(OF_ACCOUNTS, ALL), **RUN_BESIDES}),
        (SYSTEM, SYSTEM_RIGHTS),
    ):
        for table in rights:
            op.execute(f"revoke all on {table} from {role}")
        op.execute(f"revoke usage on all sequences in schema public from {role}")
