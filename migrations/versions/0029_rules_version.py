"""The version of the rules with which contacts were assessed, and when accounts are upgraded

Revision ID: 0029
Revises: 0028
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("accounts", "mirror_contacts"):
        version = sa.Column(
            "rules_version", sa.Integer, nullable=False, server_default=sa.text("0")
        )
        op.add_column(table, version)
    op.add_column("accounts", sa.Column("upgrade_at", sa.DateTime(timezone=True)))
    op.create_index(
        "accounts_rules_version_idx",
        "accounts",
        ["rules_version"],
        postgresql_where=sa.text("upgrade_at is null and enabled"),
    )
    op.create_index(
        "accounts_upgrade_at_idx",
        "accounts",
        ["upgrade_at"],
        postgresql_where=sa.text("upgrade_at is not null and enabled"),
    )


def downgrade() -> None:
    op.drop_index("accounts_upgrade_at_idx", "accounts")
    op.drop_index("accounts_rules_version_idx", "accounts")
    op.drop_column("accounts", "upgrade_at")
    for table in ("mirror_contacts", "accounts"):
        op.drop_column(table, "rules_version")
