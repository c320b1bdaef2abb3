"""The tables of a sync that loses nothing: issues, holds, quarantine, what a whole listing listed.

The rest of the tables stand in `tables`.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Double,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.tables import _table, _time, changes, metadata

__all__ = ["budgets", "chores", "hold_items", "holds", "issues", "listed", "metadata", "quarantine"]

issues = _table(  # what somebody should know or do, until it is over (docs/issues.md)
    "issues",
    Column("issue_id", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    _time("opened_at"),
    _time("resolved_at", nullable=True),
    PrimaryKeyConstraint("account_id", "issue_id"),
)
Index(
    "issues_open_idx",
    *(issues.c[name] for name in ("account_id", "code", "subject_kind", "subject_id")),
    unique=True,
    postgresql_where=text("resolved_at is null"),
)

holds = _table(  # withdrawals or announcements that wait for a person [S5, NC-7]
    "holds",
    Column("hold_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    _time("opened_at"),
    _time("decided_at", nullable=True),
    Column("decided_by", Text),
    PrimaryKeyConstraint("account_id", "hold_id"),
)

hold_items = _table(  # whom a hold is about
    "hold_items",
    Column("hold_id", Text, nullable=False),
    Column("clio_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_id", "hold_id", "clio_id"),
)
Index("hold_items_clio_id_idx", hold_items.c.account_id, hold_items.c.clio_id)

quarantine = _table(  # records that could not be read, and why: never what they hold [F16]
    "quarantine",
    Column("resource", Text, nullable=False),
    Column("clio_id", BigInteger, nullable=False),  # 0: its id could not be read either
    Column("connection_id", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    _time("found_at"),
    _time("resolved_at", nullable=True),
    PrimaryKeyConstraint("account_id", "resource", "clio_id", "connection_id", "run_id"),
)

listed = _table(  # the ids on each page of a list that was read whole, until the run has ended
    "listed",
    Column("run_id", Text, nullable=False),
    Column("connection_id", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("page", Integer, nullable=False),
    Column("clio_ids", ARRAY(BigInteger), nullable=False),
    PrimaryKeyConstraint("account_id", "run_id", "connection_id", "resource", "page"),
)

budgets = (
    _table(  # what the processes that use one token may still ask of Clio (docs/decisions/0012)
        "budgets",
        Column("connection_id", Text, nullable=False),
        Column("call_limit", Integer),
        Column("given", Integer, nullable=False),
        Column("ends", Double, nullable=False),  # seconds of the database's clock
        PrimaryKeyConstraint("account_id", "connection_id"),
    )
)

chores = Table(  # that a day's chore was done, by whichever process was first; of no account
    "chores",
    metadata,
    Column("name", Text, nullable=False),
    Column("day", Date, nullable=False),
    PrimaryKeyConstraint("name", "day"),
)

Index("changes_run_id_idx", changes.c.account_id, changes.c.run_id, changes.c.seq)
