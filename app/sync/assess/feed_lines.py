"""Lines of the change feed: a changed contact as `GET /changes` returns it.

Storing a line is in `app/db/contacts/change_feed.py`.
"""

from typing import Any

from msgspec import to_builtins

from app.db.contacts import documents
from app.db.contacts.change_feed import FeedLine
from app.db.json_codec import json_text
from app.rules.results import OwnerChange
from app.sync.assess.contact_assessments import AssessedContact, AssessmentContext


def feed_line(assessed: AssessedContact, context: AssessmentContext) -> FeedLine:
    """Return the line of the change feed for a contact that changed, as it is stored."""
    return FeedLine(assessed.contact.contact_id, json_text(_parts(assessed, context)))


def change_document(assessed: AssessedContact, context: AssessmentContext) -> dict[str, Any]:
    """Return the line of the change feed for a contact that changed, as the REST API shows it."""
    document: dict[str, Any] = to_builtins(_parts(assessed, context))
    return document


def _parts(assessed: AssessedContact, context: AssessmentContext) -> dict[str, Any]:
    """Return the line for msgspec to encode: parts of it are Structs."""
    change = assessed.change
    assert change is not None  # noqa: S101  # callers pass changed contacts only
    return {
        "kind": change.kind,
        "contact_id": assessed.contact.contact_id,
        "clio_id": str(assessed.contact.clio_id),
        "run_id": context.run_id,
        "at": documents.format_time(context.now),
        "cause": assessed.cause,
        "fields": {
            name: {
                "from": documents.field_parts(name, before),
                "to": documents.field_parts(name, after),
            }
            for name, (before, after) in change.fields.items()
        },
        "tags_added": change.tags_added,
        "tags_removed": change.tags_removed,
        "owner": _owner_change(change.owner),
        "contact": documents.contact_parts(assessed.contact, clio_origin=context.clio_origin),
    }


def _owner_change(change: OwnerChange | None) -> dict[str, Any] | None:
    if change is None:
        return None
    return {
        "from": change.before,
        "to": change.after,
        "rule": change.rule,
        "matter_clio_id": None if change.matter_id is None else str(change.matter_id),
    }
