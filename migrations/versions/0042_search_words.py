"""Contacts are found by words, in a table with an index that is used under row-level security too

Revision ID: 0042
Revises: 0041

The words of the records that exist are made in small steps, by the run of an upgrade: `accounts.words_made_for` is null
until then. `contacts.search` is written for the release before, and can go in the release after this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "search_words",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("clio_id", sa.BigInteger, nullable=False),
        sa.Column("word", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "word", "clio_id", name="search_words_pk"),
    )
    op.create_index("search_words_clio_id_idx", "search_words", ["account_id", "clio_id"])
    op.execute("alter table search_words enable row level security")
    op.execute(
        "create policy own_account on search_words to levitate_run using (account_id = app_account())"
    )
    op.execute("grant select, insert, update, delete on search_words to levitate_run")
    op.add_column("accounts", sa.Column("words_made_for", sa.Text))
    op.create_index(
        "accounts_words_idx",
        "accounts",
        ["account_id"],
        postgresql_where=sa.text("words_made_for is null and upgrade_at is null and enabled"),
    )
    op.create_index("contacts_owner_idx", "contacts", ["account_id", "owner_user_id", "contact_id"])
    op.create_index(
        "contacts_left_idx",
        "contacts",
        ["account_id", "state", "contact_id"],
        postgresql_where=sa.text("state <> 'in_scope'"),
    )
    op.create_index("contacts_updated_at_idx", "contacts", ["account_id", "updated_at", "clio_id"])
    op.create_index(
        "contacts_first_synced_at_idx",
        "contacts",
        ["account_id", "first_synced_at", "contact_id"],
        postgresql_include=["clio_id"],
    )
    op.create_index(
        "new_clients_duplicates_idx",
        "new_clients",
        ["account_id", "clio_id"],
        postgresql_where=sa.text("possible_duplicate_of is not null"),
    )


def downgrade() -> None:
    op.drop_index("new_clients_duplicates_idx", "new_clients")
    for name in ("first_synced_at", "updated_at", "left", "owner"):
        op.drop_index(f"contacts_{name}_idx", "contacts")
    op.drop_index("accounts_words_idx", "accounts")
    op.drop_column("accounts", "words_made_for")
    op.drop_table("search_words")
