"""The tables of events: webhook endpoints, events and their deliveries."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.db.metadata import account_table, count_column, metadata, time_column

# An endpoint belongs to the service token that created it, not to an account: a token of many accounts has one
# receiver for all of them, so its key cannot begin with an account.
webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("endpoint_id", Text, primary_key=True),
    Column("token_id", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("kinds", ARRAY(Text), nullable=False),  # `*` means every kind
    Column("description", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("problem_code", Text),
    Column("problem_detail", Text),
    Column("sealed_secret", Text, nullable=False),
    Column("sealed_old_secret", Text),  # after a rotation, until `old_secret_until`
    time_column("old_secret_until", nullable=True),
    count_column("failures"),  # in a row
    time_column("failing_since", nullable=True),
    time_column("rests_until", nullable=True),
    time_column(
        "claimed_until", nullable=True
    ),  # by the database's clock: one process posts at a time
    time_column("hurried_at", nullable=True),  # what was last tried before is due
    time_column("restarted_at", nullable=True),  # attempts before do not count
    Column("served_account_id", Text, nullable=False, server_default=text("''")),  # the last one
    time_column("created_at"),
    time_column("updated_at"),
    time_column("deleted_at", nullable=True),  # then its deliveries are deleted, and last the row
)

Index("webhook_endpoints_token_idx", webhook_endpoints.c.token_id)

Index(
    "webhook_endpoints_deleted_idx",
    webhook_endpoints.c.endpoint_id,
    postgresql_where=text("deleted_at is not null"),
)

events = account_table(
    "events",
    Column("event_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),  # events of one subject arrive in order
    Column("data", JSONB, nullable=False),
    time_column("at"),
    # Of the transaction that stored it; 0 in rows of an earlier release. With the position it is the order of the list.
    Column(
        "transaction_id",
        BigInteger,
        nullable=False,
        server_default=text("pg_current_xact_id()::text::bigint"),
    ),
    Column("position", BigInteger, Identity(always=True), nullable=False),
    PrimaryKeyConstraint("account_id", "event_id"),
)

Index("events_at_idx", events.c.at)

for name, first in (("order", []), ("account", ["account_id"]), ("kind", ["kind"])):
    Index(
        f"events_by_{name}_idx",
        *(events.c[column] for column in (*first, "transaction_id", "position")),
    )

deliveries = account_table(  # one event for one endpoint
    "deliveries",
    Column("event_id", Text, nullable=False),
    Column("endpoint_id", Text, nullable=False),
    Column("delivery_id", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("position", BigInteger, Identity(always=True), nullable=False),
    Column("status", Text, nullable=False),
    # Of a pending one: null if it is ready, `retry` until it is due, `subject` behind another one of its subject.
    Column("waits_for", Text),
    count_column("attempts"),
    time_column("due_at"),
    time_column("first_attempt_at", nullable=True),
    time_column("last_attempt_at", nullable=True),
    time_column("delivered_at", nullable=True),
    Column("response_status", Integer),
    Column("problem_code", Text),
    time_column("created_at"),
    PrimaryKeyConstraint("account_id", "event_id", "endpoint_id"),
    UniqueConstraint("account_id", "delivery_id"),
)

deliveries.append_constraint(
    ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoints.endpoint_id"], ondelete="CASCADE")
)

deliveries.append_constraint(
    ForeignKeyConstraint(
        ["account_id", "event_id"], ["events.account_id", "events.event_id"], ondelete="CASCADE"
    )
)

Index("deliveries_id_idx", deliveries.c.endpoint_id, deliveries.c.delivery_id)

Index("deliveries_delivery_id_idx", deliveries.c.delivery_id)

Index(
    "deliveries_pending_idx",
    deliveries.c.endpoint_id,
    deliveries.c.account_id,
    deliveries.c.subject,
    deliveries.c.position,
    postgresql_where=text("status = 'pending'"),
)

Index(  # for the release before
    "deliveries_due_idx",
    deliveries.c.endpoint_id,
    deliveries.c.due_at,
    postgresql_where=text("status = 'pending'"),
)

for name, columns, waiting in (
    ("ready", ("endpoint_id", "account_id", "due_at", "position"), "waits_for is null"),
    ("retry", ("endpoint_id", "due_at"), "waits_for = 'retry'"),
    ("tried", ("endpoint_id", "last_attempt_at"), "waits_for = 'retry'"),
    ("behind", ("endpoint_id", "account_id", "subject", "position"), "waits_for = 'subject'"),
):
    Index(
        f"deliveries_{name}_idx",
        *(deliveries.c[column] for column in columns),
        postgresql_where=text(f"status = 'pending' and {waiting}"),
    )
