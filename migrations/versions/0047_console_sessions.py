"""The console has sessions, which begin with a link that is used once

Revision ID: 0047
Revises: 0046
"""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

OWN = "(only_account_id = app_account())"


def upgrade() -> None:
    op.create_table(
        "console_sessions",
        sa.Column("link_hash", sa.Text, nullable=False),
        sa.Column("token_id", sa.Text, nullable=False),
        sa.Column("only_account_id", sa.Text),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("user_name", sa.Text),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("link_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cookie_hash", sa.Text),
        sa.Column("opened_at", sa.DateTime(timezone=True)),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("link_hash", name="console_sessions_pk"),
    )
    for column in ("only_account_id", "cookie_hash", "expires_at"):
        op.create_index(f"console_sessions_{column}_idx", "console_sessions", [column])
    op.execute("alter table console_sessions enable row level security")
    op.execute(f"create policy own_account on console_sessions to levitate_run using {OWN}")
    op.execute("create policy all_accounts on console_sessions to levitate_system using (true)")
    op.execute("grant select, insert, delete on console_sessions to levitate_run")
    op.execute("grant select, insert, update, delete on console_sessions to levitate_system")


def downgrade() -> None:
    op.drop_table("console_sessions")
