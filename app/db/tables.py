"""All tables in one place for Alembic, account deletion and key rotation, and the tables that belong to no folder.

Each folder defines its tables in its own `tables.py`; `migrations/` brings a database to this state.
"""

from sqlalchemy import Column, Date, Index, PrimaryKeyConstraint, Table, Text, text

from app.db.accounts import tables as account_tables
from app.db.connections import tables as connection_tables
from app.db.contacts import tables as contact_tables
from app.db.events import tables as event_tables
from app.db.metadata import account_table, metadata, time_column
from app.db.mirror import tables as mirror_tables
from app.db.outbox import tables as outbox_tables
from app.db.runs import tables as run_tables

__all__ = [
    "account_tables",
    "chores",
    "connection_tables",
    "contact_tables",
    "event_tables",
    "issues",
    "metadata",
    "mirror_tables",
    "outbox_tables",
    "run_tables",
    "schema_compatibility",
    "sweeps",
]

issues = account_table(  # problems that somebody should know or act on (docs/issues.md)
    "issues",
    Column("issue_id", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    time_column("opened_at"),
    time_column("resolved_at", nullable=True),
    PrimaryKeyConstraint("account_id", "issue_id"),
)

Index(
    "issues_open_idx",
    *(issues.c[name] for name in ("account_id", "code", "subject_kind", "subject_id")),
    unique=True,
    postgresql_where=text("resolved_at is null"),
)

Index(
    "issues_resolved_at_idx",
    issues.c.resolved_at,
    postgresql_where=issues.c.resolved_at.is_not(None),
)

chores = Table(  # the daily tasks that were done, so that one process does each; of no account
    "chores",
    metadata,
    Column("name", Text, nullable=False),
    Column("day", Date, nullable=False),
    PrimaryKeyConstraint("name", "day"),
)

sweeps = Table(  # how far retention has looked at the old rows of a table that it must not delete all; of no account
    "sweeps",
    metadata,
    Column("name", Text, primary_key=True),
    time_column("position"),
)

schema_compatibility = (
    Table(  # one row: the newest revision of the oldest release that can run on this schema
        "schema_compatibility",
        metadata,
        Column("oldest_revision", Text, primary_key=True),
    )
)
