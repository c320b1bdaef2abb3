"""Runs that read the records that webhooks of Clio named, beside a pull

Revision ID: 0026
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_READ_FIRM = (
    "status = 'succeeded' and kind in ('initial', 'full', 'incremental')"
    " and (not named_only or slot is not null)"
)
_BESIDE = "stale and (stale_by_rules or changed_only_by is not null)"
_READ_ALL_LISTS = (
    "status = 'succeeded'"
    " and (kind in ('initial', 'full') or kind = 'incremental' and trigger <> 'webhook')"
)


def upgrade() -> None:
    op.add_column(
        "runs", sa.Column("named_only", sa.Boolean, nullable=False, server_default=sa.text("false"))
    )
    op.drop_index("runs_read_all_lists_idx", "runs")
    op.create_index(
        "runs_read_firm_idx",
        "runs",
        ["account_id", "finished_at"],
        postgresql_where=sa.text(_READ_FIRM),
    )
    op.add_column("mirror_contacts", sa.Column("changed_only_by", sa.Text))
    op.create_index(
        "mirror_contacts_beside_idx",
        "mirror_contacts",
        ["account_id", "clio_id"],
        postgresql_where=sa.text(_BESIDE),
    )
    op.create_table(
        "named_records",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("resource", sa.Text, nullable=False),
        sa.Column("clio_id", sa.BigInteger, nullable=False),
        sa.Column("connection_id", sa.Text, nullable=False),
        sa.Column("shown", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.PrimaryKeyConstraint("account_id", "run_id", "resource", "clio_id", "connection_id"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"], ondelete="CASCADE"),
    )


def downgrade() -> None:
    op.drop_table("named_records")
    op.drop_index("mirror_contacts_beside_idx", "mirror_contacts")
    op.drop_column("mirror_contacts", "changed_only_by")
    op.drop_index("runs_read_firm_idx", "runs")
    op.create_index(
        "runs_read_all_lists_idx",
        "runs",
        ["account_id", "finished_at"],
        postgresql_where=sa.text(_READ_ALL_LISTS),
    )
    op.drop_column("runs", "named_only")
