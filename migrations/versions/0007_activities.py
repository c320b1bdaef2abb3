"""Activities, the attempts to write them, and the leases of contacts

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _account(table: str) -> sa.ForeignKeyConstraint:
    name = f"{table}_accounts_fk"
    return sa.ForeignKeyConstraint(
        ["account_id"], ["accounts.account_id"], name=op.f(name), ondelete="CASCADE"
    )


def _time(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "activities",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("activity_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("problem", sa.Text()),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text()),
        sa.Column("clio_contact_id", sa.BigInteger()),
        sa.Column("place", sa.BigInteger(), nullable=False),
        _time("occurred_at", nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("direction", sa.Text()),
        sa.Column("conversation_id", sa.Text()),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("marker", sa.Text()),
        sa.Column("clio_id", sa.BigInteger()),
        sa.Column("connection_id", sa.Text()),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rounds", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("unsure", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _time("first_attempt_at"),
        _time("due_at"),
        _time("blocked_at"),
        _time("created_at", nullable=False),
        _time("written_at"),
        _time("proven_at"),
        sa.PrimaryKeyConstraint("account_id", "activity_id", name=op.f("activities_pk")),
        sa.UniqueConstraint(
            "account_id",
            "clio_contact_id",
            "place",
            name=op.f("activities_account_id_clio_contact_id_place_key"),
        ),
        _account("activities"),
    )
    for name, columns, where in (
        ("waiting", ["clio_contact_id", "place"], "status in ('queued', 'sending')"),
        ("contact", ["contact_id"], None),
        ("blocked", ["user_id"], "status = 'blocked'"),
        ("unproven", ["written_at"], "status = 'written' and proven_at is null"),
        (
            "conversation",
            ["clio_contact_id", "conversation_id", "local_date"],
            "conversation_id is not null",
        ),
    ):
        op.create_index(
            f"activities_{name}_idx",
            "activities",
            ["account_id", *columns],
            postgresql_where=where and sa.text(where),
        )
    op.create_table(
        "activity_attempts",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("activity_id", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        _time("began_at", nullable=False),
        _time("ended_at"),
        sa.Column("outcome", sa.Text()),
        sa.PrimaryKeyConstraint(
            "account_id", "activity_id", "attempt", name=op.f("activity_attempts_pk")
        ),
        _account("activity_attempts"),
    )
    op.create_table(
        "activity_turns",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("clio_contact_id", sa.BigInteger(), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("fence", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        _time("leased_until"),
        sa.PrimaryKeyConstraint("account_id", "clio_contact_id", name=op.f("activity_turns_pk")),
        _account("activity_turns"),
    )


def downgrade() -> None:
    for table in ("activity_turns", "activity_attempts", "activities"):
        op.drop_table(table)
