"""Whether two Clio contacts look like one person or company: what tells a merge from a new client [S6]."""

from app.rules.records import ContactRecord


def same_contact(one: ContactRecord, other: ContactRecord) -> bool:
    """Both are persons, or both companies, with the same name or an e-mail address in common."""
    if one.is_person != other.is_person:
        return False
    names = _name(one), _name(other)
    addresses = [
        {email.address.strip().casefold() for email in record.emails} for record in (one, other)
    ]
    return bool(names[0] and names[0] == names[1]) or bool(addresses[0] & addresses[1])


def _name(record: ContactRecord) -> str:
    parts = [record.first_name, record.last_name]
    name = " ".join(part for part in parts if part) or record.name or ""
    return " ".join(name.casefold().split())
