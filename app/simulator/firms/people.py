"""The people and companies of a seeded firm, with bad data. The same seed gives the same people."""

from datetime import date, timedelta

from app.simulator.firms.custom_values import contact_values
from app.simulator.firms.seeding import Seeding
from app.simulator.store.firm import Record

_FIRST = (
    "Mary", "James", "Patricia", "Robert", "Jennifer", "Michael", "Linda", "David", "Elizabeth",
    "William", "Zoë", "José", "Søren", "Łukasz", "Ngọc", "Amélie", "Björn", "Chiara", "Dmitri",
    "Eun-ji", "Fátima", "Gül", "Hiroshi", "Ingrid", "Jürgen", "Kaja", "Lars", "Mónica", "Noël", "Öykü",
    "Paweł", "Renée", "Siân", "Tomáš"
)  # fmt: skip
_LAST = (
    "Smith", "Johnson", "Williams", "Brown", "Jones", "García", "Miller", "Davis", "Rodríguez",
    "Martínez", "Hernández", "López", "Müller", "Nguyễn", "O'Neill", "Šimić", "Ångström", "Brontë",
    "Çelik", "D'Angelo", "Ferreira", "Gómez", "Håkansson", "Ivanović", "Jørgensen", "Kowalski",
    "Lefèvre", "Moßner", "Núñez", "Österberg", "Peña", "Quiñones", "Rousseau", "Strauß", "Tănase",
    "Ünal", "Villanueva", "Wójcik", "Yildiz", "Zając"
)  # fmt: skip
_TRADES = (
    "Bakery", "Holdings", "Logistics", "Partners", "Foods", "Analytics", "Roofing", "Marine",
    "Textiles", "Dental", "Motors", "Studios"
)  # fmt: skip
_SHARED = ("info@family.test", "office@company.test", "reception@company.test")
USERS = (601, 602, 603, 604, 605, 606, 607, 608)  # each created some of the contacts
_CITIES = (
    ("Raleigh", "NC", "27601"), ("Durham", "NC", "27701"), ("Cary", "North Carolina", "27511"),
    ("Asheville", "nc", "28801"), ("Wilmington", "NC", "28401"), ("Charlotte", "N.C.", "28202"),
)  # fmt: skip
_ODD_PHONES = (
    "call the office",
    "555-CALL",
    "x204",
    "+44 20 7946 0958",
    "(919) 555-01",
    "919.555.0134 ext 7",
)


def company(seeding: Seeding, contact_id: int) -> Record:
    """Return a company. Some have no people, some are clients."""
    rng = seeding.rng
    return {
        "id": contact_id,
        "type": "Company",
        "name": f"{rng.choice(_LAST)} {rng.choice(_TRADES)} LLC",
        "is_client": rng.random() < 0.4,
        "created_by": rng.choice(USERS),
        "email_addresses": [_email(contact_id * 10, "Work", rng.choice(_SHARED), primary=True)]
        if rng.random() < 0.3
        else [],
        "phone_numbers": _phones(seeding, contact_id),
        "addresses": _addresses(seeding, contact_id),
    }


def person(seeding: Seeding, contact_id: int, companies: list[int], contacts: int) -> Record:
    """Return a person. Few have all fields."""
    rng = seeding.rng
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    nameless = rng.random() < 0.01
    return {
        "id": contact_id,
        "type": "Person",
        "name": "" if nameless else f"{first} {last}",
        "first_name": None if nameless else first,
        "last_name": None if nameless else f" {last}" if rng.random() < 0.02 else last,
        "middle_name": rng.choice((None, None, None, "A.", "María")),
        "prefix": rng.choice((None, None, "Dr.", "Ms.")),
        "title": rng.choice((None, None, "Owner", "Teacher", "CFO", "Nurse")),
        "date_of_birth": _birthday(seeding),
        "is_client": rng.random() < 0.55,
        "company_id": rng.choice(companies) if companies and rng.random() < 0.15 else None,
        "created_by": rng.choice(USERS),
        "email_addresses": _emails(seeding, contact_id, nameless=nameless),
        "phone_numbers": _phones(seeding, contact_id),
        "addresses": _addresses(seeding, contact_id),
        "custom_field_values": contact_values(seeding, contacts),
    }


def _birthday(seeding: Seeding) -> str | None:
    rng = seeding.rng
    if rng.random() < 0.5:
        return None
    if rng.random() < 0.01:
        return rng.choice(("1900-01-01", "1984-02-29", "2000-02-29"))
    return (date(1935, 1, 1) + timedelta(days=rng.randrange(25_000))).isoformat()


def _emails(seeding: Seeding, contact_id: int, *, nameless: bool) -> list[Record]:
    """Return up to two addresses; some are blank, shared with other contacts, or in another case."""
    rng = seeding.rng
    found = []
    for nth in range(0 if nameless else rng.choice((0, 1, 1, 1, 2))):
        own = f"person{contact_id}.{nth}@mail.test"
        kinds = (own, "", rng.choice(_SHARED), f"person{max(contact_id - 1, 1)}.0@MAIL.test")
        (address,) = rng.choices(kinds, (94, 1, 3, 2))
        found.append(
            _email(contact_id * 10 + nth, ("Home", "Work")[nth], address, primary=nth == 0)
        )
    return found


def _email(email_id: int, name: str, address: str, *, primary: bool) -> Record:
    return {"id": email_id, "name": name, "address": address, "primary": primary}


def _phones(seeding: Seeding, contact_id: int) -> list[Record]:
    rng = seeding.rng
    return [
        {
            "id": contact_id * 10 + nth,
            "name": ("Work", "Personal", "Other")[nth],
            "number": rng.choice(_ODD_PHONES)
            if rng.random() < 0.05
            else f"919 555 {rng.randrange(100, 10_000):04}",
            "primary": nth == 1,
        }
        for nth in range(rng.choice((0, 1, 1, 2)))
    ]


def _addresses(seeding: Seeding, contact_id: int) -> list[Record]:
    rng = seeding.rng
    found = []
    for nth in range(rng.choice((0, 1, 1, 2))):
        city, province, code = rng.choice(_CITIES)
        blank = rng.random() < 0.03
        suite = "\nSuite 4" if rng.random() < 0.1 else ""
        street = f"{rng.randrange(1, 999)} Elm St{suite}"
        found.append(
            {
                "id": contact_id * 10 + nth,
                "name": ("Home", "Work")[nth],
                "street": None if blank else street,
                "city": None if blank else city,
                "province": None if blank else province,
                "postal_code": None if blank else code,
                "country": rng.choice(("US", "USA", "United States", None)) if not blank else " ",
                "primary": nth == 1,
            }
        )
    return found
