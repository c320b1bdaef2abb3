"""Who belongs in Levitate: clients always; related people and everybody else where the firm wants them.

What keeps somebody out is asked in a fixed order, and the first that does gives the reason [CS-8, row 23].
"""

import fnmatch
import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from app.rules.custom_values import is_ticked, value_of
from app.rules.labels import fold_label
from app.rules.results import Basis, Scope, Tag
from app.rules.settings import Segment
from app.rules.subject import Subject

NO_NAME_OR_EMAIL = "no_name_or_email"
_CLIENTS = {
    Basis.FLAG: "Clio flags this person as a client",
    Basis.MATTER: "The person is the client of a matter",
    Basis.COMPANY: "The person represents a company that is a client",
}


def scope(subject: Subject) -> Scope:
    """Whether the contact is in scope, by which rule, and what keeps it out; segments are asked later [CS-1..8]."""
    company = _company(subject)
    if company is not None:
        return company
    found = _truth_table(subject)
    if not found.in_scope:
        return found
    return _minimum_data(subject) or _opt_out(subject) or found


def _company(subject: Subject) -> Scope | None:
    """Companies are never contacts, nor is what Clio does not call a person [CS-7]."""
    if subject.contact.is_person:
        return None
    return Scope(False, "company", "Only individuals are synced, never companies", "not_a_client")


def _truth_table(subject: Subject) -> Scope:
    """Clients, related people, everybody else: the scope's truth table [CS-1..4, C-9]."""
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
    """Those with a relationship to a visible matter, of whatever status, where the firm wants them [CS-4]."""
    if not (subject.related and subject.settings.scope.include_related):
        return None
    link = subject.related[0]
    role = (link.description or "").strip() or "related"
    where = link.matter.number or f"matter {link.matter.clio_id}"
    return Scope(True, "include_related", f"Connected to {where} ({role})")


def _as_non_client(subject: Subject) -> Scope | None:
    """Every remaining person, where the firm wants them [CS-3]."""
    if not subject.settings.scope.include_non_clients:
        return None
    return Scope(True, "include_non_clients", "The firm includes people who are not clients")


def _not_admitted(subject: Subject) -> Scope:
    """Why a person who is no client is out: a switch made for such people is off, else that itself [CS-2, CS-8]."""
    if subject.related:
        return Scope(False, "include_related", "Related people are not included", "settings")
    if subject.company_is_client:
        detail = f"People of {subject.company_name}, a client, do not stand for it here"
        return Scope(False, "company_representatives", detail, "settings")
    detail = "Neither flagged as a client nor client of a matter"
    return Scope(False, "clients", detail, "not_a_client")


def _minimum_data(subject: Subject) -> Scope | None:
    """Somebody with neither a name nor an e-mail address is of no use in Levitate [DM-10]."""
    profile = subject.profile
    if profile.first_name or profile.last_name or profile.emails:
        return None
    detail = "The person has neither a name nor an e-mail address"
    return Scope(False, "minimum_data", detail, NO_NAME_OR_EMAIL)


def _opt_out(subject: Subject) -> Scope | None:
    """The firm's opt-out checkbox is ticked [S8].

    It counts as long as the settings name the field, also when the field was deleted in Clio: nobody
    comes back to a mailing because a field was tidied away.
    """
    field_id = subject.settings.scope.opt_out_field_id
    if field_id is None:
        return None
    found = value_of(subject.contact, field_id)
    if found is None or not is_ticked(found.value):
        return None
    field = subject.firm.fields.get(field_id)
    name = (field.name if field else None) or f"field {field_id}"
    return Scope(False, "opt_out_field_id", f"{name} is ticked in Clio", "opt_out")


def segment(tags: Sequence[Tag], wanted: Segment) -> Scope | None:
    """What keeps somebody out by its tags, asked after all tag rules; labels compare as tags do [CS-6, TG-21]."""
    labels = {fold_label(tag.label): tag.label for tag in tags}
    unwanted = [labels[name] for name in map(fold_label, wanted.exclude_any) if name in labels]
    if unwanted:
        return Scope(False, "segment", f"Has the tag {unwanted[0]}", "segment")
    if wanted.include_any and labels.keys().isdisjoint(map(fold_label, wanted.include_any)):
        return Scope(False, "segment", f"Has none of {', '.join(wanted.include_any)}", "segment")
    return None


def _excluded_role(subject: Subject) -> str | None:
    """The first excluded role that the person has in a visible matter, in words [CS-4, row 1]."""
    matches = role_pattern(subject.settings.scope.related_role_exclude)
    for link in subject.related:
        role = (link.description or "").strip()
        if matches(role):
            where = link.matter.number or f"matter {link.matter.clio_id}"
            return (
                f"{role or 'A relationship without a description'} in {where} is an excluded role"
            )
    return None


@lru_cache(maxsize=256)
def role_pattern(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """Tell whether a role is on the list: `*` is any run of characters, all else is literal [row 1].

    Both sides are trimmed and case-folded; an empty role is matched by `*` alone.
    """
    wanted = [pattern.strip().casefold() for pattern in patterns]
    literally = (re.sub(r"[?[]", r"[\g<0>]", pattern) for pattern in wanted)
    listed = [re.compile(fnmatch.translate(pattern)) for pattern in literally]
    anything = "*" in wanted

    def matches(role: str) -> bool:
        name = role.strip().casefold()
        return anything or bool(name and any(pattern.match(name) for pattern in listed))

    return matches
