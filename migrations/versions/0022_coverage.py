"""What the end of a run needs to know to look only at what has changed

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "coverage_changes",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column(
            "change_id", sa.Uuid, nullable=False, server_default=sa.text("gen_random_uuid()")
        ),
        sa.PrimaryKeyConstraint("account_id", "change_id", name="coverage_changes_pk"),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name="coverage_changes_accounts_fk",
            ondelete="CASCADE",
        ),
    )
    # The release before notes nothing: each firm is counted once after the upgrade.
    op.execute("insert into coverage_changes (account_id) select account_id from accounts")
    op.add_column("connections", sa.Column("swept_to", sa.DateTime(timezone=True)))
    op.add_column("connections", flag("decides_hidden", default="false"))
    op.add_column("logins_set_aside", sa.Column("ever_seen", sa.Integer))
    op.add_column("mirror_matters", flag("unsettled", default="true"))
    op.create_index(
        "mirror_matters_unsettled_idx",
        "mirror_matters",
        ["account_id", "clio_id"],
        postgresql_where=sa.text("unsettled"),
    )
    op.create_index(
        "mirror_matters_former_client_idx",
        "mirror_matters",
        ["account_id", "former_client_id"],
        postgresql_where=sa.text("former_client_id is not null"),
    )
    op.create_index(
        "new_clients_held_for_idx",
        "new_clients",
        ["account_id", "held_for", "clio_id"],
        postgresql_where=sa.text("status = 'held'"),
    )
    op.create_index("contacts_state_idx", "contacts", ["account_id", "state"])
    op.create_index(
        "pulls_read_idx",
        "pulls",
        ["account_id", "connection_id", "resource", "asked_at"],
        postgresql_where=sa.text("complete"),
    )


def flag(name: str, *, default: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.text(default))


def downgrade() -> None:
    op.drop_index("pulls_read_idx", "pulls")
    op.drop_index("contacts_state_idx", "contacts")
    op.drop_index("new_clients_held_for_idx", "new_clients")
    op.drop_index("mirror_matters_former_client_idx", "mirror_matters")
    op.drop_index("mirror_matters_unsettled_idx", "mirror_matters")
    op.drop_column("mirror_matters", "unsettled")
    op.drop_column("logins_set_aside", "ever_seen")
    op.drop_column("connections", "decides_hidden")
    op.drop_column("connections", "swept_to")
    op.drop_table("coverage_changes")
