"""The tables of the mirror: Clio's records, each once per account, who sees them, and what could not be read."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.db.metadata import account_table, bulk_account_table, count_column, time_column

mirror_contacts = bulk_account_table(
    "mirror_contacts",
    Column("clio_id", BigInteger, nullable=False),
    Column("company_id", BigInteger),
    Column("record", JSONB, nullable=False),
    Column("stale", Boolean, nullable=False),
    Column("gone", Text),  # why it was removed from the mirror; null while it is there
    Column("merged_into", BigInteger),  # the contact that took its place [S6]
    Column(  # it is stale, and no pull has changed its records since it was assessed
        "stale_by_rules", Boolean, nullable=False, server_default=text("false")
    ),
    # the run that reads no lists and alone has changed its records since then
    Column("changed_only_by", Text),
    # something is still published that the rules would take away [row 53]
    Column("kept", Boolean, nullable=False, server_default=text("false")),
    # of the rules that it was last assessed with; 0: never, or before rules had versions [row 56]
    count_column("rules_version"),
    PrimaryKeyConstraint("account_id", "clio_id"),
)

Index(
    "mirror_contacts_stale_idx",
    mirror_contacts.c.account_id,
    mirror_contacts.c.clio_id,
    postgresql_where=text("stale"),
)

Index(  # those that can be assessed while a pull is not complete
    "mirror_contacts_beside_idx",
    mirror_contacts.c.account_id,
    mirror_contacts.c.clio_id,
    postgresql_where=text("stale and (stale_by_rules or changed_only_by is not null)"),
)

Index(
    "mirror_contacts_kept_idx",
    mirror_contacts.c.account_id,
    mirror_contacts.c.clio_id,
    postgresql_where=text("kept"),
)

Index(
    "mirror_contacts_company_idx",
    mirror_contacts.c.account_id,
    mirror_contacts.c.company_id,
    postgresql_where=text("company_id is not null"),
)

mirror_matters = bulk_account_table(
    "mirror_matters",
    Column("clio_id", BigInteger, nullable=False),
    Column("client_id", BigInteger),
    Column("former_client_id", BigInteger),
    Column("record", JSONB, nullable=False),
    Column(  # from a connected user with unrestricted contact visibility (row 22)
        "hidden", Boolean, nullable=False, server_default=text("false")
    ),
    Column(  # whether it is hidden must be decided again
        "unsettled", Boolean, nullable=False, server_default=text("true")
    ),
    PrimaryKeyConstraint("account_id", "clio_id"),
)

Index(
    "mirror_matters_unsettled_idx",
    mirror_matters.c.account_id,
    mirror_matters.c.clio_id,
    postgresql_where=text("unsettled"),
)

Index("mirror_matters_client_idx", mirror_matters.c.account_id, mirror_matters.c.client_id)

Index(  # who took over the matters of a contact that is gone
    "mirror_matters_former_client_idx",
    mirror_matters.c.account_id,
    mirror_matters.c.former_client_id,
    postgresql_where=mirror_matters.c.former_client_id.is_not(None),
)

mirror_relationships = bulk_account_table(
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

# The words by which contacts are found; the collation C lets a range of the index be what begins with a word.
search_words = bulk_account_table(
    "search_words",
    Column("clio_id", BigInteger, nullable=False),
    Column("word", Text(collation="C"), nullable=False),
    PrimaryKeyConstraint("account_id", "word", "clio_id"),
)

Index("search_words_clio_id_idx", search_words.c.account_id, search_words.c.clio_id)

catalog_items = account_table(  # users, custom fields, practice areas, matter stages
    "catalog_items",
    Column("resource", Text, nullable=False),
    Column("clio_id", BigInteger, nullable=False),
    Column("record", JSONB, nullable=False),
    # not in the list when it was last read completely
    Column("gone", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("account_id", "resource", "clio_id"),
)

sightings = bulk_account_table(  # the connections that see a record, and the digest of the version that each saw
    "sightings",
    Column("resource", Text, nullable=False),
    Column("clio_id", BigInteger, nullable=False),
    Column("connection_id", Text, nullable=False),
    Column("digest", LargeBinary),
    # Of that version; null in rows of the previous release.
    time_column("updated_at", nullable=True),  # Clio's
    Column("shown", Text),  # the fields with content (app/rules/shown.py)
    PrimaryKeyConstraint("account_id", "resource", "clio_id", "connection_id"),
)

lost_sightings = account_table(  # contacts that a connection saw once and sees no more [row 53]
    "lost_sightings",
    Column("clio_id", BigInteger, nullable=False),
    Column("connection_id", Text, nullable=False),
    PrimaryKeyConstraint("account_id", "clio_id", "connection_id"),
)

changed_items = (
    account_table(  # of the small lists; not all contacts that depend on them are marked
        "changed_items",
        Column("resource", Text, nullable=False),
        Column("clio_id", BigInteger, nullable=False),
        # the last contact, or matter, that was looked at for it
        Column("marked_to", BigInteger, nullable=False, server_default=text("0")),
        PrimaryKeyConstraint("account_id", "resource", "clio_id"),
    )
)

coverage_changes = account_table(  # what no working login sees has changed since it was counted
    "coverage_changes",
    Column("change_id", Uuid, nullable=False, server_default=func.gen_random_uuid()),
    PrimaryKeyConstraint("account_id", "change_id"),
)

quarantine = account_table(  # records that could not be read, and why; never their content [F16]
    "quarantine",
    Column("resource", Text, nullable=False),
    Column("clio_id", BigInteger, nullable=False),  # 0: its id cannot be read
    Column("connection_id", Text, nullable=False),
    Column("run_id", Text, nullable=False),  # the run that met it first
    Column("reason", Text, nullable=False),
    time_column("found_at"),
    time_column("resolved_at", nullable=True),
    # The run that met it last, and when; null in rows of the previous release, which has one for each run.
    Column("last_run_id", Text),
    time_column("last_found_at", nullable=True),
    PrimaryKeyConstraint("account_id", "resource", "clio_id", "connection_id", "run_id"),
)

Index(
    "quarantine_resolved_at_idx",
    quarantine.c.resolved_at,
    postgresql_where=quarantine.c.resolved_at.is_not(None),
)

Index(
    "quarantine_open_idx",
    quarantine.c.account_id,
    quarantine.c.resource,
    quarantine.c.clio_id,
    postgresql_where=quarantine.c.resolved_at.is_(None),
)

unread_values = (
    account_table(  # values that could not be read, and why; never their content [row 49]
        "unread_values",
        Column("connection_id", Text, nullable=False),
        Column("resource", Text, nullable=False),
        Column("field", Text, nullable=False),
        Column("clio_id", BigInteger, nullable=False),
        Column("reason", Text, nullable=False),
        time_column("found_at"),
        PrimaryKeyConstraint("account_id", "connection_id", "resource", "field", "clio_id"),
    )
)

Index(
    "unread_values_record_idx",
    unread_values.c.account_id,
    unread_values.c.resource,
    unread_values.c.clio_id,
)
