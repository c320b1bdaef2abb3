"""Accounts are found whose contacts have words of an earlier release

Contacts have words for their tags now, so the words of all contacts are made again, in the runs of an upgrade.

Revision ID: 0046
Revises: 0045
"""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

UNPLANNED = "upgrade_at is null and enabled"
VERSION = "coalesce(split_part(words_made_for, '/', 1)::integer, 0)"


def upgrade() -> None:
    op.create_index(
        "accounts_words_version_idx",
        "accounts",
        [sa.text(f"({VERSION})"), "account_id"],
        postgresql_where=sa.text(UNPLANNED),
    )
    op.drop_index("accounts_words_idx", "accounts")


def downgrade() -> None:
    op.create_index(
        "accounts_words_idx",
        "accounts",
        ["account_id"],
        postgresql_where=sa.text(f"words_made_for is null and {UNPLANNED}"),
    )
    op.drop_index("accounts_words_version_idx", "accounts")
