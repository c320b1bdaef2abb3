"""The metadata of all tables, and the helpers that define a table.

Every key begins with the account, so that the tables could be spread by account over a distributed PostgreSQL
(docs/decisions/0005). The exceptions belong to no account: service tokens, their webhook endpoints, the sessions of the
console that they began, the audit log of what is of no single account, the check value of the encryption keys, the key
of our public addresses, the daily tasks that were done, how far retention came, and the tables of pgqueuer, which its
own migration makes.
"""

from sqlalchemy import (
    Column,
    DateTime,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(referred_table_name)s_fk",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)


OWNED = "belongs_to_account"  # in the `info` of a table whose rows are deleted with their account
Item = Column[object] | PrimaryKeyConstraint | UniqueConstraint


def account_table(name: str, *items: Item) -> Table:
    """Define a table whose rows belong to an account and are deleted with it; `account_id` is its first column."""
    account = ForeignKeyConstraint(["account_id"], ["accounts.account_id"], ondelete="CASCADE")
    return bulk_account_table(name, *items, account)


def bulk_account_table(name: str, *items: Item | ForeignKeyConstraint) -> Table:
    """Define such a table without a foreign key, because a run writes many rows (docs/decisions/0019).

    Only transactions that hold the row of a run, or of the account, insert rows.
    """
    account = Column("account_id", Text, nullable=False)
    return Table(name, metadata, account, *items, info={OWNED: True})


def time_column(name: str, *, nullable: bool = False) -> Column[object]:
    """Define a column for a moment, with time zone."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def count_column(name: str) -> Column[object]:
    """Define a counter that starts at 0."""
    return Column(name, Integer, nullable=False, server_default=text("0"))
