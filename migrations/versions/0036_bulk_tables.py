"""The tables that runs fill have no foreign key to accounts

Revision ID: 0036
Revises: 0035

PostgreSQL checked it for each row. The row of the run proves the same once for each transaction (docs/decisions/0019).
"""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_TABLES = (
    *("mirror_contacts", "mirror_matters", "mirror_relationships", "sightings"),
    *("contacts", "changes", "new_clients", "new_client_matters"),
)


def upgrade() -> None:
    for table in _TABLES:
        op.drop_constraint(f"{table}_accounts_fk", table, type_="foreignkey")


def downgrade() -> None:
    for table in _TABLES:
        op.create_foreign_key(
            f"{table}_accounts_fk",
            table,
            "accounts",
            ["account_id"],
            ["account_id"],
            ondelete="CASCADE",
        )
