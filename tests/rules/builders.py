"""The firm of requirements.md section 1 as records, with methods that change it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import reduce
from typing import Any

import pytest

from app.rules import assess
from app.rules.facts import ContactFacts, CustomField, FirmFacts, Option, RelatedMatter
from app.rules.records import (
    Address,
    Attorney,
    ContactRecord,
    CustomValue,
    Email,
    MatterRecord,
    MatterStatus,
    Phone,
    RelationshipRecord,
)
from app.rules.results import Assessment
from app.rules.settings import Settings
from tests.support.values import replace

OPEN, PENDING, CLOSED = MatterStatus.OPEN, MatterStatus.PENDING, MatterStatus.CLOSED
ANN, BEN, CAT, DANA = (
    Attorney(501, "Ann Harlow"),
    Attorney(502, "Ben Pike"),
    Attorney(503, "Cat Reed"),
    Attorney(504, "Dana Voss"),
)
AREAS = {
    11: ("Family Law", "family"),
    12: ("Estate Planning", "wills_and_estates"),
    13: ("Real Estate", "real_estate"),
    14: ("Immigration", "immigration"),
    15: ("Criminal Defense", "criminal"),
    16: ("Business Law", None),
    17: ("Employment", "employment_and_labor"),
    18: ("Personal Injury", "personal_injury"),
}
STAGES = {21: "Discovery", 22: "Closing", 23: "Intake"}


def cases(rows: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Return pytest parameters for a table of cases; the first column is the id."""
    return [pytest.param(*row[1:], id=row[0]) for row in rows]


def at(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)


def matter(clio_id: int, client_id: int | None = None, **more: Any) -> MatterRecord:
    """Return a matter; `area` and `stage` are ids in AREAS and STAGES, `updated` is a day."""
    area, stage, day = more.pop("area", None), more.pop("stage", None), more.pop("updated", None)
    name, category = AREAS[area] if area else (None, None)
    known: dict[str, Any] = {
        "status": OPEN,
        "number": f"00{clio_id}",
        "practice_area_id": area,
        "practice_area": name,
        "practice_area_category": category,
        "stage_id": stage,
        "stage": STAGES[stage] if stage else None,
        "group_id": 31,
        "group_type": "AccountGroup",
        "updated_at": at(day) if day else None,
    }
    return MatterRecord(clio_id=clio_id, client_id=client_id, **{**known, **more})


def person(clio_id: int, name: str | None = "", **more: Any) -> ContactRecord:
    first, _, last = (name or "").partition(" ")
    address = Email(f"{first.lower()}@mail.test", "Work", primary=True)
    known: dict[str, Any] = {
        "name": name,
        "first_name": first,
        "last_name": last,
        "emails": (address,) if first else (),
    }
    return ContactRecord(clio_id=clio_id, is_person=True, **{**known, **more})


ALICE = person(
    1001,
    "Alice Moreno",
    is_client=True,
    title="Teacher",
    date_of_birth=date(1984, 3, 9),
    emails=(Email("alice@home.test", "Home", primary=True), Email("alice@work.test", "Work")),
    phones=(Phone("919 555 0101", "Home"), Phone("919 555 0102", "Mobile", primary=True)),
    addresses=(
        Address("Home", "12 Elm St", "Raleigh", "NC", "27601", "US"),
        Address("Work", "88 Work Ave", "Durham", "NC", "27701", "US", primary=True),
    ),
    custom_values=(
        CustomValue(1, value=True),
        CustomValue(2, "250000"),
        CustomValue(3, "2"),
        CustomValue(4, "9002"),
        CustomValue(5, "Allie"),
        CustomValue(6, "2010-06-12"),
        CustomValue(7, "n" * 900),
    ),
    updated_at=at("2026-03-01"),
)
CONTACTS = {
    contact.clio_id: contact
    for contact in (
        ALICE,
        person(1002, "Bram Okafor", is_client=True),
        person(1003, "Chloe Tan", is_client=True),
        person(1004, "Deniz Kaya", is_client=True),
        person(1005, "Eva Lind"),
        person(1006, "Frank Osei"),
        person(1007, "Gail Stone", company_id=2001, title="CFO"),
        person(1008, "Hugo Brandt", is_client=True),
        person(1009, "Ines Cole"),
        person(1010, "Jon Reyes", is_client=True, emails=()),
        ContactRecord(2001, is_person=False, name="Northwind Bakery LLC", is_client=True),
    )
}
MATTERS = {
    known.clio_id: known
    for known in (
        matter(
            201, 1001, number="00201-Moreno", status=OPEN, area=11, stage=21,
            responsible=ANN, originating=BEN, updated="2026-03-01",
        ),
        matter(202, 1001, number="00202-Moreno", status=CLOSED, area=12, responsible=BEN, updated="2026-01-15"),
        matter(
            203, 1002, number="00203-Okafor", status=CLOSED, area=13, stage=22,
            responsible=ANN, updated="2025-06-01",
        ),
        matter(204, 1003, number="00204-Tan", status=PENDING, area=14, updated="2026-02-20"),
        matter(205, 1003, number="00205-Tan", status=CLOSED, area=14, responsible=BEN, updated="2024-11-02"),
        matter(
            206, 1004, number="00206-Kaya", status=PENDING, area=15, stage=23,
            responsible=DANA, originating=ANN, updated="2026-02-25",
        ),
        matter(
            207, 2001, number="00207-Northwind", status=OPEN, area=16,
            responsible=BEN, originating=BEN, updated="2026-02-28",
        ),
        matter(208, 1008, number="00208-Brandt", status=OPEN, area=17, responsible=BEN, updated="2026-02-27"),
        matter(209, 1010, number="00209-Reyes", status=OPEN, area=18, originating=ANN, updated="2026-02-10"),
        matter(210, 1010, number="00210-Reyes", status=PENDING, area=18, responsible=BEN, updated="2026-03-02"),
        matter(211, 1010, number="00211-Reyes", status=CLOSED, area=11, responsible=ANN, updated="2023-05-05"),
    )
}  # fmt: skip
LINKS = {
    301: RelationshipRecord(301, 201, 1005, "Spouse"),
    302: RelationshipRecord(302, 201, 1009, "Opposing Counsel"),
}
FIELDS = {
    field_id: CustomField(field_id, name, kind, options=options)
    for field_id, kind, name, options in (
        (1, "checkbox", "Newsletter OK", {}),
        (2, "currency", "Net Worth", {}),
        (3, "numeric", "Children", {}),
        (4, "picklist", "Referral Source", {9001: Option("Google"), 9002: Option("Friend")}),
        (5, "text_line", "Nickname", {}),
        (6, "date", "Wedding Anniversary", {}),
        (7, "text_area", "Intake Notes", {}),
        (8, "url", "Web Page", {}),
        (9, "contact", "Referred By", {}),
    )
}
FIRM = FirmFacts(
    country="US",
    primary_user_id="u_off",
    users=frozenset({"u_ann", "u_ben", "u_cat", "u_off"}),
    attorneys={501: "u_ann", 502: "u_ben", 503: "u_cat"},
    fields=FIELDS,
)
ALL_SEVEN = (1001, 1002, 1003, 1004, 1007, 1008, 1010)


@dataclass(frozen=True)
class Office:
    """Harlow & Pike as Ann sees it, without matter 208. `hidden` are matters that others see and she does not."""

    contacts: Mapping[int, ContactRecord] = field(default_factory=lambda: CONTACTS)
    matters: Mapping[int, MatterRecord] = field(
        default_factory=lambda: {id_: known for id_, known in MATTERS.items() if id_ != 208}
    )
    links: Mapping[int, RelationshipRecord] = field(default_factory=lambda: LINKS)
    hidden: frozenset[int] = frozenset()
    firm: FirmFacts = FIRM
    settings: Settings = field(default_factory=Settings)

    def contact(self, clio_id: int, **changes: Any) -> "Office":
        known = self.contacts.get(clio_id) or person(clio_id)
        return replace(self, contacts={**self.contacts, clio_id: replace(known, **changes)})

    def matter(self, clio_id: int, **changes: Any) -> "Office":
        known = self.matters.get(clio_id) or matter(clio_id)
        return replace(self, matters={**self.matters, clio_id: replace(known, **changes)})

    def without_matters(self, *clio_ids: int) -> "Office":
        kept = {id_: known for id_, known in self.matters.items() if id_ not in clio_ids}
        return replace(self, matters=kept)

    def link(self, matter_id: int, contact_id: int, description: str | None) -> "Office":
        link_id = max(self.links, default=300) + 1
        new = RelationshipRecord(link_id, matter_id, contact_id, description)
        return replace(self, links={**self.links, link_id: new})

    def ben_connects(self) -> "Office":
        """Add matter 208, which Ben sees and Ann does not, although she has full contact visibility."""
        return replace(self, matters=MATTERS, hidden=frozenset({208}))

    def with_settings(self, **choices: Any) -> "Office":
        """Change settings by their path, with `__` between the parts: `tags__matter_number__enabled=True`."""
        chosen = reduce(
            lambda document, choice: setting(document, choice[0].split("__"), choice[1]),
            choices.items(),
            self.settings,
        )
        return replace(self, settings=chosen)

    def with_firm_facts(self, **changes: Any) -> "Office":
        """Change facts of the firm's account: users, attorneys, fields, the primary user."""
        return replace(self, firm=replace(self.firm, **changes))

    def facts(self, clio_id: int) -> ContactFacts:
        known = self.contacts[clio_id]
        own = [found for found in self.matters.values() if found.client_id == clio_id]
        company = [found for found in self.matters.values() if found.client_id == known.company_id]
        return ContactFacts(
            contact=known,
            company=self.contacts.get(known.company_id or 0),
            own_matters=tuple(own),
            company_matters=tuple(company) if known.company_id else (),
            related_matters=tuple(
                RelatedMatter(self.matters[link.matter_id], link.description, link.clio_id)
                for link in self.links.values()
                if link.contact_id == clio_id and link.matter_id in self.matters
            ),
            hidden=self.hidden,
        )

    def assess(self, clio_id: int, previous: str | None = None) -> Assessment:
        return assess(self.facts(clio_id), self.firm, self.settings, previous)

    def labels(self, clio_id: int) -> list[str]:
        return [tag.label for tag in self.assess(clio_id).tags]

    def in_scope(self) -> set[int]:
        return {clio_id for clio_id in self.contacts if self.assess(clio_id).scope.in_scope}

    def owner(
        self, clio_id: int, previous: str | None = None
    ) -> tuple[str | None, str, int | None]:
        found = self.assess(clio_id, previous).owner
        assert found is not None
        return found.user_id, found.rule, found.matter_id


def setting(document: Any, path: list[str], value: Any) -> Any:
    if len(path) > 1:
        value = setting(getattr(document, path[0]), path[1:], value)
    return replace(document, **{path[0]: value})
