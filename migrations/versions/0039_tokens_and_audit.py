"""Service tokens have a scope, an end and a last use; nobody who serves accounts can change the audit log

An entry of the audit log says from which request and address it came. What belongs to no account, such as tokens, keys
and the erasure of an account, has a log of its own, which outlives every account.

The entries of an account no longer go with its row, because `levitate_run` may delete that: `levitate_system` deletes
them before. The previous release deletes them as `levitate_run`; it cannot finish the erasure of an account any more,
and a process of this release does.

Revision ID: 0039
Revises: 0038
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

RUN, SYSTEM = "levitate_run", "levitate_system"
ORIGIN = ("request_id", "source_address")


def upgrade() -> None:
    op.add_column(
        "service_tokens", sa.Column("scope", sa.Text, nullable=False, server_default="admin")
    )
    for name in ("expires_at", "last_used_at"):
        op.add_column("service_tokens", sa.Column(name, sa.DateTime(timezone=True)))
    for name in ORIGIN:
        op.add_column("audit", sa.Column(name, sa.Text))
    op.create_table(
        "service_audit",
        sa.Column("entry_id", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Text) for name in ("token_id", "user_id", "role")),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("details", JSONB, nullable=False),
        *(sa.Column(name, sa.Text) for name in ORIGIN),
        sa.PrimaryKeyConstraint("entry_id", name="service_audit_pk"),
    )
    op.create_index("service_audit_at_idx", "service_audit", ["at"])
    op.drop_constraint("audit_accounts_fk", "audit", type_="foreignkey")
    op.create_foreign_key("audit_accounts_fk", "audit", "accounts", ["account_id"], ["account_id"])
    op.execute(f"revoke update, delete on audit from {RUN}")
    op.execute(f"grant insert on service_audit to {RUN}")
    op.execute(f"grant select, insert, delete on service_audit to {SYSTEM}")


def downgrade() -> None:
    op.execute(f"grant update, delete on audit to {RUN}")
    op.drop_constraint("audit_accounts_fk", "audit", type_="foreignkey")
    op.create_foreign_key(
        "audit_accounts_fk", "audit", "accounts", ["account_id"], ["account_id"], ondelete="CASCADE"
    )
    op.drop_table("service_audit")
    for name in ORIGIN:
        op.drop_column("audit", name)
    for name in ("last_used_at", "expires_at", "scope"):
        op.drop_column("service_tokens", name)
