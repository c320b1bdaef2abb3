"""Changes of contacts, in the form of lines of the change feed, as they may be shown to an audience.

The feed itself is for the backend and is never limited. A line has no reasons: of its labels only those are shown that
the audience sees as tags of the contact now, and those that come from the contact's own record.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.db.contacts import visible_contacts
from app.db.contacts.visible_contacts import Asked
from app.db.mirror.audience import Audience
from app.db.session import Session
from app.rules.results import Assessment, Category
from app.rules.texts import compared
from app.rules.visible_parts import (
    NOT_SHOWN,
    OWN_REASONS,
    Seen,
    is_visible_fact,
    visible_assessment,
)

Line = Mapping[str, Any]

_FIELDS = {  # the fields of Clio's record, one of which must be shown
    "first_name": ("first_name", "name"),
    "last_name": ("last_name", "name"),
    **{
        name: (name,)
        for name in ("middle_name", "prefix", "title", "emails", "phones", "addresses")
    },
}
_EMPTY: Mapping[str, Any] = {"emails": [], "phones": [], "addresses": []}
_OWN_RULES = frozenset({"primary_user", "fallback", "unassigned"})  # no matter has decided


async def limit_lines(
    session: Session, account_id: str, audience: Audience, lines: Sequence[Line]
) -> list[Line]:
    """Return the lines of the contacts whom the audience sees, in their order, with the parts that it may be shown."""
    if audience.login is None or not lines:
        return list(lines)
    clio_ids = {int(line["clio_id"]) for line in lines}
    known = await visible_contacts.load_by_clio_id(session, account_id, audience, clio_ids)
    assessments = {clio_id: one.assessment for clio_id, one in known.items()}
    found = await limit_assessed(session, account_id, audience, lines, assessments)
    return list(found)


async def limit_assessed(
    session: Session,
    account_id: str,
    audience: Audience,
    lines: Sequence[Line],
    assessments: Mapping[int, Assessment],
) -> list[Line]:
    """Do the same for lines of contacts with these assessments."""
    if audience.login is None:
        return list(lines)
    named = Asked(assessments, matters=_matters(lines), companies=_companies(lines))
    seen = await visible_contacts.load_seen(session, account_id, audience, named)
    labels = {
        clio_id: _labels(visible_assessment(assessments[clio_id], one))
        for clio_id, one in seen.items()
    }
    return [
        _visible(line, seen[clio_id], labels[clio_id])
        for line in lines
        if (clio_id := int(line["clio_id"])) in seen
    ]


def _labels(assessment: Assessment) -> frozenset[str]:
    return frozenset(compared(tag.label) for tag in assessment.tags)


def _matters(lines: Iterable[Line]) -> set[int]:
    """Return the matters that lines give as the reasons of owners."""
    owners = [
        part for line in lines for part in (line["owner"], (line["contact"] or {}).get("owner"))
    ]
    return {int(one["matter_clio_id"]) for one in owners if one and one["matter_clio_id"]}


def _companies(lines: Iterable[Line]) -> set[int]:
    """Return the companies that lines name."""
    found = [(line["contact"] or {}).get("company") for line in lines]
    found += [value for line in lines for value in line["fields"].get("company", {}).values()]
    return {int(one["clio_id"]) for one in found if one}


def _visible(line: Line, seen: Seen, labels: frozenset[str]) -> Line:
    contact = line["contact"]
    own = _own_labels(contact["tags"], seen) if contact else frozenset[str]()
    return {
        **line,
        "fields": _changed_fields(line["fields"], seen),
        "tags_added": [one for one in line["tags_added"] if compared(one) in labels | own],
        "tags_removed": [one for one in line["tags_removed"] if compared(one) in labels],
        "owner": _owner(line["owner"], seen),
        "contact": visible_document(contact, seen, labels) if contact else None,
    }


def visible_document(contact: Line, seen: Seen, labels: frozenset[str]) -> Line:
    """Return an earlier state of a contact with the parts that may be shown; `labels` are those of its tags now."""
    shown = labels | _own_labels(contact["tags"], seen)
    return {
        **{name: _field(name, value, seen) for name, value in contact.items()},
        "tags": [tag for tag in contact["tags"] if compared(tag["label"]) in shown],
        "owner": _owner(contact["owner"], seen),
    }


def _own_labels(tags: Iterable[Mapping[str, Any]], seen: Seen) -> frozenset[str]:
    """Return the labels that come from the contact's own record, as far as Clio shows it."""
    own = {
        Category.DEFAULT: True,
        Category.LOCATION: seen.shows("addresses"),
        Category.CUSTOM_FIELD: seen.reads_custom_fields,
    }
    return frozenset(compared(tag["label"]) for tag in tags if own.get(tag["category"], False))


def _changed_fields(fields: Mapping[str, Mapping[str, Any]], seen: Seen) -> dict[str, Any]:
    """Return the values before and after, of those fields in which a difference may be shown."""
    shown = {
        name: {side: _field(name, value, seen) for side, value in change.items()}
        for name, change in fields.items()
    }
    return {name: change for name, change in shown.items() if change["from"] != change["to"]}


def _field(name: str, value: Any, seen: Seen) -> Any:
    """Return a field of a contact, or its empty value if it may not be shown."""
    if name in _FIELDS:
        return value if seen.shows(*_FIELDS[name]) else _EMPTY.get(name)
    if name == "company":
        return value if value and int(value["clio_id"]) in seen.contacts else None
    if name == "state_reason":
        return value if value in OWN_REASONS else None
    if name == "key_facts":
        return [fact for fact in value or () if _is_visible(fact, seen)]
    return None if name == "merged_into" else value


def _is_visible(fact: Mapping[str, Any], seen: Seen) -> bool:
    field_id = fact.get("field_id")
    return is_visible_fact(fact["kind"], None if field_id is None else int(field_id), seen)


def _owner(owner: Mapping[str, Any] | None, seen: Seen) -> Mapping[str, Any] | None:
    """Return an owner or a change of owner, without its reason if that is a matter that the login does not see."""
    if owner is None:
        return None
    matter = owner["matter_clio_id"]
    if matter and int(matter) in seen.matters:
        return owner
    rule = owner["rule"] if owner["rule"] in _OWN_RULES or owner["rule"] is None else NOT_SHOWN
    hidden = {"rule": rule, "matter_clio_id": None}
    return {**owner, **hidden, **({"detail": None} if "detail" in owner else {})}
