"""New clients are listed by time

Their ids say nothing of time, so that the newest of a large firm need an index of their own.

Revision ID: 0045
Revises: 0044
"""

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "new_clients_created_at_idx", "new_clients", ["account_id", "created_at", "new_client_id"]
    )


def downgrade() -> None:
    op.drop_index("new_clients_created_at_idx", "new_clients")
