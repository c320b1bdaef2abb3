"""The writable attributes of a note.

A note belongs to a contact or to a matter, never to both. Clio stores no external id with it, so a note can be
recognised by its text only.
"""

from app.simulator.store.document_writes import WritableSpec
from app.simulator.store.firm import Record
from app.simulator.store.value_checks import (
    check_rich_text,
    day,
    invalid,
    one_of,
    reference,
    text,
)


def _complete(record: Record) -> Record:
    """Check the attributes together, and add the defaults."""
    kind = record["type"].lower()
    other = "matter" if kind == "contact" else "contact"
    if f"{kind}_id" not in record:
        raise invalid(f"{kind} is required for a note of type {record['type']}")
    if f"{other}_id" in record:
        raise invalid(f"{other} is not valid for a note of type {record['type']}")
    record.setdefault("detail_text_type", "plain_text")
    if record["detail_text_type"] == "rich_text":
        check_rich_text(record.get("detail", ""))
    return record


NOTE = WritableSpec(
    kind="note",
    checks={
        "type": one_of("Contact", "Matter"),
        "contact": reference("contact"),
        "matter": reference("matter"),
        "subject": text,
        "detail": text,
        "detail_text_type": one_of("plain_text", "rich_text"),
        "date": day,
    },
    required=frozenset({"type"}),
    changeable=frozenset({"subject", "detail", "detail_text_type", "date"}),
    author_field="author_id",
    complete=_complete,
)
