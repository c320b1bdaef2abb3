"""Jobs of slices: where a run continues and when, how waiting activities are found, and an autovacuum that keeps up

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_WAITING = "status in ('queued', 'sending')"
_INDEXES = (
    (
        "activities_waiting_user_idx",
        "activities",
        ["account_id", "user_id", "activity_id"],
        _WAITING,
    ),
    (
        "activities_waiting_due_idx",
        "activities",
        ["account_id", "due_at"],
        f"{_WAITING} and due_at is not null",
    ),
    (
        "activity_turns_leased_idx",
        "activity_turns",
        ["account_id", "leased_until"],
        "leased_until is not null",
    ),
)
# What pgqueuer 1.6 sets with `optimize_autovacuum`: jobs come and go, and dequeueing must not read dead rows.
_AUTOVACUUM = {
    "autovacuum_vacuum_scale_factor": "0.01",
    "autovacuum_vacuum_threshold": "1000",
    "autovacuum_analyze_scale_factor": "0.02",
    "autovacuum_analyze_threshold": "500",
    "autovacuum_vacuum_cost_limit": "10000",
    "autovacuum_vacuum_cost_delay": "0",
    "fillfactor": "70",
}


def upgrade() -> None:
    op.add_column("runs", sa.Column("resume_at", sa.DateTime(timezone=True)))
    op.add_column(
        "runs", sa.Column("positions", JSONB, nullable=False, server_default=sa.text("'{}'"))
    )
    for name, table, columns, where in _INDEXES:
        op.create_index(name, table, columns, postgresql_where=sa.text(where))
    chosen = ", ".join(f"{name} = {value}" for name, value in _AUTOVACUUM.items())
    op.execute(f"alter table pgqueuer set ({chosen})")


def downgrade() -> None:
    op.execute(f"alter table pgqueuer reset ({', '.join(_AUTOVACUUM)})")
    for name, table, _, _ in _INDEXES:
        op.drop_index(name, table)
    op.drop_column("runs", "positions")
    op.drop_column("runs", "resume_at")
