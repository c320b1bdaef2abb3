"""Communications: calls and e-mails with their participants; they can be found by an external property."""

from datetime import datetime
from typing import Any

from app.simulator.store.firm import Firm, Record
from app.simulator.store.papers import (
    PaperRule,
    Refused,
    containing,
    equal,
    linked,
    moment,
    one_of,
    since,
    text,
)

MOST_PROPERTIES = 5


def _participants(firm: Firm, user_id: int, value: Any) -> list[Record]:
    """Written as Contact or User, kept as what they are: Person, Company or User."""
    if not isinstance(value, list):
        raise Refused(422, "participants must be a list")
    return [_participant(firm, user_id, item) for item in value]


def _participant(firm: Firm, user_id: int, item: Any) -> Record:
    if not isinstance(item, dict) or set(item) != {"id", "type"}:
        raise Refused(422, "a participant has an id and a type")
    kind, record_id = item["type"], item["id"]
    if kind not in ("Contact", "User") or not isinstance(record_id, int):
        raise Refused(422, "a participant is a Contact or a User")
    found = firm.find(kind.lower(), record_id)
    if found is None or not firm.sees(user_id, kind.lower(), record_id):
        raise Refused(404, "The participant could not be found")
    shown = found.get("type", "Person") if kind == "Contact" else "User"
    return {"id": record_id, "type": shown, "name": found.get("name"), "etag": found.get("etag")}


def _properties(_firm: Firm, _user: int, value: Any) -> list[Record]:
    if not isinstance(value, list) or len(value) > MOST_PROPERTIES:
        raise Refused(422, f"at most {MOST_PROPERTIES} external_properties")
    for item in value:
        if not isinstance(item, dict) or set(item) != {"name", "value"}:
            raise Refused(422, "an external property has a name and a value")
        if not all(isinstance(item[name], str) and item[name] for name in ("name", "value")):
            raise Refused(422, "an external property has a name and a value")
    return [{"id": nth, **item} for nth, item in enumerate(value, start=1)]


def _finish(_firm: Firm, record: Record) -> Record:
    if not record["body"] or not record["subject"]:
        raise Refused(422, "body and subject must not be empty")
    record.setdefault("senders", [])
    record.setdefault("receivers", [])
    record.setdefault("external_properties", [])
    record["date"] = datetime.fromisoformat(record["received_at"]).date().isoformat()
    return record


def _with_contact(record: Record, value: str) -> bool:
    people = [*record["senders"], *record["receivers"]]
    return any(str(person["id"]) == value and person["type"] != "User" for person in people)


def _property(part: str) -> Any:
    return lambda record, value: any(item[part] == value for item in record["external_properties"])


_PERSON = frozenset(["id", "etag", "type", "name", "identifier", "enabled"])
COMMUNICATIONS = PaperRule(
    name="communication",
    writable={
        "type": one_of("PhoneCommunication", "EmailCommunication"),
        "subject": text,
        "body": text,
        "received_at": moment,
        "matter": linked("matter"),
        "senders": _participants,
        "receivers": _participants,
        "external_properties": _properties,
    },
    required=frozenset({"type", "subject", "body", "received_at"}),
    changeable=frozenset({"subject", "body", "received_at"}),
    plain=frozenset(
        [
            "id",
            "etag",
            "type",
            "subject",
            "body",
            "date",
            "received_at",
            "created_at",
            "updated_at",
            "time_entries_count",
        ]
    ),
    nested={
        "matter": frozenset({"id", "etag"}),
        "user": frozenset({"id", "etag", "name"}),
        "senders": _PERSON,
        "receivers": _PERSON,
        "external_properties": frozenset({"id", "etag", "name", "value"}),
    },
    filters={
        "type": equal("type"),
        "contact_id": _with_contact,
        "matter_id": equal("matter"),
        "user_id": equal("author"),
        "date": equal("date"),
        "created_since": since("created_at"),
        "updated_since": since("updated_at"),
        "received_since": since("received_at"),
        "external_property_name": _property("name"),
        "external_property_value": _property("value"),
        "query": containing("subject", "body"),
    },
    finish=_finish,
    default_order="date(asc)",
)
