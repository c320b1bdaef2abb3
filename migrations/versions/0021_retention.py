"""Retention: indexes on the time of rows, how far a sweep came, kept deliveries, one quarantine row for each record

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TIMES = (
    ("activities", "created_at"),
    ("activity_attempts", "began_at"),
    ("audit", "at"),
    ("authorizations", "expires_at"),
    ("idempotency_keys", "created_at"),
    ("scope_changes", "at"),
    ("slots", "local_date"),
)
ENDS = (
    ("erasures", "finished_at"),
    ("issues", "resolved_at"),
    ("quarantine", "resolved_at"),
    ("runs", "finished_at"),
)


def upgrade() -> None:
    op.create_table(
        "sweeps",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("position", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="sweeps_pk"),
    )
    op.add_column(
        "new_clients",
        sa.Column(
            "kept_deliveries",
            sa.dialects.postgresql.JSONB,
            nullable=False,
            server_default=sa.text("'[]'"),
        ),
    )
    op.add_column("quarantine", sa.Column("last_run_id", sa.Text))
    op.add_column("quarantine", sa.Column("last_found_at", sa.DateTime(timezone=True)))
    for table, column in TIMES:
        op.create_index(f"{table}_{column}_idx", table, [column])
    for table, column in ENDS:
        ended = sa.text(f"{column} is not null")
        op.create_index(f"{table}_{column}_idx", table, [column], postgresql_where=ended)
    op.create_index(
        "activities_texts_idx",
        "activities",
        ["written_at"],
        postgresql_where=sa.text("status = 'written' and proven_at is null and body <> ''"),
    )
    newest = ["account_id", "kind", "trigger", "status", "run_id"]
    op.create_index("runs_newest_idx", "runs", newest)
    op.create_index(
        "quarantine_open_idx",
        "quarantine",
        ["account_id", "resource", "clio_id"],
        postgresql_where=sa.text("resolved_at is null"),
    )


def downgrade() -> None:
    op.drop_index("quarantine_open_idx", "quarantine")
    op.drop_index("runs_newest_idx", "runs")
    op.drop_index("activities_texts_idx", "activities")
    for table, column in (*ENDS, *TIMES):
        op.drop_index(f"{table}_{column}_idx", table)
    op.drop_column("quarantine", "last_found_at")
    op.drop_column("quarantine", "last_run_id")
    op.drop_column("new_clients", "kept_deliveries")
    op.drop_table("sweeps")
