"""Which new clients ever had a matter is found without an index of arrays; long documents are compressed by lz4

Revision ID: 0035
Revises: 0034

Row-level security keeps PostgreSQL from using a GIN index for `&&`, and each new client cost an insert into it. The
triggers keep `new_client_matters` for every writer, also for the release before. Rows are added and never changed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_FUNCTIONS = {
    "list_client_matters": """
    insert into new_client_matters (account_id, matter_id, clio_id)
    select added.account_id, matter_id, added.clio_id from added cross join unnest(added.matter_ids) as matter_id
    on conflict do nothing;
""",
    "list_more_client_matters": """
    insert into new_client_matters (account_id, matter_id, clio_id)
    select new.account_id, matter_id, new.clio_id from unnest(new.matter_ids) as matter_id
    on conflict do nothing;
""",
    "forget_client_matters": """
    delete from new_client_matters where account_id = old.account_id
        and matter_id = any(old.matter_ids) and clio_id = old.clio_id;
""",
}
_TRIGGERS = {
    "list_client_matters": "insert on new_clients referencing new table as added for each statement",
    "list_more_client_matters": "update of matter_ids on new_clients for each row"
    " when (new.matter_ids <> old.matter_ids)",
    "forget_client_matters": "delete on new_clients for each row",
}
_LONG = (("contacts", "view"), ("contacts", "explanation"), ("changes", "body"))


def upgrade() -> None:
    op.create_table(
        "new_client_matters",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("matter_id", sa.BigInteger, nullable=False),
        sa.Column("clio_id", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "matter_id", "clio_id", name="new_client_matters_pk"),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name="new_client_matters_accounts_fk",
            ondelete="CASCADE",
        ),
    )
    op.execute(
        "insert into new_client_matters (account_id, matter_id, clio_id)"
        " select account_id, matter_id, clio_id from new_clients cross join unnest(matter_ids) as matter_id"
    )
    for name, body in _FUNCTIONS.items():
        op.execute(
            f"create function {name}() returns trigger language plpgsql as $$ begin {body} return null; end $$"
        )
    for name, event in _TRIGGERS.items():
        op.execute(f"create trigger {name} after {event} execute function {name}()")
    op.execute("alter table new_client_matters enable row level security")
    op.execute(
        "create policy own_account on new_client_matters to levitate_run using (account_id = app_account())"
    )
    op.execute("grant select, insert, update, delete on new_client_matters to levitate_run")
    _compress("lz4")


def _compress(method: str) -> None:
    known = "select 1 from pg_settings where name = 'default_toast_compression' and 'lz4' = any(enumvals)"
    if op.get_bind().execute(sa.text(known)).one_or_none() is None:
        return
    for table, column in _LONG:
        op.execute(f"alter table {table} alter column {column} set compression {method}")


def downgrade() -> None:
    _compress("default")
    for name in _TRIGGERS:
        op.execute(f"drop trigger {name} on new_clients")
        op.execute(f"drop function {name}()")
    op.drop_table("new_client_matters")
