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
    time_column("created_at"),
    time_column("updated_at"),
)

Index("webhook_endpoints_token_idx", webhook_endpoints.c.token_id)

events = account_table(
    "events",
    Column("event_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),  # events of one subject arrive in order
    Column("data", JSONB, nullable=False),
    time_column("at"),
    PrimaryKeyConstraint("account_id", "event_id"),
)

Index("events_at_idx", events.c.at)

deliveries = account_table(  # one event for one endpoint
    "deliveries",
    Column("event_id", Text, nullable=False),
    Column("endpoint_id", Text, nullable=False),
    Column("delivery_id", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("position", BigInteger, Identity(always=True), nullable=False),
    Column("status", Text, nullable=False),
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

Index(
    "deliveries_due_idx",
    deliveries.c.endpoint_id,
    deliveries.c.due_at,
    postgresql_where=text("status = 'pending'"),
)
