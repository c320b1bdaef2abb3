"""Slots stay open until they are served

Revision ID: 0015
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0012"
branch_labels = None
depends_on = None

_ADDED = (
    ("slots", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True)),
    ("slots", sa.Column("start_at", sa.DateTime(timezone=True), nullable=True)),
    ("slots", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True)),
    ("slots", sa.Column("failures", sa.Integer(), server_default="0", nullable=False)),
)


def upgrade() -> None:
    for table, column in _ADDED:
        op.add_column(table, column)
    op.execute(  # slots whose runs have ended stay closed
        "update slots s set closed_at = now() where not exists (select from runs r"
        " where r.account_id = s.account_id and r.run_id = s.run_id and r.finished_at is null)"
    )
    op.create_index(
        "slots_open_idx", "slots", ["account_id"], postgresql_where=sa.text("closed_at is null")
    )


def downgrade() -> None:
    op.drop_index("slots_open_idx", "slots")
    for table, column in reversed(_ADDED):
        op.drop_column(table, column.name)
