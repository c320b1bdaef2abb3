"""Preexisting tags, and the suppression list of erased contacts

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("sealed_erasure_key", sa.Text(), nullable=True))
    _table(
        "preexisting_tags",
        ("contact_id", "folded"),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("contact_id", "folded", "label")),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
    )
    _table(
        "erased_contacts",
        ("clio_hash",),
        sa.Column("clio_hash", sa.LargeBinary(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("erased_contacts")
    op.drop_table("preexisting_tags")
    op.drop_column("accounts", "sealed_erasure_key")


def _table(name: str, key: tuple[str, ...], *columns: sa.Column) -> None:
    op.create_table(
        name,
        sa.Column("account_id", sa.Text(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f(f"{name}_accounts_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", *key, name=op.f(f"{name}_pk")),
    )
