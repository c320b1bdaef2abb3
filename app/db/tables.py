"""Every table of ours, in one place to read; `migrations/` brings a database here.

Every key begins with the account, so that the tables could be spread by account over a distributed
PostgreSQL (docs/decisions/0005). The exceptions belong to no account: service tokens, their webhook
endpoints, the check value of the encryption keys, and the tables of pgqueuer, which its own migration makes.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Date,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(referred_table_name)s_fk",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)


def _table(name: str, *items: Column[object] | PrimaryKeyConstraint | UniqueConstraint) -> Table:
    """A table that lives and dies with its account."""
    account = ForeignKeyConstraint(["account_id"], ["accounts.account_id"], ondelete="CASCADE")
    return Table(name, metadata, Column("account_id", Text, nullable=False), *items, account)


def _time(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _count(name: str) -> Column[object]:
    return Column(name, Integer, nullable=False, server_default=text("0"))


# --- who: accounts, their users, their logins at Clio ---------------------------------------------

accounts = Table(
    "accounts",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("primary_user_id", Text),
    Column("enabled", Boolean, nullable=False),
    Column("clio_region", Text),  # this and two more: the firm that was bound first [AU-4]
    Column("clio_account_id", BigInteger),
    Column("clio_account_name", Text),
    Column("feed_seq", BigInteger, nullable=False, server_default=text("0")),
    Column(
        "sealed_erasure_key", Text
    ),  # what hashes the Clio ids of those erased; made for the first
    _time("created_at"),
    _time("updated_at"),
)

users = _table(
    "users",
    Column("user_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    PrimaryKeyConstraint("account_id", "user_id"),
)

attorney_mappings = _table(  # what a person said; connection and e-mail need no row [OW-9]
    "attorney_mappings",
    Column("clio_user_id", BigInteger, nullable=False),
    Column("user_id", Text),  # null is a manual "nobody"
    PrimaryKeyConstraint("account_id", "clio_user_id"),
)

settings = _table(  # every version for ever; without a row version 1 holds, the defaults [OV-5]
    "settings",
    Column("version", Integer, nullable=False),
    Column("document", JSONB, nullable=False),
    _time("updated_at"),
    Column("updated_by", Text),
    PrimaryKeyConstraint("account_id", "version"),
)

audit = _table(  # who did what and when: append only, ids and pointers [EN-2]
    "audit",
    Column("entry_id", Text, nullable=False),
    _time("at"),
    Column("token_id", Text),
    Column("user_id", Text),
    Column("role", Text),
    Column("action", Text, nullable=False),
    Column("subject", Text),
    Column("details", JSONB, nullable=False),
    PrimaryKeyConstraint("account_id", "entry_id"),
)

connections = _table(
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
    _time("connected_at", nullable=True),
    _time("last_sync_at", nullable=True),
    _time("left_at", nullable=True),  # since when it works no longer: what it alone saw is frozen
    Column("problem_code", Text),
    Column("problem_detail", Text),
    _time("created_at"),
    PrimaryKeyConstraint("account_id", "connection_id"),
    UniqueConstraint("account_id", "user_id"),
)

authorizations = _table(  # one attempt to connect: our own OAuth state (docs/decisions/0004)
    "authorizations",
    Column("state_hash", Text, nullable=False),
    Column("connection_id", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("return_url", Text, nullable=False),
    Column("sealed_verifier", Text, nullable=False),
    _time("expires_at"),
    _time("used_at", nullable=True),
    PrimaryKeyConstraint("account_id", "state_hash"),
)
Index("authorizations_state_hash_idx", authorizations.c.state_hash)

service_tokens = Table(
    "service_tokens",
    metadata,
    Column("token_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("account_ids", ARRAY(Text)),  # null: all accounts
    _time("created_at"),
    _time("revoked_at", nullable=True),
)

key_check = Table(  # one row: opens with the keys that seal the secrets of this database, or we do not start
    "key_check",
    metadata,
    Column("check_id", Text, primary_key=True),
    Column("sealed_check", Text, nullable=False),
)

idempotency_keys = _table(
    "idempotency_keys",
    Column("operation", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("answer", JSONB, nullable=False),
    _time("created_at"),
    PrimaryKeyConstraint("account_id", "operation", "key"),
)

# --- when: slots, runs, how far each pull has come ------------------------------------------------

slots = _table(  # the row decides who starts a scheduled run; the clock only proposes [OV-3]
    "slots",
    Column("local_date", Date, nullable=False),
    Column("slot", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    PrimaryKeyConstraint("account_id", "local_date", "slot"),
)

runs = _table(
    "runs",
    Column("run_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("slot", Text),
    Column("connection_id", Text),  # whose view a coverage run completes
    Column("contact_clio_id", BigInteger),  # whom a contact run is about
    Column("settings_version", Integer, nullable=False),
    Column("fence", Integer, nullable=False, server_default=text("0")),
    _time("leased_until", nullable=True),
    _count("starts_without_progress"),
    _time("queued_at"),
    _time("started_at", nullable=True),
    _time("finished_at", nullable=True),
    Column("phase", Text),
    _count("to_assess"),
    _count("assessed"),
    _time("expected_end", nullable=True),
    _count("changed"),
    _count("entered"),
    _count("left_scope"),
    _count("new_clients"),
    Column("feed_before", BigInteger),  # the feed's last number before the run's first line
    _count("requests"),
    _count("rate_limited"),
    Column("waited_seconds", Double, nullable=False, server_default=text("0")),
    Column("problems", JSONB, nullable=False, server_default=text("'[]'")),
    Column("tally", JSONB, nullable=False, server_default=text("'{}'")),  # what its report counts
    PrimaryKeyConstraint("account_id", "run_id"),
)
Index(
    "runs_unfinished_idx",
    runs.c.account_id,
    runs.c.run_id,
    postgresql_where=text("status in ('queued', 'running', 'interrupted')"),
)

pulls = _table(  # one list, as one connection sees it, in one run
    "pulls",
    Column("run_id", Text, nullable=False),
    Column("connection_id", Text, nullable=False),
    Column("resource", Text, nullable=False),
    _time("since", nullable=True),
    _time("created_since", nullable=True),  # where the window began in which the list is read
    _time("newest", nullable=True),  # the newest created_at landed, while the list comes by age
    Column("cursor", Text),
    _time("asked_at", nullable=True),  # Clio's clock when the first page was asked for
    _count("pages"),
    _count("records"),
    Column("total", Integer),
    _count("unreadable"),
    _count("passed"),  # records and unreadable ones that windows before this one brought
    Column("complete", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("account_id", "run_id", "connection_id", "resource"),
)

checkpoints = _table(
    "checkpoints",
    Column("connection_id", Text, nullable=False),
    Column("resource", Text, nullable=False),
    _time("since"),
    PrimaryKeyConstraint("account_id", "connection_id", "resource"),
)

# --- the mirror: Clio's records, each once per account in the fullest version seen ----------------

mirror_contacts = _table(
    "mirror_contacts",
    Column("clio_id", BigInteger, nullable=False),
    Column("company_id", BigInteger),
    Column("record", JSONB, nullable=False),
    Column("stale", Boolean, nullable=False),
    Column("gone", Text),  # why it was taken out of the mirror; null while it is in it
    Column("merged_into", BigInteger),  # the contact that took over the matters of one gone [S6]
    PrimaryKeyConstraint("account_id", "clio_id"),
)
Index(
    "mirror_contacts_stale_idx",
    mirror_contacts.c.account_id,
    mirror_contacts.c.clio_id,
    postgresql_where=text("stale"),
)
Index(
    "mirror_contacts_company_idx",
    mirror_contacts.c.account_id,
    mirror_contacts.c.company_id,
    postgresql_where=text("company_id is not null"),
)

mirror_matters = _table(
    "mirror_matters",
    Column("clio_id", BigInteger, nullable=False),
    Column("client_id", BigInteger),
    Column("former_client_id", BigInteger),
    Column("record", JSONB, nullable=False),
    Column(  # from a connected user of unrestricted contact visibility (row 22)
        "hidden", Boolean, nullable=False, server_default=text("false")
    ),
    PrimaryKeyConstraint("account_id", "clio_id"),
)
Index("mirror_matters_client_idx", mirror_matters.c.account_id, mirror_matters.c.client_id)

mirror_relationships = _table(
    "mirror_relationships",
    Column("clio_id", BigInteger, nullable=False),
    Column("matter_id", BigInteger, nullable=False),
    Column("contact_id", BigInteger, nullable=False),
    Column("record", JSONB, nullable=False),
    PrimaryKeyConstraint("account_id", "clio_id"),
)
Index(
    "mirror_relationships_matter_idx",
    mirror_relationships.c.account_id,
    mirror_relationships.c.matter_id,
)
Index(
    "mirror_relationships_contact_idx",
    mirror_relationships.c.account_id,
    mirror_relationships.c.contact_id,
)

catalog_items = _table(  # users, custom fields, practice areas, matter stages
    "catalog_items",
    Column("resource", Text, nullable=False),
    Column("clio_id", BigInteger, nullable=False),
    Column("record", JSONB, nullable=False),
    # no longer listed, when the list was last read whole
    Column("gone", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("account_id", "resource", "clio_id"),
)

sightings = _table(  # that a connection sees a record, and what it was shown of it
    "sightings",
    Column("resource", Text, nullable=False),
    Column("clio_id", BigInteger, nullable=False),
    Column("connection_id", Text, nullable=False),
    Column("digest", LargeBinary),
    PrimaryKeyConstraint("account_id", "resource", "clio_id", "connection_id"),
)

# --- what Levitate reads --------------------------------------------------------------------------

contacts = _table(  # those who were once in scope, as Levitate holds them
    "contacts",
    Column("contact_id", Text, nullable=False),
    Column("clio_id", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("owner_user_id", Text),
    Column("labels", ARRAY(Text), nullable=False),  # folded as TG-21 compares them
    Column("search", Text, nullable=False),  # lower-cased name and addresses
    Column("view", JSONB, nullable=False),
    Column("explanation", JSONB, nullable=False),
    Column("digest", LargeBinary),  # of view and explanation; null: not known
    Column("run_id", Text, nullable=False),
    _time("first_synced_at"),
    _time("updated_at"),
    PrimaryKeyConstraint("account_id", "contact_id"),
    UniqueConstraint("account_id", "clio_id"),
)

changes = _table(  # the change feed: append only, `seq` in the order of commit [S13]
    "changes",
    Column("seq", BigInteger, nullable=False),
    Column("contact_id", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("run_id", Text, Computed("body ->> 'run_id'", persisted=True)),
    PrimaryKeyConstraint("account_id", "seq"),
)
Index("changes_contact_idx", changes.c.account_id, changes.c.contact_id, changes.c.seq)

preexisting_tags = (
    _table(  # labels that a person bore before we granted them: never withdrawn [TG-20]
        "preexisting_tags",
        Column("contact_id", Text, nullable=False),
        Column("folded", Text, nullable=False),  # as TG-21 compares labels
        Column("label", Text, nullable=False),
        _time("told_at"),
        PrimaryKeyConstraint("account_id", "contact_id", "folded"),
    )
)

erased_contacts = _table(  # all that is left of who was erased, and what keeps them away [row 30]
    "erased_contacts",
    Column("clio_hash", LargeBinary, nullable=False),
    _time("erased_at"),
    PrimaryKeyConstraint("account_id", "clio_hash"),
)

new_clients = _table(  # the ledger: one row per account and Clio contact, for ever [NC-1]
    "new_clients",
    Column("clio_id", BigInteger, nullable=False),
    Column("new_client_id", Text, nullable=False),
    Column("contact_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("held_for", Text),  # why it waits, set exactly while it is held
    Column("origin", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("client_since", Date),
    Column("has_open_matter", Boolean, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("email_digest", LargeBinary),  # of the primary address: who may be a duplicate [NC-6]
    Column("possible_duplicate_of", Text),
    # Every own matter ever seen: how a merge in Clio is recognised, and whom it led to [S6].
    Column("matter_ids", ARRAY(BigInteger), nullable=False, server_default=text("'{}'")),
    Column("joined_to", BigInteger),
    Column("merged_into", Text),
    Column("event_ids", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    _time("created_at"),
    _time("emitted_at", nullable=True),
    PrimaryKeyConstraint("account_id", "clio_id"),
    UniqueConstraint("account_id", "new_client_id"),
)
Index("new_clients_email_idx", new_clients.c.account_id, new_clients.c.email_digest)
Index("new_clients_matters_idx", new_clients.c.matter_ids, postgresql_using="gin")
Index(
    "new_clients_held_idx",
    new_clients.c.account_id,
    new_clients.c.run_id,
    postgresql_where=text("status = 'held'"),
)

subscriptions = (
    _table(  # Clio's nudges: one for each connection and model, each with an own address
        "subscriptions",
        Column("connection_id", Text, nullable=False),
        Column("model", Text, nullable=False),
        Column("token_hash", Text),
        Column("hook_id", BigInteger),
        Column("pending", Boolean, nullable=False, server_default=text("true")),
        Column("sealed_secret", Text),
        Column("seen", ARRAY(LargeBinary), nullable=False, server_default=text("'{}'")),
        _time("due_at"),  # when it is to be made, or prolonged
        PrimaryKeyConstraint("account_id", "connection_id", "model"),
    )
)
Index("subscriptions_token_hash_idx", subscriptions.c.token_hash)
Index("subscriptions_due_idx", subscriptions.c.due_at)

# --- what Levitate is told beside the feed ---------------------------------------------------------

# An endpoint belongs to the service token that made it, not to an account: a token of many accounts has one
# receiver for all of them, so its key cannot begin with an account.
webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("endpoint_id", Text, primary_key=True),
    Column("token_id", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("kinds", ARRAY(Text), nullable=False),  # `*` is every kind
    Column("description", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("problem_code", Text),
    Column("problem_detail", Text),
    Column("sealed_secret", Text, nullable=False),
    Column("sealed_old_secret", Text),  # after a rotation, until `old_secret_until`
    _time("old_secret_until", nullable=True),
    _count("failures"),  # in a row
    _time("failing_since", nullable=True),
    _time("rests_until", nullable=True),
    _time("claimed_until", nullable=True),  # by the database's clock: one process sends at a time
    _time("created_at"),
    _time("updated_at"),
)
Index("webhook_endpoints_token_idx", webhook_endpoints.c.token_id)

events = _table(
    "events",
    Column("event_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),  # events of one subject arrive in order
    Column("data", JSONB, nullable=False),
    _time("at"),
    PrimaryKeyConstraint("account_id", "event_id"),
)
Index("events_at_idx", events.c.at)

deliveries = _table(  # one event on its way to one endpoint
    "deliveries",
    Column("event_id", Text, nullable=False),
    Column("endpoint_id", Text, nullable=False),
    Column("delivery_id", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("position", BigInteger, Identity(always=True), nullable=False),
    Column("status", Text, nullable=False),
    _count("attempts"),
    _time("due_at"),
    _time("first_attempt_at", nullable=True),
    _time("last_attempt_at", nullable=True),
    _time("delivered_at", nullable=True),
    Column("response_status", Integer),
    Column("problem_code", Text),
    _time("created_at"),
    PrimaryKeyConstraint("account_id", "event_id", "endpoint_id"),
    UniqueConstraint("account_id", "delivery_id"),
)
deliveries.append_constraint(
    ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoints.endpoint_id"], ondelete="CASCADE")
)
deliveries.append_constraint(
    ForeignKeyConstraint(
        ["account_id", "event_id"], ["events.account_id", "events.event_id"], ondelete="CASCADE"
    )
)
Index("deliveries_id_idx", deliveries.c.endpoint_id, deliveries.c.delivery_id)
Index("deliveries_delivery_id_idx", deliveries.c.delivery_id)
Index(
    "deliveries_pending_idx",
    deliveries.c.endpoint_id,
    deliveries.c.account_id,
    deliveries.c.subject,
    deliveries.c.position,
    postgresql_where=text("status = 'pending'"),
)
Index(
    "deliveries_due_idx",
    deliveries.c.endpoint_id,
    deliveries.c.due_at,
    postgresql_where=text("status = 'pending'"),
)

# --- doubts: issues, holds, quarantine, what a whole listing listed ----------------------------------

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
    _table(  # what the processes that use one token may still ask of Clio (docs/decisions/0007)
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

# --- the outbox: activities, the attempts to write them, whose turn it is at a contact ---------------

activities = _table(
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
    _time("occurred_at"),
    Column("time_zone", Text, nullable=False),  # the account's, when the activity was accepted
    Column("local_date", Date, nullable=False),
    Column("direction", Text),
    Column("conversation_id", Text),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("marker", Text),  # 128 random bits, for one record in Clio and for ever
    Column("clio_id", BigInteger),
    Column("connection_id", Text),  # who made the last attempt, and so who can look for it
    _count("attempts"),
    _count("rounds"),
    Column("unsure", Boolean, nullable=False, server_default=text("false")),  # Clio may have it
    _time("first_attempt_at", nullable=True),
    _time("due_at", nullable=True),
    _time("blocked_at", nullable=True),
    _time("created_at"),
    _time("written_at", nullable=True),
    _time("proven_at", nullable=True),  # the sweep found it once and only once
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
Index("activities_contact_idx", activities.c.account_id, activities.c.contact_id)
Index(
    "activities_blocked_idx",
    activities.c.account_id,
    activities.c.user_id,
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

activity_attempts = _table(
    "activity_attempts",
    Column("activity_id", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("connection_id", Text, nullable=False),
    _time("began_at"),
    _time("ended_at", nullable=True),
    Column("outcome", Text),
    PrimaryKeyConstraint("account_id", "activity_id", "attempt"),
)

activity_turns = _table(  # one row for each contact that is written to: one write in flight
    "activity_turns",
    Column("clio_contact_id", BigInteger, nullable=False),
    Column("accepted", BigInteger, nullable=False),
    Column("fence", BigInteger, nullable=False, server_default=text("0")),
    _time("leased_until", nullable=True),
    PrimaryKeyConstraint("account_id", "clio_contact_id"),
)
