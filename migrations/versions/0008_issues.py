"""Issues, holds, quarantine, digests of sightings, and removed records

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ADDED = (
    ("connections", sa.Column("left_at", sa.DateTime(timezone=True), nullable=True)),
    ("runs", sa.Column("contact_clio_id", sa.BigInteger(), nullable=True)),
    ("mirror_contacts", sa.Column("gone", sa.Text(), nullable=True)),
    ("mirror_contacts", sa.Column("merged_into", sa.BigInteger(), nullable=True)),
    ("mirror_matters", sa.Column("former_client_id", sa.BigInteger(), nullable=True)),
    ("sightings", sa.Column("digest", sa.LargeBinary(), nullable=True)),
    (
        "changes",
        sa.Column(
            "run_id", sa.Text(), sa.Computed("body ->> 'run_id'", persisted=True), nullable=True
        ),
    ),
)


def upgrade() -> None:
    for table, column in _ADDED:
        op.add_column(table, column)
    op.create_index("changes_run_id_idx", "changes", ["account_id", "run_id", "seq"])
    _issues()
    _holds()
    _quarantine()
    _listed()
    _table(
        "budgets",
        ("connection_id",),
        _text("connection_id"),
        sa.Column("call_limit", sa.Integer(), nullable=True),
        sa.Column("given", sa.Integer(), nullable=False),
        sa.Column("ends", sa.Double(), nullable=False),
    )
    op.create_table(
        "chores",
        _text("name"),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("name", "day", name=op.f("chores_pk")),
    )


def downgrade() -> None:
    for table in ("chores", "budgets", "listed", "quarantine", "hold_items", "holds", "issues"):
        op.drop_table(table)
    op.drop_index("changes_run_id_idx", "changes")
    for table, column in reversed(_ADDED):
        op.drop_column(table, column.name)


def _table(name: str, key: tuple[str, ...], *columns: sa.Column) -> None:
    op.create_table(
        name,
        sa.Column("account_id", sa.Text(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f(f"{name}_accounts_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", *key, name=op.f(f"{name}_pk")),
    )


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _issues() -> None:
    names = ("issue_id", "code", "severity", "detail", "subject_kind", "subject_id")
    columns = [_text(name) for name in names]
    _table(
        "issues", ("issue_id",), *columns, _time("opened_at"), _time("resolved_at", nullable=True)
    )
    op.create_index(
        "issues_open_idx",
        "issues",
        ["account_id", "code", "subject_kind", "subject_id"],
        unique=True,
        postgresql_where=sa.text("resolved_at is null"),
    )


def _holds() -> None:
    columns = [_text(name) for name in ("hold_id", "kind", "status", "run_id")]
    _table(
        "holds",
        ("hold_id",),
        *columns,
        _time("opened_at"),
        _time("decided_at", nullable=True),
        _text("decided_by", nullable=True),
    )
    clio_id = sa.Column("clio_id", sa.BigInteger(), nullable=False)
    _table("hold_items", ("hold_id", "clio_id"), _text("hold_id"), clio_id)
    op.create_index("hold_items_clio_id_idx", "hold_items", ["account_id", "clio_id"])


def _quarantine() -> None:
    _table(
        "quarantine",
        ("resource", "clio_id", "connection_id", "run_id"),
        _text("resource"),
        sa.Column("clio_id", sa.BigInteger(), nullable=False),
        _text("connection_id"),
        _text("run_id"),
        _text("reason"),
        _time("found_at"),
        _time("resolved_at", nullable=True),
    )


def _listed() -> None:
    _table(
        "listed",
        ("run_id", "connection_id", "resource", "page"),
        _text("run_id"),
        _text("connection_id"),
        _text("resource"),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("clio_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
    )
