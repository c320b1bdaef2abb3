"""A connection knows that what the Clio user before saw must be forgotten

The callback deleted it in one statement, which grew with the firm. Now it only notes that, and the following run
deletes it in small steps. A process of the previous release ignores the note: it deletes at once, as before.

Revision ID: 0040
Revises: 0039
"""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("connections", sa.Column("forget_after", sa.BigInteger))


def downgrade() -> None:
    op.drop_column("connections", "forget_after")
