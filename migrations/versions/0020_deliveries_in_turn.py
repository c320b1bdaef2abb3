"""What each delivery waits for, so that the next ones at an endpoint are chosen by index

A delivery is stored with `waits_for` null: ready. Only the process that has claimed the endpoint sets it: to `retry` if
the delivery is not due yet, to `subject` if an earlier one of its subject is pending. So storing an event takes no
lock, and rows of the release before need no care. The triggers do the opposite: when a pending delivery ends or is
deleted, also by the release before, by a cascade or by hand, the next one that waits behind it is ready.

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("deliveries", sa.Column("waits_for", sa.Text(), nullable=True)),
    ("webhook_endpoints", sa.Column("hurried_at", sa.DateTime(timezone=True), nullable=True)),
    ("webhook_endpoints", sa.Column("restarted_at", sa.DateTime(timezone=True), nullable=True)),
    (
        "webhook_endpoints",
        sa.Column("served_account_id", sa.Text(), server_default="", nullable=False),
    ),
)
_INDEXES = {
    "ready": (["endpoint_id", "account_id", "due_at", "position"], "waits_for is null"),
    "retry": (["endpoint_id", "due_at"], "waits_for = 'retry'"),
    "tried": (["endpoint_id", "last_attempt_at"], "waits_for = 'retry'"),
    "behind": (["endpoint_id", "account_id", "subject", "position"], "waits_for = 'subject'"),
}
# `for update` waits for a transaction that deletes the next row, and then takes the one after it.
_FREE_THE_NEXT = """
create function free_next_delivery() returns trigger language plpgsql as $$
begin
    update deliveries set waits_for = null
    where (account_id, delivery_id) = (
        select d.account_id, d.delivery_id from deliveries d
        where d.endpoint_id = old.endpoint_id and d.account_id = old.account_id
            and d.subject = old.subject and d.position > old.position
            and d.status = 'pending' and d.waits_for = 'subject'
        order by d.position limit 1 for update
    );
    return null;
end
$$
"""
_TRIGGERS = {
    "deliveries_ended": "update of status on deliveries for each row"
    " when (old.status = 'pending' and new.status <> 'pending')",
    "deliveries_deleted": "delete on deliveries for each row"
    " when (old.status = 'pending' and old.waits_for is distinct from 'subject')",
}


def upgrade() -> None:
    for table, column in _COLUMNS:
        op.add_column(table, column)
    for name, (columns, waiting) in _INDEXES.items():
        op.create_index(
            f"deliveries_{name}_idx",
            "deliveries",
            columns,
            postgresql_where=sa.text(f"status = 'pending' and {waiting}"),
        )
    op.execute(_FREE_THE_NEXT)
    for name, event in _TRIGGERS.items():
        op.execute(f"create trigger {name} after {event} execute function free_next_delivery()")


def downgrade() -> None:
    for name in _TRIGGERS:
        op.execute(f"drop trigger {name} on deliveries")
    op.execute("drop function free_next_delivery()")
    for name in _INDEXES:
        op.drop_index(f"deliveries_{name}_idx", "deliveries")
    for table, column in reversed(_COLUMNS):
        op.drop_column(table, column.name)
