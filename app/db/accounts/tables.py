"""The tables of accounts, their users and settings, service tokens, idempotency keys, the audit logs and erasures."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.db.metadata import account_table, count_column, metadata, time_column

accounts = Table(
    "accounts",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("primary_user_id", Text),
    Column("enabled", Boolean, nullable=False),
    Column("publish", Text, nullable=False, server_default="automatic"),
    Column("clio_region", Text),  # this and the next two: the firm that was bound first [AU-4]
    Column("clio_account_id", BigInteger),
    Column("clio_account_name", Text),
    Column("feed_seq", BigInteger, nullable=False, server_default=text("0")),
    Column(
        "sealed_erasure_key", Text
    ),  # hashes the Clio ids of erased persons; made with the first erasure
    time_column("created_at"),
    time_column("updated_at"),
    time_column("enabled_at", nullable=True),  # when it was switched on; null in older rows
    Column("health", Text, nullable=False, server_default="needs_attention"),
    Column("health_reasons", JSONB, nullable=False, server_default=text("'[]'")),
    time_column("health_checked_at", nullable=True),
    time_column("last_success_at", nullable=True),  # of a run that read all lists; as of then
    # The rules that its contacts were assessed with, and when they are to be assessed with the current ones [row 56].
    count_column("rules_version"),
    time_column("upgrade_at", nullable=True),
    # For which version of words and which country the words of its contacts were made; null: some have none.
    Column("words_made_for", Text),
    # When the regular tasks must look at the account again (app/db/accounts/looks.py).
    *(
        Column(name, DateTime(timezone=True), server_default=func.now())
        for name in ("health_due_at", "slot_due_at", "outbox_due_at")
    ),
)

# What sorts the lists of accounts, beside their ids, and what upgrades look for. An index and a query must have the
# same text.
HEALTH_RANK = "array_position(array['needs_attention', 'degraded', 'ok', 'disabled'], health)"
NAME_KEY = "lower(name)"
WORDS_VERSION = "coalesce(split_part(words_made_for, '/', 1)::integer, 0)"
LAST_SUCCESS = "coalesce(last_success_at, '1970-01-01 00:00:00+00'::timestamp with time zone)"
for index, key in (
    ("accounts_by_health_idx", HEALTH_RANK),
    ("accounts_by_name_idx", NAME_KEY),
    ("accounts_by_success_idx", LAST_SUCCESS),
):
    Index(index, text(f"({key})"), accounts.c.account_id)

Index("accounts_health_due_at_idx", accounts.c.health_due_at)
Index("accounts_slot_due_at_idx", accounts.c.slot_due_at)
Index("accounts_outbox_due_at_idx", accounts.c.outbox_due_at)
Index("accounts_health_idx", accounts.c.health)
Index(  # those without a time for their upgrade
    "accounts_rules_version_idx",
    accounts.c.rules_version,
    postgresql_where=text("upgrade_at is null and enabled"),
)
Index(  # the same by the version of their words
    "accounts_words_version_idx",
    text(f"({WORDS_VERSION})"),
    accounts.c.account_id,
    postgresql_where=text("upgrade_at is null and enabled"),
)
Index(
    "accounts_upgrade_at_idx",
    accounts.c.upgrade_at,
    postgresql_where=text("upgrade_at is not null and enabled"),
)

health_changes = account_table(  # facts that changed since the health was computed
    "health_changes",
    Column("change_id", Uuid, nullable=False, server_default=func.gen_random_uuid()),
    PrimaryKeyConstraint("account_id", "change_id"),
)

users = account_table(
    "users",
    Column("user_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    PrimaryKeyConstraint("account_id", "user_id"),
)

attorney_mappings = (
    account_table(  # manual mappings; those by connection or e-mail need no row [OW-9]
        "attorney_mappings",
        Column("clio_user_id", BigInteger, nullable=False),
        Column("user_id", Text),  # null is a manual "nobody"
        PrimaryKeyConstraint("account_id", "clio_user_id"),
    )
)

settings = account_table(  # every version for ever; without a row, version 1 is the defaults [OV-5]
    "settings",
    Column("version", Integer, nullable=False),
    Column("document", JSONB, nullable=False),
    time_column("updated_at"),
    Column("updated_by", Text),
    Column("note", Text),  # why it was saved; null without one, and in rows of the previous release
    PrimaryKeyConstraint("account_id", "version"),
)


def _audit_columns() -> list[Column[Any]]:
    """Return what an entry of an audit log says: who did what, when, and from where."""
    return [
        Column("entry_id", Text, nullable=False),
        time_column("at"),
        *(Column(name, Text) for name in ("token_id", "user_id", "role")),
        Column("action", Text, nullable=False),
        Column("subject", Text),
        Column("details", JSONB, nullable=False),
        *(Column(name, Text) for name in ("request_id", "source_address")),
    ]


audit = Table(  # append only, ids and pointers [EN-2]; not deleted with the account's row, but before it
    "audit",
    metadata,
    Column("account_id", Text, nullable=False),
    *_audit_columns(),
    PrimaryKeyConstraint("account_id", "entry_id"),
    ForeignKeyConstraint(["account_id"], ["accounts.account_id"]),
)

service_audit = (
    Table(  # what is of no single account, and the erasure of accounts: it outlives them
        "service_audit", metadata, *_audit_columns(), PrimaryKeyConstraint("entry_id")
    )
)

service_tokens = Table(
    "service_tokens",
    metadata,
    Column("token_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("account_ids", ARRAY(Text)),  # null: all accounts
    time_column("created_at"),
    time_column("revoked_at", nullable=True),
    Column("scope", Text, nullable=False, server_default="admin"),
    time_column("expires_at", nullable=True),
    time_column("last_used_at", nullable=True),  # to the minute
)

console_sessions = Table(  # links to the console, and the sessions that they began
    "console_sessions",
    metadata,
    Column("link_hash", Text, primary_key=True),
    Column("token_id", Text, nullable=False),
    Column("only_account_id", Text),  # null: all accounts of the token
    Column("user_id", Text, nullable=False),
    Column("user_name", Text),
    Column("role", Text, nullable=False),
    time_column("link_expires_at"),
    Column("cookie_hash", Text),  # null until the link is opened
    time_column("opened_at", nullable=True),
    time_column("expires_at"),
    time_column("ended_at", nullable=True),
)

Index("console_sessions_only_account_id_idx", console_sessions.c.only_account_id)

Index("console_sessions_cookie_hash_idx", console_sessions.c.cookie_hash)

Index("console_sessions_expires_at_idx", console_sessions.c.expires_at)

idempotency_keys = account_table(
    "idempotency_keys",
    Column("operation", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("answer", JSONB, nullable=False),  # the id of what the request created
    Column("about", ARRAY(Text)),  # ids of people, and of their rows, that request or answer name
    # The answer that was sent; null where the previous release answered.
    Column("sent_status", Integer),
    Column("sent_body", Text),
    Column("sent_location", Text),
    time_column("created_at"),
    PrimaryKeyConstraint("account_id", "operation", "key"),
)

erasures = Table(  # receipts: they outlive their account, so nothing refers to it
    "erasures",
    metadata,
    Column("account_id", Text, nullable=False),
    Column("erasure_id", Text, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("requested_by", Text),
    time_column("requested_at"),
    time_column("finished_at", nullable=True),
    # What a person must do, because this service could not: codes and sentences.
    Column("remaining", JSONB, nullable=False, server_default=text("'[]'")),
    PrimaryKeyConstraint("account_id", "erasure_id"),
)

Index("erasures_erasure_id_idx", erasures.c.erasure_id)

Index(  # at most one account erasure of an account is running
    "erasures_running_idx",
    erasures.c.account_id,
    unique=True,
    postgresql_where=text("finished_at is null"),
)

Index("audit_at_idx", audit.c.at)

Index("service_audit_at_idx", service_audit.c.at)

Index("idempotency_keys_created_at_idx", idempotency_keys.c.created_at)

Index(
    "erasures_finished_at_idx",
    erasures.c.finished_at,
    postgresql_where=erasures.c.finished_at.is_not(None),
)
