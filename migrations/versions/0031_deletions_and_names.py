"""Records that Clio named as deleted, and the names by which the same client is found under another id

Revision ID: 0031
Revises: 0030
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    deleted = sa.Column("deleted", sa.Boolean, nullable=False, server_default=sa.text("false"))
    op.add_column("named_records", deleted)
    op.add_column("new_clients", sa.Column("name_digest", sa.LargeBinary))
    op.create_index("new_clients_name_idx", "new_clients", ["account_id", "name_digest"])


def downgrade() -> None:
    op.drop_index("new_clients_name_idx", "new_clients")
    op.drop_column("new_clients", "name_digest")
    op.drop_column("named_records", "deleted")
