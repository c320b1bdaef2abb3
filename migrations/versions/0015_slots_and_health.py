"""Slots stay open until they are served; the health of accounts is stored

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_ADDED = (
    ("slots", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True)),
    ("slots", sa.Column("start_at", sa.DateTime(timezone=True), nullable=True)),
    ("slots", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True)),
    ("slots", sa.Column("failures", sa.Integer(), server_default="0", nullable=False)),
    ("runs", sa.Column("progressed_at", sa.DateTime(timezone=True), nullable=True)),
    ("accounts", sa.Column("enabled_at", sa.DateTime(timezone=True), nullable=True)),
    ("accounts", sa.Column("health", sa.Text(), server_default="needs_attention", nullable=False)),
    ("accounts", sa.Column("health_reasons", JSONB, server_default="[]", nullable=False)),
    ("accounts", sa.Column("health_checked_at", sa.DateTime(timezone=True), nullable=True)),
    (
        "accounts",
        sa.Column(
            "health_due_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=True,
        ),
    ),
)
_READ_ALL_LISTS = (
    "status = 'succeeded'"
    " and (kind in ('initial', 'full') or kind = 'incremental' and trigger <> 'webhook')"
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
    op.create_index(
        "runs_read_all_lists_idx",
        "runs",
        ["account_id", "finished_at"],
        postgresql_where=sa.text(_READ_ALL_LISTS),
    )
    op.create_index("accounts_health_due_at_idx", "accounts", ["health_due_at"])
    op.create_table(
        "health_changes",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("change_id", sa.Uuid(), server_default=sa.func.gen_random_uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("health_changes_accounts_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "change_id", name=op.f("health_changes_pk")),
    )


def downgrade() -> None:
    op.drop_table("health_changes")
    op.drop_index("accounts_health_due_at_idx", "accounts")
    op.drop_index("runs_read_all_lists_idx", "runs")
    op.drop_index("slots_open_idx", "slots")
    for table, column in reversed(_ADDED):
        op.drop_column(table, column.name)
