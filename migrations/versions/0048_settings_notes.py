"""A version of the settings can have a note that says why it was saved

Revision ID: 0048
Revises: 0047
"""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("settings", sa.Column("note", sa.Text))


def downgrade() -> None:
    op.drop_column("settings", "note")
