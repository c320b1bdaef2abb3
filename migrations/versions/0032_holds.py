"""Holds of which a person decided a part, and decisions that are carried out in steps

Revision ID: 0032
Revises: 0031
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("holds", sa.Column("part_of", sa.Text))
    op.add_column(
        "holds",
        sa.Column("unfinished", sa.Boolean, nullable=False, server_default=sa.text("false")),
    )
    op.create_index(
        "holds_unfinished_idx",
        "holds",
        ["account_id", "hold_id"],
        postgresql_where=sa.text("unfinished"),
    )


def downgrade() -> None:
    op.drop_index("holds_unfinished_idx", "holds")
    op.drop_column("holds", "unfinished")
    op.drop_column("holds", "part_of")
