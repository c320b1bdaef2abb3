"""The first publication of a firm can wait for a person's review

Revision ID: 0033
Revises: 0032
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "accounts", sa.Column("publish", sa.Text, nullable=False, server_default="automatic")
    )
    op.add_column("holds", sa.Column("first_sync", sa.Text))
    op.add_column("new_clients", sa.Column("first_sync", sa.Text))
    op.create_index(
        "holds_review_idx",
        "holds",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text(
            "kind = 'first_publication' and status in ('gathering', 'open') and part_of is null"
        ),
    )
    op.create_table(
        "unpublished_contacts",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("clio_id", sa.BigInteger, nullable=False),
        sa.Column("state_reason", sa.Text),
        sa.Column("owner_user_id", sa.Text),
        sa.Column("labels", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("is_client", sa.Boolean, nullable=False),
        sa.Column("email_digest", sa.LargeBinary),
        sa.PrimaryKeyConstraint("account_id", "clio_id"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"], ondelete="CASCADE"),
    )


def downgrade() -> None:
    op.drop_table("unpublished_contacts")
    op.drop_index("holds_review_idx", "holds")
    op.drop_column("new_clients", "first_sync")
    op.drop_column("holds", "first_sync")
    op.drop_column("accounts", "publish")
