"""Lines of the change feed: a changed contact as `GET /changes` returns it.

Storing a line is in `app/db/contacts/change_feed.py`.
"""

from typing import Any

from app.db.contacts import documents
from app.db.contacts.change_feed import FeedLine
from app.db.json_codec import codec
from app.rules.results import Change
from app.sync.assess.contact_assessments import AssessedContact, AssessmentContext

_changes = codec(Change)


def feed_line(assessed: AssessedContact, context: AssessmentContext) -> FeedLine:
    """Return the line of the change feed for a contact that changed, as the REST API returns it."""
    assert assessed.change is not None  # noqa: S101  # callers pass changed contacts only
    change = _changes.adapter.dump_python(assessed.change, mode="json")
    body = {
        "kind": change["kind"],
        "contact_id": assessed.contact.contact_id,
        "clio_id": str(assessed.contact.clio_id),
        "run_id": context.run_id,
        "at": documents.format_time(context.now),
        "cause": assessed.cause,
        "fields": {
            name: {
                "from": documents.field_document(name, before),
                "to": documents.field_document(name, after),
            }
            for name, (before, after) in change["fields"].items()
        },
        "tags_added": change["tags_added"],
        "tags_removed": change["tags_removed"],
        "owner": change["owner"] and _owner_change(change["owner"]),
        "contact": documents.contact_document(assessed.contact, clio_origin=context.clio_origin),
    }
    return FeedLine(assessed.contact.contact_id, body)


def _owner_change(owner: dict[str, Any]) -> dict[str, Any]:
    matter_id = owner["matter_id"]
    return {
        "from": owner["before"],
        "to": owner["after"],
        "rule": owner["rule"],
        "matter_clio_id": None if matter_id is None else str(matter_id),
    }
