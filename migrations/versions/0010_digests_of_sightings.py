"""The mirror has no digests of its own; records are compared by the digests of sightings

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = ("mirror_contacts", "mirror_matters", "mirror_relationships")


def upgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "digest")


def downgrade() -> None:
    for table in TABLES:
        op.add_column(
            table, sa.Column("digest", sa.LargeBinary(), nullable=False, server_default="")
        )
        op.alter_column(table, "digest", server_default=None)
