"""Decide whether two Clio contacts look like the same person or company. This tells a merge from a new client [S6]."""

from app.rules.profile import emails, names
from app.rules.records import ContactRecord
from app.rules.results import Profile
from app.rules.texts import compared


def is_same_contact(one: ContactRecord, other: ContactRecord) -> bool:
    """Return whether both are people, or both companies, and match by name or e-mail address."""
    return one.is_person == other.is_person and is_same_person(_profile(one), _profile(other))


def is_same_person(one: Profile, other: Profile) -> bool:
    """Return whether the full names are equal, or any e-mail address is equal.

    How a name is split into first and last name does not matter.
    """
    name = folded_name(one)
    return bool(name and name == folded_name(other)) or bool(_addresses(one) & _addresses(other))


def _profile(record: ContactRecord) -> Profile:
    first, last = names(record)
    return Profile(first_name=first, last_name=last, emails=emails(record.emails))


def _addresses(profile: Profile) -> set[str]:
    return {compared(email.address) for email in profile.emails}


def folded_name(profile: Profile) -> str:
    """Return the full name as names are compared; empty if there is none."""
    parts = (profile.first_name, profile.last_name)
    return compared(" ".join(part for part in parts if part))
