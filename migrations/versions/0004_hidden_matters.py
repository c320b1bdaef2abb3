"""Matters: whether a user with unrestricted visibility does not see them

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    hidden = sa.Column("hidden", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    op.add_column("mirror_matters", hidden)


def downgrade() -> None:
    op.drop_column("mirror_matters", "hidden")
