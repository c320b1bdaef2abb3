"""The tables of runs: slots, runs, pulls, what was done as each login, checkpoints, and the ids that a run needs."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.db.metadata import account_table, count_column, time_column

slots = account_table(  # the row decides which process starts a scheduled run [OV-3]
    "slots",
    Column("local_date", Date, nullable=False),
    Column("slot", Text, nullable=False),
    Column("run_id", Text, nullable=False),  # its newest run; empty while it has none
    time_column("due_at", nullable=True),  # null in rows of the previous release
    time_column("start_at", nullable=True),  # null while its run has not ended
    time_column("closed_at", nullable=True),
    count_column("failures"),
    PrimaryKeyConstraint("account_id", "local_date", "slot"),
)

Index("slots_open_idx", slots.c.account_id, postgresql_where=text("closed_at is null"))
Index("slots_start_at_idx", slots.c.start_at, postgresql_where=text("closed_at is null"))
Index("slots_due_at_idx", slots.c.due_at, postgresql_where=text("closed_at is null"))

runs = account_table(
    "runs",
    Column("run_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("slot", Text),
    Column("connection_id", Text),  # the view that a coverage run completes
    Column("contact_clio_id", BigInteger),  # the contact of a contact run
    # it reads only the records in `named_records`
    Column("named_only", Boolean, nullable=False, server_default=text("false")),
    Column("settings_version", Integer, nullable=False),
    Column("fence", Integer, nullable=False, server_default=text("0")),
    time_column("leased_until", nullable=True),
    time_column("resume_at", nullable=True),  # when it may continue; null: at once
    count_column("starts_without_progress"),
    time_column("queued_at"),
    time_column("started_at", nullable=True),
    time_column("finished_at", nullable=True),
    time_column("progressed_at", nullable=True),  # when its last page or batch was stored
    time_column("followed_until", nullable=True),  # until when its changes send notifications
    Column("phase", Text),
    Column("positions", JSONB, nullable=False, server_default=text("'{}'")),  # of steps in batches
    count_column("to_assess"),
    count_column("assessed"),
    time_column("expected_end", nullable=True),
    count_column("changed"),
    count_column("entered"),
    count_column("left_scope"),
    count_column("new_clients"),
    Column("feed_before", BigInteger),  # the last number of the feed before the run's first line
    count_column("requests"),
    count_column("rate_limited"),
    Column("waited_seconds", Double, nullable=False, server_default=text("0")),
    Column("problems", JSONB, nullable=False, server_default=text("'[]'")),
    Column("tally", JSONB, nullable=False, server_default=text("'{}'")),  # the counts of its report
    PrimaryKeyConstraint("account_id", "run_id"),
)

Index(
    "runs_unfinished_idx",
    runs.c.account_id,
    runs.c.run_id,
    postgresql_where=text("status in ('queued', 'running', 'interrupted')"),
)

# The runs that succeeded and read every list of all logins; `Run.reads_firm` is the same for a run.
READ_FIRM = (
    "status = 'succeeded' and kind in ('initial', 'full', 'incremental')"
    " and (not named_only or slot is not null)"
)
Index(
    "runs_read_firm_idx",
    runs.c.account_id,
    runs.c.finished_at,
    postgresql_where=text(READ_FIRM),
)

pulls = account_table(  # one list, as one connection sees it, in one run
    "pulls",
    Column("run_id", Text, nullable=False),
    Column("connection_id", Text, nullable=False),
    Column("resource", Text, nullable=False),
    time_column("since", nullable=True),
    time_column("created_since", nullable=True),  # the start of the window that is read
    time_column(
        "newest", nullable=True
    ),  # the newest created_at that has landed, while the list is in that order
    Column("cursor", Text),
    time_column("asked_at", nullable=True),  # when the first page was requested, by Clio's clock
    count_column("pages"),
    count_column("records"),
    Column("total", Integer),
    count_column("unreadable"),
    count_column("passed"),  # records of earlier windows, readable or not
    Column("complete", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("account_id", "run_id", "connection_id", "resource"),
)

list_failures = account_table(  # the lists that a connection could not read in a run [row 53]
    "list_failures",
    Column("run_id", Text, nullable=False),
    Column("connection_id", Text, nullable=False),
    Column("resource", Text, nullable=False),
    time_column("first_failed_at"),
    count_column("failures"),
    PrimaryKeyConstraint("account_id", "run_id", "connection_id", "resource"),
)

logins_set_aside = account_table(  # until the login is read completely again [row 53]
    "logins_set_aside",
    Column("connection_id", Text, nullable=False),
    Column("run_id", Text, nullable=False),  # the last run that set it aside
    Column("resource", Text, nullable=False),
    Column("detail", Text, nullable=False),
    time_column("since"),
    Column("ever_seen", Integer),  # contacts that it has ever seen; null: they must be counted
    PrimaryKeyConstraint("account_id", "connection_id"),
)

run_logins = account_table(  # what a run has done as one login; its pages are in `pulls`
    "run_logins",
    Column("run_id", Text, nullable=False),
    Column("connection_id", Text, nullable=False),
    time_column("connected_at", nullable=True),  # the authorisation that was used
    Column("full_view", Boolean),  # null until Clio has said who the user is
    Column("lists", JSONB, nullable=False, server_default=text("'{}'")),
    Column("retried", JSONB, nullable=False, server_default=text("'{}'")),
    Column("dropped", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("problems", JSONB, nullable=False, server_default=text("'[]'")),
    Column("shown", Boolean, nullable=False, server_default=text("false")),
    Column("compared", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("complete", Boolean, nullable=False, server_default=text("false")),
    Column("waits", JSONB, nullable=False, server_default=text("'{}'")),  # of lists that failed
    PrimaryKeyConstraint("account_id", "run_id", "connection_id"),
)

named_records = (
    account_table(  # the records that webhooks of Clio named, for the run that reads them
        "named_records",
        Column("run_id", Text, nullable=False),
        Column("resource", Text, nullable=False),
        Column("clio_id", BigInteger, nullable=False),
        Column("connection_id", Text, nullable=False),  # the login whose subscription named it
        Column("shown", Boolean, nullable=False, server_default=text("false")),  # to any login
        # Clio says so; then a run that reads the lists looks it up, too
        Column("deleted", Boolean, nullable=False, server_default=text("false")),
        PrimaryKeyConstraint("account_id", "run_id", "resource", "clio_id", "connection_id"),
    )
)

lookups = account_table(  # missing records that a run asks for as each login that saw them
    "lookups",
    Column("run_id", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("clio_id", BigInteger, nullable=False),
    Column("connection_id", Text, nullable=False),
    Column("listed", Boolean, nullable=False, server_default=text("false")),  # by another login
    Column("answer", Text),  # null until Clio was asked
    PrimaryKeyConstraint("account_id", "run_id", "resource", "clio_id", "connection_id"),
)

checkpoints = account_table(
    "checkpoints",
    Column("connection_id", Text, nullable=False),
    Column("resource", Text, nullable=False),
    time_column("since"),
    PrimaryKeyConstraint("account_id", "connection_id", "resource"),
)

listed = account_table(  # the ids on each page of a complete list, until the run has ended
    "listed",
    Column("run_id", Text, nullable=False),
    Column("connection_id", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("page", Integer, nullable=False),
    Column("clio_ids", ARRAY(BigInteger), nullable=False),
    PrimaryKeyConstraint("account_id", "run_id", "connection_id", "resource", "page"),
)

Index("slots_local_date_idx", slots.c.local_date)

Index(
    "runs_finished_at_idx",
    runs.c.finished_at,
    postgresql_where=runs.c.finished_at.is_not(None),
)

Index(  # the newest run of each kind, cause and outcome stays
    "runs_newest_idx",
    *(runs.c[name] for name in ("account_id", "kind", "trigger", "status", "run_id")),
)

Index(  # until when each login has read each list
    "pulls_read_idx",
    *(pulls.c[name] for name in ("account_id", "connection_id", "resource", "asked_at")),
    postgresql_where=text("complete"),
)
