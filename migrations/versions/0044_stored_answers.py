"""A repeated request gets the answer that was sent, and not the present state

A process of the previous release stores no answer. Then the answer is made from the present state, as before.

Revision ID: 0044
Revises: 0043
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

COLUMNS = (
    ("about", ARRAY(sa.Text)),
    ("sent_status", sa.Integer),
    ("sent_body", sa.Text),
    ("sent_location", sa.Text),
)


def upgrade() -> None:
    for name, kind in COLUMNS:
        op.add_column("idempotency_keys", sa.Column(name, kind))


def downgrade() -> None:
    for name, _ in COLUMNS:
        op.drop_column("idempotency_keys", name)
