"""Values of Clio that could not be read, and what each login showed of a record

Revision ID: 0030
Revises: 0029
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "unread_values",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("connection_id", sa.Text, nullable=False),
        sa.Column("resource", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("clio_id", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "connection_id", "resource", "field", "clio_id"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"], ondelete="CASCADE"),
    )
    op.create_index(
        "unread_values_record_idx", "unread_values", ["account_id", "resource", "clio_id"]
    )
    op.add_column("sightings", sa.Column("updated_at", sa.DateTime(timezone=True)))
    op.add_column("sightings", sa.Column("shown", sa.Text))


def downgrade() -> None:
    op.drop_column("sightings", "shown")
    op.drop_column("sightings", "updated_at")
    op.drop_table("unread_values")
