"""The check value of the encryption keys

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "key_check",
        sa.Column("check_id", sa.Text(), nullable=False),
        sa.Column("sealed_check", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("check_id", name=op.f("key_check_pk")),
    )


def downgrade() -> None:
    op.drop_table("key_check")
