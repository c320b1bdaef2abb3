"""The scope rules: which contacts belong in Levitate.

Clients always do; related people and other people do if the firm's settings include them. The checks run in a fixed
order, and the first one that excludes a contact gives the reason [CS-8, row 23].
"""

import fnmatch
import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from app.rules.custom_values import is_ticked, value_of
from app.rules.results import Basis, Scope, Tag
from app.rules.settings import Segment
from app.rules.subject import Subject
from app.rules.texts import compared, shown

NO_NAME_OR_EMAIL = "no_name_or_email"
_CLIENTS = {
    Basis.FLAG: "This person is marked as a client in Clio",
    Basis.MATTER: "This person is the client of a matter",
    Basis.COMPANY: "This person represents a company that is a client",
}


def scope(subject: Subject) -> Scope:
    """Return whether the contact is in scope, by which rule, and why not. `segment` is checked later [CS-1..8]."""
    company = _company(subject)
    if company is not None:
        return company
    found = _truth_table(subject)
    if not found.in_scope:
        return found
    return _minimum_data(subject) or _opt_out(subject) or found


def _company(subject: Subject) -> Scope | None:
    """Exclude companies, and contacts that Clio does not call a person [CS-7]."""
    if subject.contact.is_person:
        return None
    return Scope(False, "company", "Only people are synced, not companies", "not_a_client")


def _truth_table(subject: Subject) -> Scope:
    """Apply the truth table of the scope: clients, related people, everybody else [CS-1..4, C-9]."""
    if subject.client is not None:
        return Scope(True, "clients", _CLIENTS[subject.client.basis])
    excluded = _excluded_role(subject)
    if excluded is not None:
        return Scope(False, "related_role_exclude", excluded, "role_excluded")
    for admits in (_as_related, _as_non_client):
        found = admits(subject)
        if found is not None:
            return found
    return _not_admitted(subject)


def _as_related(subject: Subject) -> Scope | None:
    """Admit a person related to a visible matter of any status, if the firm includes related people [CS-4]."""
    if not (subject.related and subject.settings.scope.include_related):
        return None
    link = subject.related[0]
    role = shown(link.description) or "related"
    where = link.matter.number or f"matter {link.matter.clio_id}"
    return Scope(True, "include_related", f"This person is related to {where} ({role})")


def _as_non_client(subject: Subject) -> Scope | None:
    """Admit every other person, if the firm includes people who are not clients [CS-3]."""
    if not subject.settings.scope.include_non_clients:
        return None
    return Scope(True, "include_non_clients", "The settings include people who are not clients")


def _not_admitted(subject: Subject) -> Scope:
    """Return why a person who is not a client is excluded.

    If a setting could include the person, the reason is that setting; otherwise it is `not_a_client` [CS-2, CS-8].
    """
    if subject.related:
        return Scope(
            False, "include_related", "The settings do not include related people", "settings"
        )
    if subject.company_is_client:
        detail = (
            f"This person works for {subject.company_name}, which is a client,"
            " but the settings do not include representatives of companies"
        )
        return Scope(False, "company_representatives", detail, "settings")
    detail = "This person is not marked as a client in Clio and is not the client of a matter"
    return Scope(False, "clients", detail, "not_a_client")


def _minimum_data(subject: Subject) -> Scope | None:
    """Exclude a person with neither a name nor an e-mail address: Levitate cannot use such a contact [DM-10]."""
    profile = subject.profile
    if profile.first_name or profile.last_name or profile.emails:
        return None
    detail = "This person has no name and no e-mail address"
    return Scope(False, "minimum_data", detail, NO_NAME_OR_EMAIL)


def _opt_out(subject: Subject) -> Scope | None:
    """Exclude a person whose opt-out checkbox is ticked [S8].

    The checkbox counts as long as the settings name the field, even if the field was deleted in Clio. Deleting a field
    must not put people back on a mailing list.
    """
    field_id = subject.settings.scope.opt_out_field_id
    if field_id is None:
        return None
    found = value_of(subject.contact, field_id)
    if found is None or not is_ticked(found.value):
        return None
    field = subject.firm.fields.get(field_id)
    name = (field.name if field else None) or f"field {field_id}"
    return Scope(
        False, "opt_out_field_id", f"The opt-out field “{name}” is ticked in Clio", "opt_out"
    )


def segment(tags: Sequence[Tag], wanted: Segment) -> Scope | None:
    """Return why the tags exclude a contact, or None. Labels are compared as tags are [CS-6, TG-21].

    Call it after all tag rules.
    """
    if not wanted.include_any and not wanted.exclude_any:
        return None
    labels = {compared(tag.label): tag.label for tag in tags}
    unwanted = [labels[name] for name in map(compared, wanted.exclude_any) if name in labels]
    if unwanted:
        detail = f"The segment excludes the tag {unwanted[0]}"
        return Scope(False, "segment", detail, "segment")
    if wanted.include_any and labels.keys().isdisjoint(map(compared, wanted.include_any)):
        detail = f"This person has none of the segment's tags: {', '.join(wanted.include_any)}"
        return Scope(False, "segment", detail, "segment")
    return None


def _excluded_role(subject: Subject) -> str | None:
    """Return a sentence on the first excluded role that the person has in a visible matter, or None [CS-4, row 1]."""
    matches = role_pattern(subject.settings.scope.related_role_exclude)
    for link in subject.related:
        role = shown(link.description) or ""
        if matches(role):
            where = link.matter.number or f"matter {link.matter.clio_id}"
            named = f"the role {role}" if role else "a relationship without a description"
            return f"This person has {named} in {where}; the settings exclude this role"
    return None


@lru_cache(maxsize=256)
def role_pattern(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """Return a function that says whether a role matches one of the patterns [row 1].

    `*` stands for any characters, everything else is literal. Patterns and roles are compared as row 51 says. Only the
    pattern `*` matches an empty role.
    """
    folded = [compared(pattern) for pattern in patterns]
    escaped = (re.sub(r"[?[]", r"[\g<0>]", pattern) for pattern in folded)
    compiled = [re.compile(fnmatch.translate(pattern)) for pattern in escaped]
    matches_all = "*" in folded

    def matches(role: str) -> bool:
        name = compared(role)
        return matches_all or bool(name and any(pattern.match(name) for pattern in compiled))

    return matches
