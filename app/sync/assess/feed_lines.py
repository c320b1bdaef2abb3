"""Lines of the change feed: a changed contact as `GET /changes` returns it.

Storing a line is in `app/db/contacts/change_feed.py`.
"""

from typing import Any

from pydantic_core import from_json

from app.db.contacts import documents
from app.db.contacts.change_feed import FeedLine
from app.db.json_codec import json_part, json_text
from app.rules.results import OwnerChange
from app.sync.assess.contact_assessments import AssessedContact, AssessmentContext

_SHARED = ("emails", "phones", "addresses")  # in `fields` and in `contact`: encoded once


def feed_line(assessed: AssessedContact, context: AssessmentContext) -> FeedLine:
    """Return the line of the change feed for a contact that changed, as the REST API returns it."""
    change, contact = assessed.change, assessed.contact
    assert change is not None  # noqa: S101  # callers pass changed contacts only
    parts = documents.contact_parts(contact, clio_origin=context.clio_origin)
    for name in _SHARED:
        parts[name] = json_part(parts[name])
    body = {
        "kind": change.kind,
        "contact_id": contact.contact_id,
        "clio_id": parts["clio_id"],
        "run_id": context.run_id,
        "at": documents.format_time(context.now),
        "cause": assessed.cause,
        "fields": {
            name: {"from": documents.field_parts(name, before), "to": parts[name]}
            for name, (before, _) in change.fields.items()
        },
        "tags_added": change.tags_added,
        "tags_removed": change.tags_removed,
        "owner": _owner_change(change.owner),
        "contact": parts,
    }
    return FeedLine(contact.contact_id, json_text(body))


def change_document(assessed: AssessedContact, context: AssessmentContext) -> dict[str, Any]:
    """Return the same line as JSON objects."""
    document: dict[str, Any] = from_json(feed_line(assessed, context).body)
    return document


def _owner_change(change: OwnerChange | None) -> dict[str, Any] | None:
    if change is None:
        return None
    return {
        "from": change.before,
        "to": change.after,
        "rule": change.rule,
        "matter_clio_id": None if change.matter_id is None else str(change.matter_id),
    }
