"""Everything that is held about one person, table by table, as the rows are stored [S15].

`docs/retention.md` says what each table is for. What only repeats other rows in another form (digests, search words) is
left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from app.db.session import Session

LEFT_OUT = ["account_id", "digest", "email_digest", "name_digest", "search", "labels"]
_BY_CONTACT = "contact_id = :contact"
_BY_CLIO_ID = "clio_id = :clio"
_RECORD = "resource = 'contacts' and clio_id = :clio"
_OWN_ACTIVITY = "(contact_id = :contact or clio_contact_id = :clio)"
_ACTIVITIES = f"""
    select activity_id from activities where account_id = :account and {_OWN_ACTIVITY}
"""  # noqa: S608  # our own text
_EVENT = f"""
    (subject = :contact or data ->> 'contact_id' = :contact or data ->> 'activity_id' in ({_ACTIVITIES}))
"""
_EVENTS = f"""
    select event_id from events where account_id = :account and {_EVENT}
"""  # noqa: S608  # our own text
_NAMED = f"""(
    select cast(:contact as text)
    union select new_client_id from new_clients where account_id = :account and clio_id = :clio
    union {_ACTIVITIES}
)"""  # noqa: S608  # our own text

# Each table with rows about a person: the key that orders them, and which rows those are.
TABLES: Mapping[str, tuple[str, str]] = {
    "contacts": ("contact_id", _BY_CONTACT),
    "changes": ("lpad(cast(seq as text), 20, '0')", _BY_CONTACT),
    "preexisting_tags": ("folded", _BY_CONTACT),
    "new_clients": ("new_client_id", _BY_CLIO_ID),
    "new_client_matters": ("cast(matter_id as text)", _BY_CLIO_ID),
    "hold_items": ("hold_id", _BY_CLIO_ID),
    "unpublished_contacts": ("cast(clio_id as text)", _BY_CLIO_ID),
    "mirror_contacts": ("cast(clio_id as text)", _BY_CLIO_ID),
    "mirror_matters": ("cast(clio_id as text)", "(client_id = :clio or former_client_id = :clio)"),
    "mirror_relationships": ("cast(clio_id as text)", "contact_id = :clio"),
    "sightings": ("connection_id", _RECORD),
    "lost_sightings": ("connection_id", _BY_CLIO_ID),
    "quarantine": ("connection_id || run_id", _RECORD),
    "unread_values": ("connection_id || field", _RECORD),
    "activities": ("activity_id", _OWN_ACTIVITY),
    "activity_attempts": ("activity_id || began_at", f"activity_id in ({_ACTIVITIES})"),
    "activity_turns": ("cast(clio_contact_id as text)", "clio_contact_id = :clio"),
    "events": ("event_id", _EVENT),
    "deliveries": ("delivery_id", f"event_id in ({_EVENTS})"),
    "issues": (
        "issue_id",
        "subject_kind = 'contact' and subject_id = cast(cast(:clio as bigint) as text)",
    ),
    "audit": (
        "entry_id",
        f"(subject in {_NAMED} or details ->> 'contact_id' = :contact)",
    ),
}
_PAGE = """
    select {key} as key, to_jsonb(held) - cast(:left_out as text[]) as row from {table} as held
    where account_id = :account and {own} and {key} > :after order by 1 limit :most
"""
_PAGES = {
    table: text(_PAGE.format(table=table, key=key, own=own)) for table, (key, own) in TABLES.items()
}


@dataclass(frozen=True)
class Person:
    """A person by all ids: our id of the contact, and Clio's."""

    account_id: str
    contact_id: str
    clio_id: int


async def read_rows(
    session: Session, person: Person, table: str, *, after: str, limit: int
) -> Sequence[tuple[str, dict[str, Any]]]:
    """Return rows of a table about a person, each with its key, in the order of the keys, those after `after`."""
    names = {"account": person.account_id, "contact": person.contact_id, "clio": person.clio_id}
    rows = await session.execute(
        _PAGES[table], {**names, "left_out": LEFT_OUT, "after": after, "most": limit}
    )
    return [(row.key, row.row) for row in rows]
