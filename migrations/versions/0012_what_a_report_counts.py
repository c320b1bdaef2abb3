"""Runs: the counts of their reports (unusable persons and values, changed owners)

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("tally", JSONB, nullable=False, server_default=sa.text("'{}'")))


def downgrade() -> None:
    op.drop_column("runs", "tally")
