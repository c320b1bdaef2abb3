"""The data mapping: a person's names, addresses and phone numbers as Levitate gets them [DM-1..9]."""

from collections.abc import Iterable
from typing import TypeVar

from app.rules.facts import ContactFacts
from app.rules.phone_numbers import find_numbers
from app.rules.records import Address, ContactRecord, Email, Phone
from app.rules.results import Company, ContactAddress, ContactEmail, ContactPhone, Profile
from app.rules.texts import compared, shown, usable_address

F = TypeVar("F", Email, Phone)


def profile(facts: ContactFacts, country: str, *, primary_email_only: bool = False) -> Profile:
    """Return a person's profile; phone numbers without a country code belong to the account's country [DM-1..8].

    With `primary_email_only` the profile has only the first e-mail address [CS-5].
    """
    contact = facts.contact
    first, last = names(contact)
    return Profile(
        first_name=first,
        middle_name=shown(contact.middle_name),
        last_name=last,
        prefix=shown(contact.prefix),
        title=shown(contact.title),
        company=_company(facts),
        emails=emails(contact.emails)[: 1 if primary_email_only else None],
        phones=phones(contact.phones, country),
        addresses=addresses(contact.addresses),
    )


def names(contact: ContactRecord) -> tuple[str | None, str | None]:
    """Return first and last name. If both are empty, the last word of `name` is the last name [DM-1, row 14]."""
    first, last = shown(contact.first_name), shown(contact.last_name)
    if first or last:
        return first, last
    words = (shown(contact.name) or "").split()
    return " ".join(words[:-1]) or None, words[-1] if words else None


def emails(listed: Iterable[Email]) -> tuple[ContactEmail, ...]:
    """Return the e-mail addresses, the primary first, without unusable and repeated ones [DM-4, rows 15, 51]."""
    kept: dict[str, ContactEmail] = {}
    for email in _primary_first(listed):
        address = usable_address(email.address)
        if address and (key := compared(address)) not in kept:
            kept[key] = ContactEmail(address, shown(email.kind), primary=not kept)
    return tuple(kept.values())


def phones(listed: Iterable[Phone], country: str) -> tuple[ContactPhone, ...]:
    """Return the phone numbers, the primary first, then in Clio's order; valid ones in E.164 [DM-5, DM-7].

    Each number of a field is a phone with the same `raw`; without a valid number the field is one phone [row 50].
    """
    kept: list[ContactPhone] = []
    for phone in _primary_first(listed):
        if not compared(phone.number):
            continue
        raw, kind = phone.number.strip(), shown(phone.kind)
        for number in find_numbers(raw, country) or (None,):
            kept.append(ContactPhone(number, raw, kind, primary=not kept))
    return tuple(kept)


def addresses(listed: Iterable[Address]) -> tuple[ContactAddress, ...]:
    """Return the addresses in Clio's order. The first is primary; Clio's own flag is kept too [DM-6, DM-8, C-8]."""
    kept: list[ContactAddress] = []
    for address in listed:
        parts = (
            address.street,
            address.city,
            address.province,
            address.postal_code,
            address.country,
        )
        street, city, state, postal_code, country = map(shown, parts)
        if street or city or state or postal_code or country:
            kept.append(
                ContactAddress(
                    kind=shown(address.kind),
                    street=street,
                    city=city,
                    state=state,
                    postal_code=postal_code,
                    country=country,
                    primary=not kept,
                    clio_primary=address.primary,
                )
            )
    return tuple(kept)


def _primary_first(listed: Iterable[F]) -> list[F]:
    return sorted(listed, key=lambda item: not item.primary)


def _company(facts: ContactFacts) -> Company | None:
    """Return the company with the current name of its own contact, or else the name in the person's record [DM-9]."""
    contact = facts.contact
    if contact.company_id is None:
        return None
    known = facts.company.name if facts.company else None
    return Company(contact.company_id, shown(known) or shown(contact.company_name))
