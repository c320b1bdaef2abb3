"""A firm of any size that looks like a real one: its people, its matters and its dirt. The same seed, the same firm."""

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from app.simulator.firm import Firm

DEMO_USERS = {  # three who connect in the demonstration: the owner, an attorney, one with a restricted view
    601: ("Margaret Ashdown", "m.ashdown@firm.test"),
    602: ("Théo Lindqvist", "t.lindqvist@firm.test"),
    607: ("Rosa Marín", "r.marin@firm.test"),
}
_STAFF: tuple[tuple[int, str, str, bool, list[str]], ...] = (
    (601, "Margaret", "Ashdown", True, ["admin"]),
    (602, "Théo", "Lindqvist", False, ["billing"]),
    (603, "Samuel", "Okonkwo", False, ["reports"]),
    (604, "Priya", "Raman", False, ["accounts"]),
    (605, "Walter", "Brøgger", False, ["reports"]),
    (606, "Hana", "Kovář", False, ["billing"]),
    (607, "Rosa", "Marín", False, []),
    (608, "Leon", "Fox", False, ["reports"]),
)
ATTORNEYS = (601, 602, 603, 604, 605, 606)
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
_CITIES = (
    ("Raleigh", "NC", "27601"), ("Durham", "NC", "27701"), ("Cary", "North Carolina", "27511"),
    ("Asheville", "nc", "28801"), ("Wilmington", "NC", "28401"), ("Charlotte", "N.C.", "28202"),
)  # fmt: skip
_AREAS = (
    ("Family Law", "family"), ("Estate Planning", "wills_and_estates"), ("Real Estate", "real_estate"),
    ("Immigration", "immigration"), ("Criminal Defense", "criminal"), ("Personal Injury", "personal_injury"),
    ("Business Law", "business_formation_and_compliance"), ("Employment", "employment_and_labor"),
    ("General Practice", None),
)  # fmt: skip
_STAGES = ("Intake", "Discovery", "Negotiation", "Trial", "Closing")
_ROLES = (
    "Spouse",
    "spouse ",
    "Opposing Counsel",
    "Witness",
    "Judge",
    "Guardian",
    "Expert",
    "",
    "Opposing Party",
)
_FIELDS = (
    "checkbox", "currency", "numeric", "picklist", "text_line", "text_area", "date", "url", "email", "picklist",
)  # fmt: skip
_ODD_PHONES = (
    "call the office",
    "555-CALL",
    "x204",
    "+44 20 7946 0958",
    "(919) 555-01",
    "919.555.0134 ext 7",
)


class _Seeding:
    """One firm on its way: the dice, the firm, and the ids given out so far."""

    def __init__(self, firm: Firm, seed: int, today: datetime) -> None:
        self.dice = random.Random(seed)  # noqa: S311  # a repeatable firm, no secret
        self.firm = firm
        self.today = today

    def moment(self, days: int) -> datetime:
        return self.today - timedelta(seconds=self.dice.randrange(days * 86_400))

    def put(self, kind: str, record: dict[str, Any], days: int = 900) -> None:
        self.firm.put(kind, record, at=self.moment(days))


def seeded_firm(
    *, contacts: int, seed: int = 1, region: str = "us", now: Callable[[], datetime]
) -> Firm:
    """A firm with so many contacts, half as many matters again and three relationships to four contacts."""
    firm = Firm(account_id=88, name="Seeded & Simulated LLP", region=region, now=now)
    seeding = _Seeding(firm, seed, now())
    _put_lists(seeding)
    companies = [nth for nth in range(1, contacts + 1) if nth % 12 == 0]
    for contact_id in range(1, contacts + 1):
        record = (
            _company(seeding, contact_id)
            if contact_id % 12 == 0
            else _person(seeding, contact_id, companies)
        )
        seeding.put("contact", record)
    for matter_id in range(1, contacts * 3 // 2 + 1):
        seeding.put("matter", _matter(seeding, matter_id, contacts))
    for link_id in range(1, contacts * 3 // 4 + 1):
        seeding.put("relationship", _link(seeding, link_id, contacts))
    return firm


def _put_lists(seeding: _Seeding) -> None:
    """Users, groups, practice areas, stages and custom fields."""
    for user_id, first, last, owner, roles in _STAFF:
        seeding.put("user", _user(user_id, first, last, roles, owner=owner))
    seeding.put("group", {"id": 1, "name": seeding.firm.account["name"], "type": "AccountGroup"})
    seeding.put("group", {"id": 2, "name": "Ethical wall", "type": "AdhocGroup"})
    for area_id, (name, category) in enumerate(_AREAS, start=1):
        seeding.put(
            "practice_area", {"id": area_id, "name": name, "code": None, "category": category}
        )
        for order, stage in enumerate(_STAGES, start=1):
            record = {"name": stage, "order": order, "practice_area_id": str(area_id)}
            seeding.put("matter_stage", {"id": area_id * 10 + order, **record})
    for field_id, field_type in enumerate(_FIELDS, start=1):
        seeding.put("custom_field", _definition(seeding, field_id, field_type))


def _user(user_id: int, first: str, last: str, roles: list[str], *, owner: bool) -> dict[str, Any]:
    name, address = DEMO_USERS.get(user_id, (f"{first} {last}", f"user{user_id}@firm.test"))
    return {
        "id": user_id,
        "name": name,
        "first_name": first,
        "last_name": last,
        "email": address,
        "enabled": user_id != 608,
        "account_owner": owner,
        "roles": roles,
        "restricted": not roles,
        "subscription_type": "Attorney" if user_id in ATTORNEYS else "NonAttorney",
        "time_zone": "America/New_York",
    }


def _definition(seeding: _Seeding, field_id: int, field_type: str) -> dict[str, Any]:
    gone = seeding.today.isoformat(timespec="seconds")
    options = [
        {
            "id": field_id * 100 + nth,
            "option": f"Choice {nth}",
            "deleted_at": gone if nth == 4 else None,
        }
        for nth in range(1, 5)
    ]
    return {
        "id": field_id,
        "name": f"{field_type.replace('_', ' ').title()} {field_id}",
        "parent_type": "Contact",
        "field_type": field_type,
        "displayed": field_id != 9,
        "deleted": field_id == 10,
        "required": False,
        "display_order": field_id,
        "picklist_options": options if field_type == "picklist" else [],
    }


def _company(seeding: _Seeding, contact_id: int) -> dict[str, Any]:
    dice = seeding.dice
    return {
        "id": contact_id,
        "type": "Company",
        "name": f"{dice.choice(_LAST)} {dice.choice(_TRADES)} LLC",
        "is_client": dice.random() < 0.4,
        "addresses": _addresses(seeding, contact_id),
    }


def _person(seeding: _Seeding, contact_id: int, companies: list[int]) -> dict[str, Any]:
    dice = seeding.dice
    first, last = dice.choice(_FIRST), dice.choice(_LAST)
    nameless = dice.random() < 0.01
    return {
        "id": contact_id,
        "type": "Person",
        "name": "" if nameless else f"{first} {last}",
        "first_name": None if nameless else first,
        "last_name": None if nameless else f" {last}" if dice.random() < 0.02 else last,
        "middle_name": dice.choice((None, None, None, "A.", "María")),
        "prefix": dice.choice((None, None, "Dr.", "Ms.")),
        "title": dice.choice((None, None, "Owner", "Teacher", "CFO", "Nurse")),
        "date_of_birth": _birthday(seeding),
        "is_client": dice.random() < 0.55,
        "company_id": dice.choice(companies) if companies and dice.random() < 0.15 else None,
        "created_by": dice.choice(_STAFF)[0],
        "email_addresses": _emails(seeding, contact_id, nameless=nameless),
        "phone_numbers": _phones(seeding, contact_id),
        "addresses": _addresses(seeding, contact_id),
        "custom_field_values": _values(seeding),
    }


def _birthday(seeding: _Seeding) -> str | None:
    dice = seeding.dice
    if dice.random() < 0.5:
        return None
    if dice.random() < 0.01:
        return dice.choice(("1900-01-01", "1984-02-29"))
    return (date(1935, 1, 1) + timedelta(days=dice.randrange(25_000))).isoformat()


def _emails(seeding: _Seeding, contact_id: int, *, nameless: bool) -> list[dict[str, Any]]:
    count = 0 if nameless else seeding.dice.choice((0, 1, 1, 1, 2))
    return [
        {
            "id": contact_id * 10 + nth,
            "name": ("Home", "Work")[nth],
            "address": f"person{contact_id}.{nth}@mail.test"
            if seeding.dice.random() > 0.01
            else "",
            "primary": nth == 0,
        }
        for nth in range(count)
    ]


def _phones(seeding: _Seeding, contact_id: int) -> list[dict[str, Any]]:
    dice = seeding.dice
    return [
        {
            "id": contact_id * 10 + nth,
            "name": ("Work", "Personal", "Other")[nth],
            "number": dice.choice(_ODD_PHONES)
            if dice.random() < 0.05
            else f"919 555 {dice.randrange(100, 10_000):04}",
            "primary": nth == 1,
        }
        for nth in range(dice.choice((0, 1, 1, 2)))
    ]


def _addresses(seeding: _Seeding, contact_id: int) -> list[dict[str, Any]]:
    dice = seeding.dice
    found = []
    for nth in range(dice.choice((0, 1, 1, 2))):
        city, province, code = dice.choice(_CITIES)
        blank = dice.random() < 0.03
        suite = "\nSuite 4" if dice.random() < 0.1 else ""
        street = f"{dice.randrange(1, 999)} Elm St{suite}"
        found.append(
            {
                "id": contact_id * 10 + nth,
                "name": ("Home", "Work")[nth],
                "street": None if blank else street,
                "city": None if blank else city,
                "province": None if blank else province,
                "postal_code": None if blank else code,
                "country": dice.choice(("US", "USA", "United States", None)) if not blank else " ",
                "primary": nth == 1,
            }
        )
    return found


def _values(seeding: _Seeding) -> list[dict[str, Any]]:
    """Custom values: some filled, one displayed but never filled."""
    dice = seeding.dice
    samples: dict[str, Any] = {
        "checkbox": dice.random() < 0.5,
        "currency": str(dice.randrange(1000) * 250),
        "picklist": str(400 + dice.randrange(1, 5)),
        "date": "2010-06-12",
    }
    values: list[dict[str, Any]] = [{"id": None, "custom_field_id": 5, "value": None}]
    for field_id, field_type in ((1, "checkbox"), (2, "currency"), (4, "picklist"), (7, "date")):
        if dice.random() < 0.3:
            value_id = f"{field_type}-{field_id}"
            values.append(
                {"id": value_id, "custom_field_id": field_id, "value": samples[field_type]}
            )
    return values


def _matter(seeding: _Seeding, matter_id: int, contacts: int) -> dict[str, Any]:
    dice = seeding.dice
    area = dice.choice((None, *range(1, len(_AREAS) + 1)))
    status = dice.choices(("open", "pending", "closed"), (35, 10, 55))[0]
    opened = seeding.moment(3000).date()
    client = dice.randrange(1, max(contacts * 6 // 10, 1) + 1)
    return {
        "id": matter_id,
        "number": matter_id,
        "display_number": f"{matter_id:05}-{client}",
        "description": "A matter of the simulated firm",
        "client_id": client,
        "status": status,
        "practice_area_id": area,
        "matter_stage_id": area * 10 + dice.randrange(1, 6)
        if area and dice.random() < 0.4
        else None,
        "group_id": 2 if matter_id % 50 == 0 else 1,
        "only_users": frozenset({601, 602}) if matter_id % 50 == 0 else None,
        "responsible_attorney_id": dice.choice((None, *ATTORNEYS)),
        "originating_attorney_id": dice.choice((None, None, None, *ATTORNEYS)),
        "open_date": opened.isoformat() if status != "pending" else None,
        "pending_date": opened.isoformat() if status == "pending" else None,
        "close_date": seeding.today.date().isoformat() if status == "closed" else None,
    }


def _link(seeding: _Seeding, link_id: int, contacts: int) -> dict[str, Any]:
    dice = seeding.dice
    return {
        "id": link_id,
        "matter_id": dice.randrange(1, contacts * 3 // 2 + 1),
        "contact_id": dice.randrange(1, contacts + 1),
        "description": dice.choice(_ROLES),
    }
