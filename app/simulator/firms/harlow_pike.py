"""The firm Harlow & Pike LLP of requirements.md section 1, with the same records."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from app.simulator.store.firm import Firm

NOW = datetime(2026, 3, 3, 11, 0, tzinfo=UTC)

_USERS: tuple[tuple[int, str, str, str, bool, list[str]], ...] = (
    (501, "Ann", "Harlow", "ann@harlowpike.test", True, ["admin"]),
    (502, "Ben", "Pike", "ben@harlowpike.test", False, ["billing"]),
    (503, "Cat", "Reed", "cat@harlowpike.test", False, []),  # contacts visibility: restricted
    (504, "Dana", "Voss", "dana@harlowpike.test", False, ["reports"]),
)
_AREAS = (
    (11, "Family Law", "family"),
    (12, "Estate Planning", "wills_and_estates"),
    (13, "Real Estate", "real_estate"),
    (14, "Immigration", "immigration"),
    (15, "Criminal Defense", "criminal"),
    (16, "Business Law", "business_formation_and_compliance"),
    (17, "Employment", "employment_and_labor"),
    (18, "Personal Injury", "personal_injury"),
)
_STAGES = ((21, "Discovery", 11), (22, "Closing", 13), (23, "Intake", 15))
_MATTERS = (  # id, number, client, status, area, stage, responsible, originating, updated
    (201, "00201-Moreno", 1001, "open", 11, 21, 501, 502, "2026-03-01"),
    (202, "00202-Moreno", 1001, "closed", 12, None, 502, None, "2026-01-15"),
    (203, "00203-Okafor", 1002, "closed", 13, 22, 501, None, "2025-06-01"),
    (204, "00204-Tan", 1003, "pending", 14, None, None, None, "2026-02-20"),
    (205, "00205-Tan", 1003, "closed", 14, None, 502, None, "2024-11-02"),
    (206, "00206-Kaya", 1004, "pending", 15, 23, 504, 501, "2026-02-25"),
    (207, "00207-Northwind", 2001, "open", 16, None, 502, 502, "2026-02-28"),
    (208, "00208-Brandt", 1008, "open", 17, None, 502, None, "2026-02-27"),
    (209, "00209-Reyes", 1010, "open", 18, None, None, 501, "2026-02-10"),
    (210, "00210-Reyes", 1010, "pending", 18, None, 502, None, "2026-03-02"),
    (211, "00211-Reyes", 1010, "closed", 11, None, 501, None, "2023-05-05"),
)
_FIELDS = (
    (1, "checkbox", "Newsletter OK", True),
    (2, "currency", "Net Worth", "250000"),
    (3, "numeric", "Children", "2"),
    (4, "picklist", "Referral Source", "9002"),
    (5, "text_line", "Nickname", "Allie"),
    (6, "date", "Wedding Anniversary", "2010-06-12"),
    (7, "text_area", "Intake Notes", "n" * 900),
    (8, "url", "Web Page", None),
    (9, "contact", "Referred By", None),
)


def harlow_pike(now: Callable[[], datetime] = lambda: NOW) -> Firm:
    """Return the firm with its users, matters and Alice's custom fields. Later changes have the time of `now`."""
    firm = Firm(account_id=77, name="Harlow & Pike LLP", region="us", now=now)
    for item in _users():
        firm.put("user", item, at=NOW)
    firm.put("group", {"id": 31, "name": "Harlow & Pike LLP", "type": "AccountGroup"}, at=NOW)
    for area_id, name, category in _AREAS:
        firm.put(
            "practice_area",
            {"id": area_id, "name": name, "code": None, "category": category},
            at=NOW,
        )
    for order, (stage_id, name, area_id) in enumerate(_STAGES, start=1):
        stage = {"id": stage_id, "name": name, "order": order, "practice_area_id": str(area_id)}
        firm.put("matter_stage", stage, at=NOW)
    for definition in _definitions():
        firm.put("custom_field", definition, at=NOW)
    for contact in _contacts():
        firm.put("contact", contact, at=NOW)
    for matter in _matters():
        firm.put("matter", matter, at=NOW)
    firm.restrict_matter(208, {502})
    firm.put("relationship", _link(301, 201, 1005, "Spouse"), at=NOW)
    firm.put("relationship", _link(302, 201, 1009, "Opposing Counsel"), at=NOW)
    return firm


def _users() -> list[dict[str, Any]]:
    return [
        {
            "id": user_id,
            "name": f"{first} {last}",
            "first_name": first,
            "last_name": last,
            "email": email,
            "enabled": True,
            "account_owner": owner,
            "roles": roles,
            "restricted": not roles,
            "subscription_type": "Attorney",
            "time_zone": "America/New_York",
        }
        for user_id, first, last, email, owner, roles in _USERS
    ]


def _definitions() -> list[dict[str, Any]]:
    options = [{"id": 9001, "option": "Google"}, {"id": 9002, "option": "Friend"}]
    return [
        {
            "id": field_id,
            "name": name,
            "parent_type": "Contact",
            "field_type": field_type,
            "displayed": True,
            "deleted": False,
            "required": False,
            "display_order": field_id,
            "picklist_options": options if field_type == "picklist" else [],
        }
        for field_id, field_type, name, _ in _FIELDS
    ]


def _person(
    contact_id: int, first: str, last: str, *, is_client: bool, **more: Any
) -> dict[str, Any]:
    address = f"{first.lower()}@mail.test"
    return {
        "id": contact_id,
        "type": "Person",
        "name": f"{first} {last}",
        "first_name": first,
        "last_name": last,
        "is_client": is_client,
        "email_addresses": [
            {"id": contact_id * 10, "name": "Work", "address": address, "primary": True}
        ],
        **more,
    }


def _contacts() -> list[dict[str, Any]]:
    return [
        _alice(),
        _person(1002, "Bram", "Okafor", is_client=True),
        _person(1003, "Chloe", "Tan", is_client=True),
        _person(1004, "Deniz", "Kaya", is_client=True),
        _person(1005, "Eva", "Lind", is_client=False),
        _person(1006, "Frank", "Osei", is_client=False),
        _person(1007, "Gail", "Stone", is_client=False, company_id=2001, title="CFO"),
        _person(1008, "Hugo", "Brandt", is_client=True),
        _person(1009, "Ines", "Cole", is_client=False),
        _person(1010, "Jon", "Reyes", is_client=True, email_addresses=[]),
        {"id": 2001, "type": "Company", "name": "Northwind Bakery LLC", "is_client": True},
    ]


def _alice() -> dict[str, Any]:
    return _person(
        1001,
        "Alice",
        "Moreno",
        is_client=True,
        title="Teacher",
        date_of_birth="1984-03-09",
        email_addresses=[
            {"id": 1, "name": "Home", "address": "alice@home.test", "primary": True},
            {"id": 2, "name": "Work", "address": "alice@work.test", "primary": False},
        ],
        phone_numbers=[
            {"id": 1, "name": "Home", "number": "919 555 0101", "primary": False},
            {"id": 2, "name": "Mobile", "number": "919 555 0102", "primary": True},
        ],
        addresses=[
            _address(1, "Home", "12 Elm St", "Raleigh", "27601", primary=False),
            _address(2, "Work", "88 Work Ave", "Durham", "27701", primary=True),
        ],
        custom_field_values=[
            {
                "id": f"{field_type}-{field_id}" if value is not None else None,
                "custom_field_id": field_id,
                "value": value,
            }
            for field_id, field_type, _, value in _FIELDS
        ],
    )


def _address(
    address_id: int, name: str, street: str, city: str, code: str, *, primary: bool
) -> dict[str, Any]:
    return {
        "id": address_id,
        "name": name,
        "street": street,
        "city": city,
        "province": "NC",
        "postal_code": code,
        "country": "US",
        "primary": primary,
    }


def _matters() -> list[dict[str, Any]]:
    return [
        {
            "id": matter_id,
            "display_number": number,
            "client_id": client,
            "status": status,
            "practice_area_id": area,
            "matter_stage_id": stage,
            "group_id": 31,
            "responsible_attorney_id": responsible,
            "originating_attorney_id": originating,
            "open_date": updated if status != "pending" else None,
            "pending_date": updated if status == "pending" else None,
            "close_date": updated if status == "closed" else None,
            "updated_at": f"{updated}T12:00:00-05:00",
        }
        for matter_id, number, client, status, area, stage, responsible, originating, updated in _MATTERS
    ]


def _link(link_id: int, matter_id: int, contact_id: int, description: str) -> dict[str, Any]:
    return {
        "id": link_id,
        "matter_id": matter_id,
        "contact_id": contact_id,
        "description": description,
    }
