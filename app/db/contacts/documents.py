"""Contacts as JSON documents of the REST API and the change feed."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from msgspec import to_builtins

from app.db.contacts.contacts import StoredContact
from app.rules.results import Company, KeyFact, OwnerView


def contact_document(contact: StoredContact, *, clio_origin: str) -> dict[str, Any]:
    """Return the contact as the REST API shows it; `clio_origin` is the origin of Clio's web pages."""
    document: dict[str, Any] = to_builtins(contact_parts(contact, clio_origin=clio_origin))
    return document


def contact_parts(contact: StoredContact, *, clio_origin: str) -> dict[str, Any]:
    """Return the contact as the REST API shows it, for msgspec to encode: parts of it are Structs without defaults."""
    view, profile = contact.view, contact.view.profile
    return {
        "id": contact.contact_id,
        "clio_id": str(contact.clio_id),
        "clio_url": f"{clio_origin}/nc/#/contacts/{contact.clio_id}",
        "version": contact.version,
        "state": view.state,
        "state_reason": view.state_reason,
        "first_name": profile.first_name,
        "middle_name": profile.middle_name,
        "last_name": profile.last_name,
        "prefix": profile.prefix,
        "title": profile.title,
        "company": _company(profile.company),
        "emails": profile.emails,
        "phones": profile.phones,
        "addresses": profile.addresses,
        "tags": [
            {"label": tag.label, "category": tag.category, "restricted": tag.restricted}
            for tag in view.tags
        ],
        "owner": _owner(view.owner),
        "key_facts": _key_facts(view.key_facts),
        "merged_into": view.merged_into,
        "first_synced_at": format_time(contact.first_synced_at),
        "updated_at": format_time(contact.updated_at),
    }


def field_parts(name: str, value: Any) -> Any:
    """Return an earlier value of a field of a contact as it would be in `contact_parts`."""
    if name == "company":
        return _company(value)
    return _key_facts(value) if name == "key_facts" else value


def _company(company: Company | None) -> dict[str, Any] | None:
    return {"clio_id": str(company.clio_id), "name": company.name} if company else None


def _key_facts(facts: Iterable[KeyFact]) -> list[dict[str, Any]]:
    """Return key facts; only a custom date has `field_id`, only a doubtful value has `flag`."""
    return [
        {
            "kind": fact.kind,
            "label": fact.label,
            "value": fact.value,
            **({"field_id": str(fact.field_id)} if fact.field_id is not None else {}),
            **({"flag": fact.flag} if fact.flag is not None else {}),
        }
        for fact in facts
    ]


def _owner(owner: OwnerView | None) -> dict[str, Any] | None:
    if owner is None:
        return None
    return {
        "user_id": owner.user_id,
        "rule": owner.rule,
        "matter_clio_id": None if owner.matter_id is None else str(owner.matter_id),
        "detail": owner.detail,
    }


@lru_cache(maxsize=256)  # contacts of one batch have the same times
def format_time(moment: datetime) -> str:
    """Return a moment as RFC 3339 in UTC with `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
