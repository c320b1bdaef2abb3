"""The key that checks tokens in our public addresses, and which subscriptions have such an address

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "address_key",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("sealed_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name=op.f("address_key_pk")),
    )
    op.add_column("subscriptions", sa.Column("keyed_token_hash", sa.Text()))


def downgrade() -> None:
    op.drop_column("subscriptions", "keyed_token_hash")
    op.drop_table("address_key")
