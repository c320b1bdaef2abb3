"""Versions of settings, the audit log, the history of one contact, catalog items that are gone

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "settings",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name="settings_accounts_fk",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "version", name="settings_pk"),
    )
    op.create_table(
        "audit",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token_id", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name="audit_accounts_fk", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "entry_id", name="audit_pk"),
    )
    op.add_column(
        "catalog_items",
        sa.Column("gone", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("contacts", sa.Column("digest", sa.LargeBinary(), nullable=True))
    op.create_index("changes_contact_idx", "changes", ["account_id", "contact_id", "seq"])


def downgrade() -> None:
    op.drop_index("changes_contact_idx", table_name="changes")
    op.drop_column("contacts", "digest")
    op.drop_column("catalog_items", "gone")
    op.drop_table("audit")
    op.drop_table("settings")
