"""An attempt to connect knows the browser that used it, so that no other one can answer for its login

A process of the previous release stores no browser. What is begun there must end there, or begin again.

Revision ID: 0041
Revises: 0040
"""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("authorizations", sa.Column("browser_hash", sa.Text))


def downgrade() -> None:
    op.drop_column("authorizations", "browser_hash")
