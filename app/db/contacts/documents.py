"""Contacts as JSON documents of the REST API and the change feed."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from app.db.contacts.contacts import StoredContact, views


def contact_document(contact: StoredContact, *, clio_origin: str) -> dict[str, Any]:
    """Return the contact as the REST API shows it; `clio_origin` is the origin of Clio's web pages."""
    view = views.adapter.dump_python(contact.view, mode="json")
    profile = view.pop("profile")
    owner = view.pop("owner")
    return {
        "id": contact.contact_id,
        "clio_id": str(contact.clio_id),
        "clio_url": f"{clio_origin}/nc/#/contacts/{contact.clio_id}",
        "version": contact.version,
        "state": view["state"],
        "state_reason": view["state_reason"],
        **{name: profile[name] for name in ("first_name", "middle_name", "last_name")},
        **{name: profile[name] for name in ("prefix", "title")},
        "company": field_document("company", profile["company"]),
        **{name: profile[name] for name in ("emails", "phones", "addresses")},
        "tags": view["tags"],
        "owner": owner and owner_document(owner),
        "key_facts": field_document("key_facts", view["key_facts"]),
        "merged_into": view["merged_into"],
        "first_synced_at": format_time(contact.first_synced_at),
        "updated_at": format_time(contact.updated_at),
    }


def field_document(name: str, value: Any) -> Any:
    """Return one field of a contact as the REST API shows it; Clio's ids are strings there."""
    if name == "company" and value:
        return {**value, "clio_id": str(value["clio_id"])}
    return [_key_fact(fact) for fact in value] if name == "key_facts" else value


def _key_fact(fact: Mapping[str, Any]) -> dict[str, Any]:
    """Return a key fact; only a custom date has `field_id`, only a doubtful value has `flag`."""
    field_id, flag = fact["field_id"], fact["flag"]
    return {
        **{name: fact[name] for name in ("kind", "label", "value")},
        **({"field_id": str(field_id)} if field_id is not None else {}),
        **({"flag": flag} if flag is not None else {}),
    }


def owner_document(owner: Mapping[str, Any]) -> dict[str, Any]:
    """Return an owner as the REST API shows it."""
    matter_id = owner["matter_id"]
    return {
        "user_id": owner["user_id"],
        "rule": owner["rule"],
        "matter_clio_id": None if matter_id is None else str(matter_id),
        "detail": owner["detail"],
    }


def format_time(moment: datetime) -> str:
    """Return a moment as RFC 3339 in UTC with `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
