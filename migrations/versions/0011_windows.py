"""Pulls: the window of a list that Clio ends near record 10,000

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

MOMENTS = ("created_since", "newest")


def upgrade() -> None:
    for name in MOMENTS:
        op.add_column("pulls", sa.Column(name, sa.DateTime(timezone=True)))
    op.add_column("pulls", sa.Column("passed", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    for name in (*MOMENTS, "passed"):
        op.drop_column("pulls", name)
