"""When the regular tasks must look at an account, and indexes by which they find what is due

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_LOOKS = ("slot_due_at", "outbox_due_at")
_WAITING_SURGES = "kind = 'new_clients' and decided_at is not null and carried_out_at is null"
_INDEXES = (
    ("accounts_slot_due_at_idx", "accounts", ["slot_due_at"], None),
    ("accounts_outbox_due_at_idx", "accounts", ["outbox_due_at"], None),
    ("accounts_health_idx", "accounts", ["health"], None),
    ("slots_start_at_idx", "slots", ["start_at"], "closed_at is null"),
    ("slots_due_at_idx", "slots", ["due_at"], "closed_at is null"),
    ("holds_decided_idx", "holds", ["account_id", "hold_id"], _WAITING_SURGES),
    ("activities_blocked_at_idx", "activities", ["blocked_at"], "status = 'blocked'"),
)


def upgrade() -> None:
    op.execute("update schema_compatibility set oldest_revision = '0017'")
    for name in _LOOKS:
        column = sa.Column(
            name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=True
        )
        op.add_column("accounts", column)
    op.add_column("holds", sa.Column("carried_out_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("activities", sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(  # decided surges of which nothing is left
        "update holds h set carried_out_at = decided_at where kind = 'new_clients' and decided_at is not null"
        " and not exists (select from hold_items i where i.account_id = h.account_id and i.hold_id = h.hold_id)"
    )
    for name, table, columns, where in _INDEXES:
        op.create_index(name, table, columns, postgresql_where=sa.text(where) if where else None)


def downgrade() -> None:
    for name, table, _, _ in reversed(_INDEXES):
        op.drop_index(name, table)
    op.drop_column("activities", "checked_at")
    op.drop_column("holds", "carried_out_at")
    for name in reversed(_LOOKS):
        op.drop_column("accounts", name)
