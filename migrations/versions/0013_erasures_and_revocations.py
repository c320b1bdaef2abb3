"""Receipts of erasures, tokens that Clio must be told to revoke, and which releases can run on the schema

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erasures",
        *_texts("account_id", "erasure_id", "subject_kind", "subject_id", "status"),
        sa.Column("requested_by", sa.Text(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remaining", JSONB, nullable=False, server_default=sa.text("'[]'")),
        sa.PrimaryKeyConstraint("account_id", "erasure_id", name=op.f("erasures_pk")),
    )
    op.create_index("erasures_erasure_id_idx", "erasures", ["erasure_id"])
    op.create_index(
        "erasures_running_idx",
        "erasures",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("finished_at is null"),
    )
    op.create_table(
        "revocations",
        *_texts("account_id", "revocation_id", "connection_id", "user_id", "region"),
        sa.Column("clio_user_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "hook_ids", ARRAY(sa.BigInteger()), nullable=False, server_default=sa.text("'{}'")
        ),
        sa.Column("sealed_tokens", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("owed_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "revocation_id", name=op.f("revocations_pk")),
    )
    op.create_index("revocations_due_idx", "revocations", ["due_at"])
    op.create_table(
        "schema_compatibility",
        sa.Column("oldest_revision", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("oldest_revision", name=op.f("schema_compatibility_pk")),
    )
    op.execute("insert into schema_compatibility values ('0012')")


def downgrade() -> None:
    op.drop_table("schema_compatibility")
    op.drop_table("revocations")
    op.drop_table("erasures")


def _texts(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]
