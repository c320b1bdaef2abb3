"""The tables of the outbox: activities, the attempts to write them, and the leases of contacts."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)

from app.db.metadata import account_table, count_column, time_column

activities = account_table(
    "activities",
    Column("activity_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("problem", Text),
    Column("user_id", Text, nullable=False),
    Column("contact_id", Text),
    Column("clio_contact_id", BigInteger),
    Column("place", BigInteger, nullable=False),  # the order of acceptance at one contact
    time_column("occurred_at"),
    Column("time_zone", Text, nullable=False),  # the account's, when the activity was accepted
    Column("local_date", Date, nullable=False),
    Column("direction", Text),
    Column("conversation_id", Text),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("marker", Text),  # 128 random bits that identify one record in Clio
    Column("clio_id", BigInteger),
    Column("connection_id", Text),  # of the last attempt; this login can search for the record
    count_column("attempts"),
    count_column("rounds"),  # searches that decided nothing, since it was queued
    Column(
        "unsure", Boolean, nullable=False, server_default=text("false")
    ),  # Clio may have the record
    time_column("first_attempt_at", nullable=True),  # since it was queued
    time_column("due_at", nullable=True),
    time_column("blocked_at", nullable=True),
    time_column("created_at"),
    time_column("written_at", nullable=True),
    time_column("proven_at", nullable=True),  # verified: exactly one record has the marker
    time_column("checked_at", nullable=True),  # when it could not be verified for the last time
    PrimaryKeyConstraint("account_id", "activity_id"),
    UniqueConstraint("account_id", "clio_contact_id", "place"),
)

Index(
    "activities_waiting_idx",
    activities.c.account_id,
    activities.c.clio_contact_id,
    activities.c.place,
    postgresql_where=text("status in ('queued', 'sending')"),
)

Index(  # for the release before
    "activities_waiting_user_idx",
    activities.c.account_id,
    activities.c.user_id,
    activities.c.activity_id,
    postgresql_where=text("status in ('queued', 'sending')"),
)

Index(  # for the release before
    "activities_waiting_due_idx",
    activities.c.account_id,
    activities.c.due_at,
    postgresql_where=text("status in ('queued', 'sending') and due_at is not null"),
)

Index("activities_contact_idx", activities.c.account_id, activities.c.contact_id)

Index(
    "activities_blocked_idx",
    activities.c.account_id,
    activities.c.user_id,
    postgresql_where=text("status = 'blocked'"),
)

Index(
    "activities_blocked_at_idx",
    activities.c.blocked_at,
    postgresql_where=text("status = 'blocked'"),
)

Index(
    "activities_unproven_idx",
    activities.c.account_id,
    activities.c.written_at,
    postgresql_where=text("status = 'written' and proven_at is null"),
)

Index(
    "activities_conversation_idx",
    activities.c.account_id,
    activities.c.clio_contact_id,
    activities.c.conversation_id,
    activities.c.local_date,
    postgresql_where=text("conversation_id is not null"),
)

activity_attempts = account_table(
    "activity_attempts",
    Column("activity_id", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("connection_id", Text, nullable=False),
    time_column("began_at"),
    time_column("ended_at", nullable=True),
    Column("outcome", Text),
    PrimaryKeyConstraint("account_id", "activity_id", "attempt"),
)

activity_turns = account_table(  # the leases of contacts, and which activity is next there
    "activity_turns",
    Column("clio_contact_id", BigInteger, nullable=False),
    Column("accepted", BigInteger, nullable=False),
    Column("fence", BigInteger, nullable=False, server_default=text("0")),
    time_column("leased_until", nullable=True),
    # Of the first activity that waits, kept by the triggers of activities: who did it, and from when it can be sent.
    Column("first_user_id", Text),
    time_column("ready_at", nullable=True),
    PrimaryKeyConstraint("account_id", "clio_contact_id"),
)

Index(
    "activity_turns_leased_idx",
    activity_turns.c.account_id,
    activity_turns.c.leased_until,
    postgresql_where=text("leased_until is not null"),
)

Index(
    "activity_turns_ready_idx",
    activity_turns.c.account_id,
    activity_turns.c.ready_at,
    postgresql_where=text("ready_at is not null"),
)

Index(
    "activity_turns_ready_user_idx",
    activity_turns.c.account_id,
    activity_turns.c.first_user_id,
    activity_turns.c.ready_at,
    activity_turns.c.clio_contact_id,
    postgresql_where=text("ready_at is not null"),
)

Index("activities_created_at_idx", activities.c.created_at)

Index("activity_attempts_began_at_idx", activity_attempts.c.began_at)

Index(  # texts that retention deletes
    "activities_texts_idx",
    activities.c.written_at,
    postgresql_where=text("status = 'written' and proven_at is null and body <> ''"),
)
