"""All tables of the service

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("primary_user_id", sa.Text(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("clio_region", sa.Text(), nullable=True),
        sa.Column("clio_account_id", sa.BigInteger(), nullable=True),
        sa.Column("clio_account_name", sa.Text(), nullable=True),
        sa.Column("feed_seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("accounts_pk")),
    )
    op.create_table(
        "service_tokens",
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("account_ids", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("token_id", name=op.f("service_tokens_pk")),
    )
    op.create_table(
        "attorney_mappings",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("clio_user_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("attorney_mappings_accounts_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "clio_user_id", name=op.f("attorney_mappings_pk")),
    )
    op.create_table(
        "authorizations",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("state_hash", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("return_url", sa.Text(), nullable=False),
        sa.Column("sealed_verifier", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("authorizations_accounts_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "state_hash", name=op.f("authorizations_pk")),
    )
    op.create_index("authorizations_state_hash_idx", "authorizations", ["state_hash"], unique=False)
    op.create_table(
        "catalog_items",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("clio_id", sa.BigInteger(), nullable=False),
        sa.Column("record", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("catalog_items_accounts_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "resource", "clio_id", name=op.f("catalog_items_pk")),
    )
    op.create_table(
        "changes",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("changes_accounts_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "seq", name=op.f("changes_pk")),
    )
    op.create_table(
        "checkpoints",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("checkpoints_accounts_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "connection_id", "resource", name=op.f("checkpoints_pk")
        ),
    )
    op.create_table(
        "connections",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("clio_user_id", sa.BigInteger(), nullable=True),
        sa.Column("clio_user_name", sa.Text(), nullable=True),
        sa.Column("clio_user_email", sa.Text(), nullable=True),
        sa.Column("full_view", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("sealed_tokens", sa.Text(), nullable=True),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_sync_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem_code", sa.Text(), nullable=True),
        sa.Column("problem_detail", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("connections_accounts_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "connection_id", name=op.f("connections_pk")),
        sa.UniqueConstraint(
            "account_id", "user_id", name=op.f("connections_account_id_user_id_key")
        ),
    )
    op.create_table(
        "contacts",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("clio_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("owner_user_id", sa.Text(), nullable=True),
        sa.Column("labels", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("view", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("explanation", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("first_synced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("contacts_accounts_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "contact_id", name=op.f("contacts_pk")),
        sa.UniqueConstraint("account_id", "clio_id", name=op.f("contacts_account_id_clio_id_key")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("idempotency_keys_accounts_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "operation", "key", name=op.f("idempotency_keys_pk")),
    )
    op.create_table(
        "mirror_contacts",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("clio_id", sa.BigInteger(), nullable=False),
        sa.Column("company_id", sa.BigInteger(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("record", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("mirror_contacts_accounts_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "clio_id", name=op.f("mirror_contacts_pk")),
    )
    op.create_index(
        "mirror_contacts_company_idx",
        "mirror_contacts",
        ["account_id", "company_id"],
        unique=False,
        postgresql_where=sa.text("company_id is not null"),
    )
    op.create_index(
        "mirror_contacts_stale_idx",
        "mirror_contacts",
        ["account_id", "clio_id"],
        unique=False,
        postgresql_where=sa.text("stale"),
    )
    op.create_table(
        "mirror_matters",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("clio_id", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("record", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("mirror_matters_accounts_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "clio_id", name=op.f("mirror_matters_pk")),
    )
    op.create_index(
        "mirror_matters_client_idx", "mirror_matters", ["account_id", "client_id"], unique=False
    )
    op.create_table(
        "mirror_relationships",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("clio_id", sa.BigInteger(), nullable=False),
        sa.Column("matter_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("record", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("mirror_relationships_accounts_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "clio_id", name=op.f("mirror_relationships_pk")),
    )
    op.create_index(
        "mirror_relationships_contact_idx",
        "mirror_relationships",
        ["account_id", "contact_id"],
        unique=False,
    )
    op.create_index(
        "mirror_relationships_matter_idx",
        "mirror_relationships",
        ["account_id", "matter_id"],
        unique=False,
    )
    op.create_table(
        "new_clients",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("clio_id", sa.BigInteger(), nullable=False),
        sa.Column("new_client_id", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("client_since", sa.Date(), nullable=True),
        sa.Column("has_open_matter", sa.Boolean(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("new_clients_accounts_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "clio_id", name=op.f("new_clients_pk")),
        sa.UniqueConstraint(
            "account_id", "new_client_id", name=op.f("new_clients_account_id_new_client_id_key")
        ),
    )
    op.create_table(
        "pulls",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pages", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("records", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("unreadable", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("complete", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("pulls_accounts_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "run_id", "connection_id", "resource", name=op.f("pulls_pk")
        ),
    )
    op.create_table(
        "runs",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=True),
        sa.Column("connection_id", sa.Text(), nullable=True),
        sa.Column("settings_version", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "starts_without_progress", sa.Integer(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("phase", sa.Text(), nullable=True),
        sa.Column("to_assess", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("assessed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("expected_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("entered", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("left_scope", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("new_clients", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("requests", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rate_limited", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("waited_seconds", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "problems",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("runs_accounts_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "run_id", name=op.f("runs_pk")),
    )
    op.create_index(
        "runs_unfinished_idx",
        "runs",
        ["account_id", "run_id"],
        unique=False,
        postgresql_where=sa.text("status in ('queued', 'running', 'interrupted')"),
    )
    op.create_table(
        "sightings",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("clio_id", sa.BigInteger(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("sightings_accounts_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "resource", "clio_id", "connection_id", name=op.f("sightings_pk")
        ),
    )
    op.create_table(
        "slots",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("slots_accounts_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "local_date", "slot", name=op.f("slots_pk")),
    )
    op.create_table(
        "users",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("users_accounts_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "user_id", name=op.f("users_pk")),
    )


def downgrade() -> None:
    op.drop_table("users")
    op.drop_table("slots")
    op.drop_table("sightings")
    op.drop_index(
        "runs_unfinished_idx",
        table_name="runs",
        postgresql_where=sa.text("status in ('queued', 'running', 'interrupted')"),
    )
    op.drop_table("runs")
    op.drop_table("pulls")
    op.drop_table("new_clients")
    op.drop_index("mirror_relationships_matter_idx", table_name="mirror_relationships")
    op.drop_index("mirror_relationships_contact_idx", table_name="mirror_relationships")
    op.drop_table("mirror_relationships")
    op.drop_index("mirror_matters_client_idx", table_name="mirror_matters")
    op.drop_table("mirror_matters")
    op.drop_index(
        "mirror_contacts_stale_idx", table_name="mirror_contacts", postgresql_where=sa.text("stale")
    )
    op.drop_index(
        "mirror_contacts_company_idx",
        table_name="mirror_contacts",
        postgresql_where=sa.text("company_id is not null"),
    )
    op.drop_table("mirror_contacts")
    op.drop_table("idempotency_keys")
    op.drop_table("contacts")
    op.drop_table("connections")
    op.drop_table("checkpoints")
    op.drop_table("changes")
    op.drop_table("catalog_items")
    op.drop_index("authorizations_state_hash_idx", table_name="authorizations")
    op.drop_table("authorizations")
    op.drop_table("attorney_mappings")
    op.drop_table("service_tokens")
    op.drop_table("accounts")
