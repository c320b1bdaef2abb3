"""The lease of a refresh of tokens, and until when an attempt to connect again may take

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("refreshing_until", "reconnect_until"):
        op.add_column("connections", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "connections_reconnect_until_idx",
        "connections",
        ["reconnect_until"],
        postgresql_where=sa.text("reconnect_until is not null"),
    )


def downgrade() -> None:
    op.drop_index("connections_reconnect_until_idx", "connections")
    op.drop_column("connections", "reconnect_until")
    op.drop_column("connections", "refreshing_until")
