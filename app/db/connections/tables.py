"""The tables of Clio logins: connections, attempts, links, revocations, Clio's webhooks, rate limits, two keys."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.metadata import account_table, count_column, metadata, time_column

connections = account_table(
    "connections",
    Column("connection_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("clio_user_id", BigInteger),
    Column("clio_user_name", Text),
    Column("clio_user_email", Text),
    Column("full_view", Boolean, nullable=False, server_default=text("false")),  # row 32
    Column("sealed_tokens", Text),
    time_column("refreshing_until", nullable=True),  # the lease of the process that refreshes them
    time_column("connected_at", nullable=True),
    time_column("last_sync_at", nullable=True),
    time_column(
        "left_at", nullable=True
    ),  # since when it does not work: records that only it saw are frozen
    time_column(
        "swept_to", nullable=True
    ),  # what only logins saw that left before this was removed
    Column(  # it counted when all matters were last looked at (row 22)
        "decides_hidden", Boolean, nullable=False, server_default=text("false")
    ),
    # Another Clio user has it now: after which Clio id what the user before saw is still to be forgotten. Until that
    # is done, the connection counts as one that sees nothing.
    Column("forget_after", BigInteger),
    Column("problem_code", Text),
    Column("problem_detail", Text),
    # While the user of a login that stopped working connects again: when this attempt counts as given up.
    time_column("reconnect_until", nullable=True),
    time_column("created_at"),
    PrimaryKeyConstraint("account_id", "connection_id"),
    UniqueConstraint("account_id", "user_id"),
)

Index(
    "connections_reconnect_until_idx",
    connections.c.reconnect_until,
    postgresql_where=connections.c.reconnect_until.is_not(None),
)

authorizations = account_table(  # one attempt to connect: our own OAuth state (docs/decisions/0004)
    "authorizations",
    Column("state_hash", Text, nullable=False),
    Column("connection_id", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("return_url", Text, nullable=False),
    Column("sealed_verifier", Text, nullable=False),
    time_column("expires_at"),
    time_column("used_at", nullable=True),
    Column(
        "browser_hash", Text
    ),  # of the cookie of the browser that used it: only that one may go on
    Column("sealed_login", Text),  # who has approved, while a person must confirm it
    Column("revocation_id", Text),  # the revocation that is owed unless the person confirms
    time_column("answer_until", nullable=True),  # when the missing answer counts as a refusal
    Column("outcome", Text),  # what the browser was told at the end
    time_column("ended_at", nullable=True),
    PrimaryKeyConstraint("account_id", "state_hash"),
)

Index("authorizations_state_hash_idx", authorizations.c.state_hash)

Index(
    "authorizations_answer_until_idx",
    authorizations.c.answer_until,
    postgresql_where=authorizations.c.answer_until.is_not(None),
)

connect_links = account_table(  # addresses that users are sent to connect their login
    "connect_links",
    Column("link_id", Text, nullable=False),
    Column("token_hash", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("return_url", Text, nullable=False),
    time_column("created_at"),
    time_column("expires_at"),
    time_column("ended_at", nullable=True),
    PrimaryKeyConstraint("account_id", "link_id"),
)

Index("connect_links_token_hash_idx", connect_links.c.token_hash)

Index("connect_links_expires_at_idx", connect_links.c.expires_at)

key_check = Table(  # one row: the service starts only if its keys open it
    "key_check",
    metadata,
    Column("check_id", Text, primary_key=True),
    Column("sealed_check", Text, nullable=False),
)

address_key = Table(  # one row: it checks the tokens in our public addresses, and is never replaced
    "address_key",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("sealed_key", Text, nullable=False),
    time_column("created_at"),
)

subscriptions = account_table(  # subscriptions to Clio's webhooks: one per connection and model, each with its own URL
    "subscriptions",
    Column("connection_id", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("token_hash", Text),
    Column("hook_id", BigInteger),
    Column("pending", Boolean, nullable=False, server_default=text("true")),
    Column("sealed_secret", Text),
    Column("seen", ARRAY(LargeBinary), nullable=False, server_default=text("'{}'")),
    time_column("due_at"),  # when it must be created or renewed
    Column("keyed_token_hash", Text),  # equals token_hash if the token has a keyed check
    PrimaryKeyConstraint("account_id", "connection_id", "model"),
)

Index("subscriptions_token_hash_idx", subscriptions.c.token_hash)

Index("subscriptions_due_idx", subscriptions.c.due_at)

budgets = account_table(  # the rate-limit window of a login, shared by all processes (docs/decisions/0007)
    "budgets",
    Column("connection_id", Text, nullable=False),
    Column("call_limit", Integer),
    Column("given", Integer, nullable=False),
    Column("ends", Double, nullable=False),  # seconds of the database's clock
    count_column("tail"),  # given in its last seconds
    PrimaryKeyConstraint("account_id", "connection_id"),
)

revocations = Table(  # tokens that Clio must be told to revoke; they outlive their account, so nothing refers to it
    "revocations",
    metadata,
    Column("account_id", Text, nullable=False),
    Column("revocation_id", Text, nullable=False),
    Column("connection_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("clio_user_id", BigInteger),  # null: Clio was not asked yet who it is
    Column("hook_ids", ARRAY(BigInteger), nullable=False, server_default=text("'{}'")),
    Column("sealed_tokens", Text, nullable=False),  # as in the connection's row
    count_column("attempts"),
    time_column("owed_since"),
    time_column("due_at"),
    PrimaryKeyConstraint("account_id", "revocation_id"),
)

Index("revocations_due_idx", revocations.c.due_at)

Index("authorizations_expires_at_idx", authorizations.c.expires_at)
