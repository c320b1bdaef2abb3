"""Says why a person has a tag, an owner, or neither, and what happened to the person, in sentences.

The reasons of the rules are sentences already, with the numbers of matters. Here ids become names, and a reason says
where it can be changed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.api import schemas
from app.console.rendering import plural

SETTINGS: Mapping[
    str, tuple[str, str]
] = {  # by rule: the anchor on the page of settings, and the option's name
    "practice_area": ("practice_area-n", "Practice Area"),
    "related_practice_area": ("related_practice_area-n", "Related Practice Area"),
    "relationships": ("relationships-n", "Relationships"),
    "matter_number": ("matter_number-n", "Matter Number"),
    "matter_tag": ("matter_tag-n", "Matter Tags"),
    "location": ("location-n", "Location"),
    "company": ("company_representatives-n", "Company"),
    "custom_field": ("cf-n", "Custom Fields"),
}
ATTORNEY_RULES = ("responsible_attorney", "originating_attorney")
CAUSES: Mapping[str, str] = {
    "sync": "Found by a sync.",
    "settings": "The settings were changed.",
    "users": "Users or attorneys were changed.",
    "manual": "A person decided it.",
    "upgrade": "This service was updated.",
}
FIELDS: Mapping[str, str] = {
    "first_name": "first name", "middle_name": "middle name", "last_name": "last name", "prefix": "prefix",
    "title": "job title", "company": "company", "emails": "email addresses", "phones": "phone numbers",
    "addresses": "addresses", "key_facts": "Key Facts", "state": "state", "state_reason": "reason",
    "merged_into": "the contact it was merged into",
}  # fmt: skip
OWNER_RULES: Mapping[str, str] = {
    "responsible_attorney": "The responsible attorney of {matter} decides.",
    "originating_attorney": "The originating attorney of {matter} decides.",
    "primary_user": "The settings say that the Primary Levitate User owns everybody.",
    "fallback": "No attorney of a matter is a Levitate user, so the Primary Levitate User is the owner.",
    "unassigned": "No attorney of a matter is a Levitate user, and the settings leave such people unassigned.",
    "sticky": "The settings keep the owner whom this contact had.",
}
_ID = re.compile(r" \(\d+\)")
_DECIDES = re.compile(r"(responsible|originating) attorney (.+?) is \S+: decides")
_NOBODY = re.compile(r"(responsible|originating) attorney (.+?) is not an active Levitate user")
_PREFIXES = {
    "Open: ": "Has open matters: ",
    "Pending: ": "Has only pending and closed matters: ",
    "Closed: ": "Has only closed matters: ",
    "Client of ": "Is the client of ",
}


@dataclass(frozen=True)
class NotGrantedWords:
    """A tag that a person does not have: why, and what would change that, with the page where it can be changed."""

    label: str
    why: str
    next: str = ""
    page: str = ""
    anchor: str = ""


def sentence(text: str) -> str:
    """Return a reason as a sentence."""
    for prefix, words in _PREFIXES.items():
        text = words + text.removeprefix(prefix) if text.startswith(prefix) else text
    text = _ID.sub("", text)
    return text if text.endswith(".") else f"{text[:1].upper()}{text[1:]}."


def grant(one: schemas.TagGrant, category: str) -> str:
    """Return why a person has a tag."""
    return (
        "Everyone who is synced from Clio has this."
        if category == "default"
        else sentence(one.detail)
    )


def outcome(text: str) -> str:
    """Return what the rule of ownership found in a matter."""
    text = _ID.sub("", text)
    if text.startswith("not needed"):
        return "Not needed: an earlier one decided"
    text = _DECIDES.sub(r"Decided the owner: \2 is the \1 attorney", text)
    return _NOBODY.sub(r"\2, \1 attorney, is nobody in Levitate", text)


def not_granted(found: Sequence[schemas.NotGranted]) -> list[NotGrantedWords]:
    """Return the tags that the rules did not grant, each once with all reasons, and the setting that decides."""
    words: dict[str, NotGrantedWords] = {}
    for one in map(_not_granted, found):
        known = words.get(one.label)
        words[one.label] = replace(known, why=f"{known.why} {one.why}") if known else one
    return list(words.values())


def _not_granted(one: schemas.NotGranted) -> NotGrantedWords:
    why = sentence(one.why).replace(
        "the setting includes only these statuses:", "only matters with these statuses count:"
    )
    if one.rule in ATTORNEY_RULES:
        return NotGrantedWords(
            one.label, why, f"Choose who {one.label} is in Levitate", "attorneys"
        )
    anchor, name = SETTINGS.get(one.rule, ("", ""))
    if not anchor:
        return NotGrantedWords(one.label, why)
    return NotGrantedWords(one.label, why, f"Change the setting {name}", "settings", anchor)


def not_active(
    tags: Sequence[schemas.ExplainedTag], matters: Sequence[schemas.ConsideredMatter]
) -> NotGrantedWords | None:
    """Return why a client is no Active Client, None if the person is one or is no client."""
    labels = {tag.label for tag in tags if tag.category == "client_status"}
    if not labels or "Active Client" in labels:
        return None
    if not matters:
        return NotGrantedWords(
            "Active Client",
            "No connected login sees a matter of this client.",
            "Opening a matter in Clio would give this tag.",
        )
    rest = ", ".join(sorted(labels - {"Client"}))
    away = f" and take {rest} away" if rest else ""
    return NotGrantedWords(
        "Active Client",
        f"None of the {plural(len(matters), 'matter')} that count is open.",
        f"Opening one of them in Clio would give this tag{away}.",
    )


def change_title(line: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return what a change was: `Gained the tag Newsletter OK`."""
    kind, added, removed = line["kind"], line["tags_added"], line["tags_removed"]
    if kind == "contact.added":
        return f"Entered Levitate with {plural(len(added), 'tag')}"
    if kind == "contact.out_of_scope":
        return "Left Levitate"
    if kind == "contact.deleted":
        return "Was removed in Clio"
    parts = [
        f"gained {_listed(added)}" if added else "",
        f"lost {_listed(removed)}" if removed else "",
        _owner(line["owner"], names) if line["owner"] else "",
        _changed(line["fields"]),
    ]
    text = "; ".join(part for part in parts if part) or "changed"
    return text[:1].upper() + text[1:]


def _listed(labels: Sequence[str]) -> str:
    return f"the {'tag' if len(labels) == 1 else 'tags'} {', '.join(labels)}"


def _owner(change: Mapping[str, Any], names: Mapping[str, str]) -> str:
    before, after = (_user(change[key], names) for key in ("from", "to"))
    return f"owner changed from {before} to {after}"


def _user(user_id: str | None, names: Mapping[str, str]) -> str:
    return "nobody" if user_id is None else names.get(user_id, "a former user")


def _changed(fields: Mapping[str, Any]) -> str:
    named = [FIELDS.get(name, name.replace("_", " ")) for name in fields]
    return f"changed {', '.join(named)}" if named else ""


def owner_reason(owner: schemas.Owner, number: str | None) -> str:
    """Return why somebody owns a person."""
    text = OWNER_RULES.get(owner.rule, "The rule of ownership decided it.")
    return text.replace("{matter}", number or "a matter")
