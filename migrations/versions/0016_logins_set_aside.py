"""Logins that are set aside: failures of lists, the limit on changes, what pulls touched; what the guards count

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def account_key(
    table: str, *columns: str
) -> tuple[sa.PrimaryKeyConstraint, sa.ForeignKeyConstraint]:
    return (
        sa.PrimaryKeyConstraint("account_id", *columns, name=f"{table}_pk"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=f"{table}_accounts_fk", ondelete="CASCADE"
        ),
    )


def text_column(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default=sa.text("0"))


def upgrade() -> None:
    op.create_table(
        "list_failures",
        *map(text_column, ("account_id", "run_id", "connection_id", "resource")),
        moment("first_failed_at"),
        count("failures"),
        *account_key("list_failures", "run_id", "connection_id", "resource"),
    )
    op.create_table(
        "logins_set_aside",
        *map(text_column, ("account_id", "connection_id", "run_id", "resource", "detail")),
        moment("since"),
        *account_key("logins_set_aside", "connection_id"),
    )
    op.create_table(
        "lost_sightings",
        text_column("account_id"),
        sa.Column("clio_id", sa.BigInteger, nullable=False),
        text_column("connection_id"),
        *account_key("lost_sightings", "clio_id", "connection_id"),
    )
    op.create_table(
        "scope_changes",
        *map(text_column, ("account_id", "run_id")),
        moment("at"),
        *map(count, ("entered", "left_scope", "removed", "announced")),
        *account_key("scope_changes", "at", "run_id"),
    )
    for name in ("stale_by_rules", "kept"):
        column = sa.Column(name, sa.Boolean, nullable=False, server_default=sa.text("false"))
        op.add_column("mirror_contacts", column)
    op.create_index(
        "mirror_contacts_kept_idx",
        "mirror_contacts",
        ["account_id", "clio_id"],
        postgresql_where=sa.text("kept"),
    )


def downgrade() -> None:
    op.drop_index("mirror_contacts_kept_idx", "mirror_contacts")
    for name in ("kept", "stale_by_rules"):
        op.drop_column("mirror_contacts", name)
    for table in ("scope_changes", "lost_sightings", "logins_set_aside", "list_failures"):
        op.drop_table(table)
