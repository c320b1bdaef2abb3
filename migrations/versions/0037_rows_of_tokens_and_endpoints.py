"""A transaction of an account sees only the tokens and webhook endpoints that serve this account

Revision ID: 0037
Revises: 0036
"""

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

ROWS_OF_RUN = {
    "service_tokens": "account_ids is null or app_account() = any (account_ids)",
    "webhook_endpoints": (
        "token_id = 'bootstrap'"
        " or exists (select from service_tokens t where t.token_id = webhook_endpoints.token_id)"
    ),
}


def upgrade() -> None:
    for table, condition in ROWS_OF_RUN.items():
        op.execute(f"create policy own_account on {table} to levitate_run using ({condition})")
        op.execute(f"create policy all_accounts on {table} to levitate_system using (true)")
        op.execute(f"alter table {table} enable row level security")


def downgrade() -> None:
    for table in ROWS_OF_RUN:
        op.execute(f"alter table {table} disable row level security")
        op.execute(f"drop policy all_accounts on {table}")
        op.execute(f"drop policy own_account on {table}")
