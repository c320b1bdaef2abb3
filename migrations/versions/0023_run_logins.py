"""What a run has done as each login, and the missing records that it looks up

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_logins",
        *map(text_column, ("account_id", "run_id", "connection_id")),
        sa.Column("connected_at", sa.DateTime(timezone=True)),
        sa.Column("full_view", sa.Boolean),
        filled("lists", JSONB, "'{}'"),
        filled("retried", JSONB, "'{}'"),
        filled("dropped", ARRAY(sa.Text), "'{}'"),
        filled("problems", JSONB, "'[]'"),
        filled("shown", sa.Boolean, "false"),
        filled("compared", ARRAY(sa.Text), "'{}'"),
        filled("complete", sa.Boolean, "false"),
        filled("waits", JSONB, "'{}'"),
        *account_key("run_logins", "run_id", "connection_id"),
    )
    op.create_table(
        "lookups",
        *map(text_column, ("account_id", "run_id", "resource")),
        sa.Column("clio_id", sa.BigInteger, nullable=False),
        text_column("connection_id"),
        filled("listed", sa.Boolean, "false"),
        sa.Column("answer", sa.Text),
        *account_key("lookups", "run_id", "resource", "clio_id", "connection_id"),
    )


def text_column(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def filled(name: str, kind: object, default: str) -> sa.Column[object]:
    return sa.Column(name, kind, nullable=False, server_default=sa.text(default))


def account_key(
    table: str, *columns: str
) -> tuple[sa.PrimaryKeyConstraint, sa.ForeignKeyConstraint]:
    return (
        sa.PrimaryKeyConstraint("account_id", *columns, name=f"{table}_pk"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=f"{table}_accounts_fk", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    op.drop_table("lookups")
    op.drop_table("run_logins")
