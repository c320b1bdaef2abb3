"""All columns of new clients, events and their deliveries

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("endpoint_id", sa.Text(), nullable=False),
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("kinds", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("problem_code", sa.Text(), nullable=True),
        sa.Column("problem_detail", sa.Text(), nullable=True),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("sealed_old_secret", sa.Text(), nullable=True),
        sa.Column("old_secret_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rests_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("endpoint_id", name=op.f("webhook_endpoints_pk")),
    )
    op.create_index("webhook_endpoints_token_idx", "webhook_endpoints", ["token_id"], unique=False)
    op.create_table(
        "events",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("events_accounts_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "event_id", name=op.f("events_pk")),
    )
    op.create_index("events_at_idx", "events", ["at"], unique=False)
    op.create_table(
        "subscriptions",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=True),
        sa.Column("hook_id", sa.BigInteger(), nullable=True),
        sa.Column("pending", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=True),
        sa.Column(
            "seen",
            postgresql.ARRAY(sa.LargeBinary()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("subscriptions_accounts_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "connection_id", "model", name=op.f("subscriptions_pk")
        ),
    )
    op.create_index("subscriptions_due_idx", "subscriptions", ["due_at"], unique=False)
    op.create_index("subscriptions_token_hash_idx", "subscriptions", ["token_hash"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("endpoint_id", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("response_status", sa.Integer(), nullable=True),
        sa.Column("problem_code", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "event_id"],
            ["events.account_id", "events.event_id"],
            name=op.f("deliveries_events_fk"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("deliveries_accounts_fk"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoints.endpoint_id"],
            name=op.f("deliveries_webhook_endpoints_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "event_id", "endpoint_id", name=op.f("deliveries_pk")
        ),
        sa.UniqueConstraint(
            "account_id", "delivery_id", name=op.f("deliveries_account_id_delivery_id_key")
        ),
    )
    op.create_index("deliveries_delivery_id_idx", "deliveries", ["delivery_id"], unique=False)
    op.create_index(
        "deliveries_due_idx",
        "deliveries",
        ["endpoint_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index("deliveries_id_idx", "deliveries", ["endpoint_id", "delivery_id"], unique=False)
    op.create_index(
        "deliveries_pending_idx",
        "deliveries",
        ["endpoint_id", "account_id", "subject", "position"],
        unique=False,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.add_column("new_clients", sa.Column("held_for", sa.Text(), nullable=True))
    op.add_column("new_clients", sa.Column("email_digest", sa.LargeBinary(), nullable=True))
    op.add_column("new_clients", sa.Column("possible_duplicate_of", sa.Text(), nullable=True))
    op.add_column(
        "new_clients",
        sa.Column(
            "matter_ids",
            postgresql.ARRAY(sa.BigInteger()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.add_column("new_clients", sa.Column("joined_to", sa.BigInteger(), nullable=True))
    op.add_column("new_clients", sa.Column("merged_into", sa.Text(), nullable=True))
    op.add_column(
        "new_clients",
        sa.Column(
            "event_ids", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
    )
    op.add_column("new_clients", sa.Column("emitted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "new_clients_email_idx", "new_clients", ["account_id", "email_digest"], unique=False
    )
    op.create_index(
        "new_clients_held_idx",
        "new_clients",
        ["account_id", "run_id"],
        unique=False,
        postgresql_where=sa.text("status = 'held'"),
    )
    op.create_index(
        "new_clients_matters_idx",
        "new_clients",
        ["matter_ids"],
        unique=False,
        postgresql_using="gin",
    )
    op.add_column("runs", sa.Column("feed_before", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("runs", "feed_before")
    op.drop_index("new_clients_matters_idx", table_name="new_clients", postgresql_using="gin")
    op.drop_index(
        "new_clients_held_idx",
        table_name="new_clients",
        postgresql_where=sa.text("status = 'held'"),
    )
    op.drop_index("new_clients_email_idx", table_name="new_clients")
    op.drop_column("new_clients", "emitted_at")
    op.drop_column("new_clients", "event_ids")
    op.drop_column("new_clients", "merged_into")
    op.drop_column("new_clients", "joined_to")
    op.drop_column("new_clients", "matter_ids")
    op.drop_column("new_clients", "possible_duplicate_of")
    op.drop_column("new_clients", "email_digest")
    op.drop_column("new_clients", "held_for")
    op.drop_index(
        "deliveries_pending_idx",
        table_name="deliveries",
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.drop_index("deliveries_id_idx", table_name="deliveries")
    op.drop_index(
        "deliveries_due_idx",
        table_name="deliveries",
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.drop_index("deliveries_delivery_id_idx", table_name="deliveries")
    op.drop_table("deliveries")
    op.drop_index("subscriptions_token_hash_idx", table_name="subscriptions")
    op.drop_index("subscriptions_due_idx", table_name="subscriptions")
    op.drop_table("subscriptions")
    op.drop_index("events_at_idx", table_name="events")
    op.drop_table("events")
    op.drop_index("webhook_endpoints_token_idx", table_name="webhook_endpoints")
    op.drop_table("webhook_endpoints")
