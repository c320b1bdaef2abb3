"""An attempt to connect can wait for an answer and keeps its outcome, and a user can be sent a link to connect

Revision ID: 0038
Revises: 0037
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("sealed_login", "revocation_id", "outcome"):
        op.add_column("authorizations", sa.Column(name, sa.Text))
    for name in ("answer_until", "ended_at"):
        op.add_column("authorizations", sa.Column(name, sa.DateTime(timezone=True)))
    op.create_index(
        "authorizations_answer_until_idx",
        "authorizations",
        ["answer_until"],
        postgresql_where=sa.text("answer_until is not null"),
    )
    op.create_table(
        "connect_links",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("link_id", sa.Text, nullable=False),
        sa.Column("token_hash", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("return_url", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("account_id", "link_id"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"], ondelete="CASCADE"),
    )
    op.create_index("connect_links_token_hash_idx", "connect_links", ["token_hash"])
    op.create_index("connect_links_expires_at_idx", "connect_links", ["expires_at"])
    op.execute("grant select, insert, update, delete on connect_links to levitate_run")
    op.execute("grant select, delete on connect_links to levitate_system")
    op.execute(
        "create policy own_account on connect_links to levitate_run"
        " using (account_id = app_account())"
    )
    op.execute("create policy all_accounts on connect_links to levitate_system using (true)")
    op.execute("alter table connect_links enable row level security")


def downgrade() -> None:
    op.drop_table("connect_links")
    op.drop_index("authorizations_answer_until_idx", "authorizations")
    for name in ("ended_at", "answer_until", "outcome", "revocation_id", "sealed_login"):
        op.drop_column("authorizations", name)
