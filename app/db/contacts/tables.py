"""The tables of contacts as published: contacts, the change feed, new clients, holds and erasures."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Date,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.db.metadata import account_table, bulk_account_table, count_column, time_column

contacts = bulk_account_table(  # contacts that were ever in scope, as last published
    "contacts",
    Column("contact_id", Text, nullable=False),
    Column("clio_id", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("owner_user_id", Text),
    Column("labels", ARRAY(Text), nullable=False),  # in the compared form [TG-21, row 51]
    # Name and addresses in the compared form, for the release before: it can go when no process of that is left.
    Column("search", Text, nullable=False),
    Column("view", JSONB, nullable=False),
    Column("explanation", JSONB, nullable=False),
    Column("digest", LargeBinary),  # of view, explanation, labels and search; null: unknown
    Column("run_id", Text, nullable=False),
    time_column("first_synced_at"),
    time_column("updated_at"),
    PrimaryKeyConstraint("account_id", "contact_id"),
    UniqueConstraint("account_id", "clio_id"),
)

Index("contacts_owner_idx", contacts.c.account_id, contacts.c.owner_user_id, contacts.c.contact_id)

Index(  # those who are not in scope, who are few in most firms
    "contacts_left_idx",
    contacts.c.account_id,
    contacts.c.state,
    contacts.c.contact_id,
    postgresql_where=text("state <> 'in_scope'"),
)

Index("contacts_updated_at_idx", contacts.c.account_id, contacts.c.updated_at, contacts.c.clio_id)

Index(
    "contacts_first_synced_at_idx",
    contacts.c.account_id,
    contacts.c.first_synced_at,
    contacts.c.contact_id,
    postgresql_include=["clio_id"],
)

changes = bulk_account_table(  # the change feed: append only, `seq` in the order of commit [S13]
    "changes",
    Column("seq", BigInteger, nullable=False),
    Column("contact_id", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("run_id", Text, Computed("body ->> 'run_id'", persisted=True)),
    PrimaryKeyConstraint("account_id", "seq"),
)

Index("changes_contact_idx", changes.c.account_id, changes.c.contact_id, changes.c.seq)

preexisting_tags = account_table(  # labels that a contact had before this service granted them: never removed [TG-20]
    "preexisting_tags",
    Column("contact_id", Text, nullable=False),
    Column("folded", Text, nullable=False),  # the compared form when the row was written [TG-21]
    Column("label", Text, nullable=False),
    time_column("told_at"),
    PrimaryKeyConstraint("account_id", "contact_id", "folded"),
)

erased_contacts = account_table(  # the suppression list: keyed hashes of erased persons [row 30]
    "erased_contacts",
    Column("clio_hash", LargeBinary, nullable=False),
    time_column("erased_at"),
    PrimaryKeyConstraint("account_id", "clio_hash"),
)

new_clients = bulk_account_table(  # one row per account and Clio contact, for ever [NC-1]
    "new_clients",
    Column("clio_id", BigInteger, nullable=False),
    Column("new_client_id", Text, nullable=False),
    Column("contact_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("held_for", Text),  # why it waits; set exactly while it is held
    Column("origin", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("client_since", Date),
    Column("has_open_matter", Boolean, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("email_digest", LargeBinary),  # of the primary address: finds possible duplicates [NC-6]
    Column("name_digest", LargeBinary),  # of the name, folded; null: not known yet [S6]
    Column("possible_duplicate_of", Text),
    # Every own matter ever seen: a merge in Clio is recognised by it [S6].
    Column("matter_ids", ARRAY(BigInteger), nullable=False, server_default=text("'{}'")),
    Column("joined_to", BigInteger),
    Column("merged_into", Text),
    Column(
        "first_sync", Text
    ),  # what a release of the first publication chose, instead of the settings
    Column("event_ids", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    time_column("created_at"),
    time_column("emitted_at", nullable=True),
    # What receivers answered to its events, of events that were deleted [NC-5].
    Column("kept_deliveries", JSONB, nullable=False, server_default=text("'[]'")),
    PrimaryKeyConstraint("account_id", "clio_id"),
    UniqueConstraint("account_id", "new_client_id"),
)

Index(  # the list of new clients by time
    "new_clients_created_at_idx",
    new_clients.c.account_id,
    new_clients.c.created_at,
    new_clients.c.new_client_id,
)

Index("new_clients_email_idx", new_clients.c.account_id, new_clients.c.email_digest)

Index("new_clients_name_idx", new_clients.c.account_id, new_clients.c.name_digest)

Index(
    "new_clients_duplicates_idx",
    new_clients.c.account_id,
    new_clients.c.clio_id,
    postgresql_where=text("possible_duplicate_of is not null"),
)

# `matter_ids`, one row each, because row-level security keeps PostgreSQL from using an index of arrays. A trigger
# writes it for every writer of `new_clients`.
new_client_matters = bulk_account_table(
    "new_client_matters",
    Column("matter_id", BigInteger, nullable=False),
    Column("clio_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_id", "matter_id", "clio_id"),
)

Index(
    "new_clients_held_idx",
    new_clients.c.account_id,
    new_clients.c.run_id,
    postgresql_where=text("status = 'held'"),
)

Index(  # those that wait for the end of a run or of a merge, beside many that a person must decide about
    "new_clients_held_for_idx",
    new_clients.c.account_id,
    new_clients.c.held_for,
    new_clients.c.clio_id,
    postgresql_where=text("status = 'held'"),
)

holds = account_table(  # what waits for a person's decision [S5, NC-7, row 45]
    "holds",
    Column("hold_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    time_column("opened_at"),
    time_column("decided_at", nullable=True),
    Column("decided_by", Text),
    # Of new clients. The release before carries a decision out while it is null; this one sets it with the decision.
    time_column("carried_out_at", nullable=True),
    # The hold of which a person decided these items alone [row 45]; its own id if they come from several or from none.
    Column("part_of", Text),
    # Decided by a person, and not carried out for all items.
    Column("unfinished", Boolean, nullable=False, server_default=text("false")),
    Column(
        "first_sync", Text
    ),  # of a released first publication: what happens with its new clients
    PrimaryKeyConstraint("account_id", "hold_id"),
)

Index(  # the review of the first publication: at most one at a time
    "holds_review_idx",
    holds.c.account_id,
    unique=True,
    postgresql_where=text(
        "kind = 'first_publication' and status in ('gathering', 'open') and part_of is null"
    ),
)

Index(  # those that wait for a person
    "holds_open_idx",
    holds.c.account_id,
    holds.c.hold_id,
    postgresql_where=text("status = 'open'"),
)

Index(
    "holds_unfinished_idx",
    holds.c.account_id,
    holds.c.hold_id,
    postgresql_where=text("unfinished"),
)

Index(
    "holds_decided_idx",
    holds.c.account_id,
    holds.c.hold_id,
    postgresql_where=text(
        "kind = 'new_clients' and decided_at is not null and carried_out_at is null"
    ),
)

scope_changes = account_table(  # what runs did to the scope; the guards count the last day [row 54]
    "scope_changes",
    time_column("at"),
    Column("run_id", Text, nullable=False),
    count_column("entered"),
    count_column("left_scope"),
    count_column("removed"),  # contacts that a run let go by itself
    count_column("announced"),  # new clients that a run announced by itself
    PrimaryKeyConstraint("account_id", "at", "run_id"),
)

hold_items = account_table(  # the contacts of a hold
    "hold_items",
    Column("hold_id", Text, nullable=False),
    Column("clio_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_id", "hold_id", "clio_id"),
)

unpublished_contacts = (
    account_table(  # people who were assessed while the first publication is reviewed
        "unpublished_contacts",
        Column("clio_id", BigInteger, nullable=False),
        Column("state_reason", Text),  # why a release would not publish the person; null: it would
        Column("owner_user_id", Text),
        Column("labels", ARRAY(Text), nullable=False),
        Column("is_client", Boolean, nullable=False),
        Column("email_digest", LargeBinary),  # of a client's primary address [NC-6]
        PrimaryKeyConstraint("account_id", "clio_id"),
    )
)

Index("hold_items_clio_id_idx", hold_items.c.account_id, hold_items.c.clio_id)

Index("changes_run_id_idx", changes.c.account_id, changes.c.run_id, changes.c.seq)

Index("scope_changes_at_idx", scope_changes.c.at)

Index("contacts_state_idx", contacts.c.account_id, contacts.c.state)
