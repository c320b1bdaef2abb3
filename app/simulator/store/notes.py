"""Notes: on a contact or on a matter, never on both; no external id, so that only their text can be recognised."""

from app.simulator.store.firm import Firm, Record
from app.simulator.store.papers import (
    PaperRule,
    Refused,
    check_rich,
    containing,
    day,
    equal,
    linked,
    one_of,
    since,
    text,
)


def _finish(_firm: Firm, record: Record) -> Record:
    kind = record["type"].lower()
    other = "matter" if kind == "contact" else "contact"
    if kind not in record:
        raise Refused(422, f"{kind} is required for a note of type {record['type']}")
    if other in record:
        raise Refused(422, f"{other} is not valid for a note of type {record['type']}")
    record.setdefault("detail_text_type", "plain_text")
    if record["detail_text_type"] == "rich_text":
        check_rich(record.get("detail", ""))
    return record


_NAMED = frozenset({"id", "etag", "name"})
NOTES = PaperRule(
    name="note",
    writable={
        "type": one_of("Contact", "Matter"),
        "contact": linked("contact"),
        "matter": linked("matter"),
        "subject": text,
        "detail": text,
        "detail_text_type": one_of("plain_text", "rich_text"),
        "date": day,
    },
    required=frozenset({"type"}),
    changeable=frozenset({"subject", "detail", "detail_text_type", "date"}),
    plain=frozenset(
        [
            "id",
            "etag",
            "type",
            "subject",
            "detail",
            "detail_text_type",
            "date",
            "created_at",
            "updated_at",
            "time_entries_count",
        ]
    ),
    nested={"contact": _NAMED, "matter": frozenset({"id", "etag"}), "author": _NAMED},
    filters={
        "type": equal("type"),
        "contact_id": equal("contact"),
        "matter_id": equal("matter"),
        "created_since": since("created_at"),
        "updated_since": since("updated_at"),
        "query": containing("subject", "detail"),
    },
    finish=_finish,
    needed_in_list="type",
)
