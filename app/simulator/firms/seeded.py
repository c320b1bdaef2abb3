"""A firm of any size that resembles a real one, with bad data. The same seed gives the same firm."""

from collections.abc import Callable
from datetime import datetime, timedelta

from app.simulator.firms import custom_values, people
from app.simulator.firms.seeding import Seeding
from app.simulator.store.firm import Firm, Record

DEMO_USERS = {  # who connect in the demonstration: the owner, an attorney, a user with a restricted view
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
FIRST_LARGE_ID = 7_000_000_000  # Clio's ids do not fit into 32 bits


def seeded_firm(
    *, contacts: int, seed: int = 1, region: str = "us", now: Callable[[], datetime]
) -> Firm:
    """Return a firm with this number of contacts, 1.5 times as many matters and 0.75 times as many relationships."""
    firm = Firm(account_id=88, name="Seeded & Simulated LLP", region=region, now=now)
    seeding = Seeding(firm, seed, now())
    _put_lists(seeding)
    companies = [nth for nth in range(1, contacts + 1) if nth % 12 == 0]
    for contact_id in range(1, contacts + 1):
        record = (
            people.company(seeding, contact_id)
            if contact_id % 12 == 0
            else people.person(seeding, contact_id, companies, contacts)
        )
        seeding.put("contact", record)
    for matter_id in range(1, contacts * 3 // 2 + 1):
        seeding.put("matter", _matter(seeding, matter_id, contacts))
    for link_id in range(1, contacts * 3 // 4 + 1):
        seeding.put("relationship", _link(seeding, FIRST_LARGE_ID + link_id, contacts))
    return firm


def _put_lists(seeding: Seeding) -> None:
    """Add users, groups, practice areas, stages and custom fields."""
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
    for definition in custom_values.definitions(seeding):
        seeding.put("custom_field", definition)


def _user(user_id: int, first: str, last: str, roles: list[str], *, owner: bool) -> Record:
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
        "time_zone": "America/Los_Angeles" if user_id == 607 else "America/New_York",
        "phone_number": None,
        "group_ids": [1, 2] if user_id in (601, 602) else [1],
        "job_title": {"id": user_id, "name": "Attorney"} if user_id in ATTORNEYS else None,
    }


def _matter(seeding: Seeding, matter_id: int, contacts: int) -> Record:
    rng = seeding.rng
    area = rng.choice((None, *range(1, len(_AREAS) + 1)))
    status = rng.choices(("open", "pending", "closed"), (35, 10, 55))[0]
    opened = seeding.random_time(3000).date()
    client = rng.randrange(1, max(contacts * 6 // 10, 1) + 1)
    return {
        "id": matter_id,
        "number": matter_id,
        "display_number": f"{matter_id:05}-{client}",
        "description": rng.choice(("Advice", "Grundstückskauf", "first line\nsecond line")),
        "location": rng.choice((None, None, "Raleigh", "raleigh ", "Court 4")),
        "client_reference": rng.choice((None, None, "PO 7")),
        "billable": rng.random() < 0.9,
        "client_id": client,
        "status": status,
        "practice_area_id": area,
        "matter_stage_id": area * 10 + rng.randrange(1, 6) if area and rng.random() < 0.4 else None,
        "group_id": 2 if matter_id % 50 == 0 else 1,
        "only_users": frozenset({601, 602}) if matter_id % 50 == 0 else None,
        "responsible_attorney_id": rng.choice((None, *ATTORNEYS)),
        "originating_attorney_id": rng.choice((None, None, None, *ATTORNEYS, 608)),
        "open_date": opened.isoformat() if status != "pending" else None,
        "pending_date": opened.isoformat() if status == "pending" else None,
        "close_date": _close_date(seeding, status),
        "custom_field_values": custom_values.matter_values(seeding, contacts),
    }


def _close_date(seeding: Seeding, status: str) -> str | None:
    """Return a close date. Some are in the future, some are on open matters, some are missing."""
    today = seeding.today.date()
    day = today + timedelta(days=seeding.rng.choice((0, -30, -400, -1500, 60)))
    wanted = seeding.rng.random() < (0.97 if status == "closed" else 0.02)
    return day.isoformat() if wanted else None


def _link(seeding: Seeding, link_id: int, contacts: int) -> Record:
    """Return a relationship. Some name the matter's own client, or the same person twice."""
    rng = seeding.rng
    matter_id = rng.randrange(1, contacts * 3 // 2 + 1)
    matter = seeding.firm.find("matter", matter_id) or {}
    own_client = rng.random() < 0.02
    return {
        "id": link_id,
        "matter_id": matter_id,
        "contact_id": matter["client_id"] if own_client else rng.randrange(1, contacts + 1),
        "description": rng.choice(_ROLES),
    }
