"""The writable attributes of a communication: a call or an e-mail with its participants.

A communication can be found by an external property.
"""

from datetime import datetime
from typing import Any

from app.simulator.store.document_writes import WritableSpec
from app.simulator.store.firm import Firm, Record
from app.simulator.store.refusals import not_found
from app.simulator.store.value_checks import invalid, one_of, reference, text, timestamp

MAX_EXTERNAL_PROPERTIES = 5


def _participants(firm: Firm, user_id: int, value: Any) -> list[Record]:
    """Accept participants of type Contact or User. They are stored as Person, Company or User."""
    if not isinstance(value, list):
        raise invalid("participants must be a list")
    return [_participant(firm, user_id, item) for item in value]


def _participant(firm: Firm, user_id: int, item: Any) -> Record:
    if not isinstance(item, dict) or set(item) != {"id", "type"}:
        raise invalid("a participant has an id and a type")
    kind, record_id = item["type"], item["id"]
    if kind not in ("Contact", "User") or not isinstance(record_id, int):
        raise invalid("a participant is a Contact or a User")
    found = firm.find(kind.lower(), record_id)
    if found is None or not firm.sees(user_id, kind.lower(), record_id):
        raise not_found("The participant could not be found")
    stored_type = found.get("type", "Person") if kind == "Contact" else "User"
    return {
        "id": record_id,
        "type": stored_type,
        "name": found.get("name"),
        "etag": found.get("etag"),
    }


def _external_properties(_firm: Firm, _user_id: int, value: Any) -> list[Record]:
    if not isinstance(value, list) or len(value) > MAX_EXTERNAL_PROPERTIES:
        raise invalid(f"at most {MAX_EXTERNAL_PROPERTIES} external_properties")
    for item in value:
        if not isinstance(item, dict) or set(item) != {"name", "value"}:
            raise invalid("an external property has a name and a value")
        if not all(isinstance(item[name], str) and item[name] for name in ("name", "value")):
            raise invalid("an external property has a name and a value")
    return [{"id": number, **item} for number, item in enumerate(value, start=1)]


def _complete(record: Record) -> Record:
    """Check the attributes together, and add the defaults."""
    if not record["body"] or not record["subject"]:
        raise invalid("body and subject must not be empty")
    record.setdefault("senders", [])
    record.setdefault("receivers", [])
    record.setdefault("external_properties", [])
    record["date"] = datetime.fromisoformat(record["received_at"]).date().isoformat()
    return record


COMMUNICATION = WritableSpec(
    kind="communication",
    checks={
        "type": one_of("PhoneCommunication", "EmailCommunication"),
        "subject": text,
        "body": text,
        "received_at": timestamp,
        "matter": reference("matter"),
        "senders": _participants,
        "receivers": _participants,
        "external_properties": _external_properties,
    },
    required=frozenset({"type", "subject", "body", "received_at"}),
    changeable=frozenset({"subject", "body", "received_at"}),
    author_field="user_id",
    complete=_complete,
)
