"""Accounts are listed by health, name and last success; open holds are counted by an index; events are a list

The last success is stored with the health, by the clock. Until a process of this release has looked at an account, it
is what this migration finds; a process of the previous release does not store it, which is put right within an hour.

An event is ordered by its transaction and a position. Events that were there before count as of one old transaction.
The defaults are also for events that a process of the previous release stores.

Revision ID: 0043
Revises: 0042
"""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

_READ_FIRM = (
    "status = 'succeeded' and kind in ('initial', 'full', 'incremental')"
    " and (not named_only or slot is not null)"
)
_INDEXES = {
    "accounts_by_health_idx": (
        "array_position(array['needs_attention', 'degraded', 'ok', 'disabled'], health)"
    ),
    "accounts_by_name_idx": "lower(name)",
    "accounts_by_success_idx": (
        "coalesce(last_success_at, '1970-01-01 00:00:00+00'::timestamp with time zone)"
    ),
}
_TRANSACTION = "pg_current_xact_id()::text::bigint"
_ORDERS: dict[str, list[str]] = {"order": [], "account": ["account_id"], "kind": ["kind"]}


def upgrade() -> None:
    op.add_column("accounts", sa.Column("last_success_at", sa.DateTime(timezone=True)))
    op.execute(
        "update accounts a set last_success_at = found.at from accounts b cross join lateral"  # noqa: S608  # our own text
        f" (select max(finished_at) as at from runs where account_id = b.account_id and {_READ_FIRM}) found"
        " where a.account_id = b.account_id and found.at is not null"
    )
    for name, key in _INDEXES.items():
        op.create_index(name, "accounts", [sa.text(f"({key})"), "account_id"])
    op.create_index(
        "holds_open_idx",
        "holds",
        ["account_id", "hold_id"],
        postgresql_where=sa.text("status = 'open'"),
    )
    op.add_column(
        "events",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
    )
    op.add_column(
        "events",
        sa.Column("transaction_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.alter_column("events", "transaction_id", server_default=sa.text(_TRANSACTION))
    for name, first in _ORDERS.items():
        op.create_index(f"events_by_{name}_idx", "events", [*first, "transaction_id", "position"])


def downgrade() -> None:
    for name in _ORDERS:
        op.drop_index(f"events_by_{name}_idx", "events")
    op.drop_column("events", "transaction_id")
    op.drop_column("events", "position")
    op.drop_index("holds_open_idx", "holds")
    for name in reversed(_INDEXES):
        op.drop_index(name, "accounts")
    op.drop_column("accounts", "last_success_at")
