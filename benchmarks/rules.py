"""Measures what a record and a person cost without database and network: decode, map, digest, rules, feed line.

    python -m benchmarks.rules --contacts 4000

The pages are those of the simulator. Each step is measured in CPU time, in several rounds; the median is printed. To
compare with another commit, run the same script in a worktree of that commit.
"""

import argparse
import asyncio
import gc
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median
from typing import Any

import httpx

from app import rules
from app.clio import pagination, resources
from app.clio.resources import Resource
from app.db.contacts import contact_store, contacts
from app.db.contacts.contacts import StoredContact
from app.db.mirror.records import CONTACTS, MATTERS, RELATIONSHIPS
from app.db.mirror.rule_inputs import CurrentNames
from app.rules.facts import ContactFacts, FirmFacts, RelatedMatter
from app.rules.phone_numbers import find_numbers
from app.rules.results import Assessment
from app.rules.settings import Settings
from app.simulator.firms.seeded import seeded_firm
from app.sync.assess.contact_assessments import AssessedContact, AssessmentContext
from app.sync.assess.feed_lines import feed_line
from app.sync.pull import mapping
from tests.support.visitor import Clock, Visitor, simulator_with

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CLIO = "https://clio.test"
USER, COUNTRY = 601, "US"
KINDS: list[tuple[Resource[Any], Callable[[Any], Any], Any]] = [
    (resources.CONTACTS, mapping.contact_record, CONTACTS),
    (resources.MATTERS, mapping.matter_record, MATTERS),
    (resources.RELATIONSHIPS, mapping.relationship_record, RELATIONSHIPS),
]


@dataclass
class Steps:
    """The CPU time of each step in each round, for one of what it handles."""

    rounds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def measure(self, name: str, step: Callable[[], Any], count: int) -> Any:
        """Do a step and note its time for each of `count`."""
        gc.collect()
        began = time.process_time()
        found = step()
        self.rounds[name].append((time.process_time() - began) / max(count, 1) * 1e6)
        return found


def main() -> None:
    """Measure a seeded firm and print microseconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    arguments = parser.parse_args()
    pages = asyncio.run(read_pages(arguments.contacts))
    steps = Steps()
    for _ in range(arguments.rounds):
        measure(steps, pages)
    found = {name: round(median(times), 2) for name, times in steps.rounds.items()}
    if arguments.json:
        print(json.dumps(found))
        return
    for name, microseconds in found.items():
        print(f"{name:<34} {microseconds:8.2f} µs")


async def read_pages(count: int) -> dict[str, list[bytes]]:
    """Return the pages of the simulator's lists."""
    clock = Clock()
    firm = seeded_firm(contacts=count, seed=1, now=clock)
    visitor = await Visitor(simulator_with(firm, clock=clock)).login(USER)
    found: dict[str, list[bytes]] = {}
    for resource, _, _ in KINDS:
        asked: dict[str, Any] = {**resource.params, "fields": ",".join(resource.fields)}
        pages = found[resource.name] = []
        while True:
            answer = await visitor.get(resource.path.removeprefix("/api/v4/"), **asked)
            pages.append(answer.content)
            following = answer.json()["meta"]["paging"].get("next")
            if following is None:
                break
            asked["page_token"] = httpx.URL(following).params["page_token"]
    return found


def measure(steps: Steps, pages: dict[str, list[bytes]]) -> None:
    """Do all steps once, each for the whole firm."""
    stored: dict[str, list[str]] = {}
    total = sum(len(json.loads(body)["data"]) for bodies in pages.values() for body in bodies)
    read = steps.measure(
        "decode, a record", lambda: [decoded(kind, pages) for kind in KINDS], total
    )
    seen = steps.measure(
        "map, a record",
        lambda: [
            list(filter(None, map(kind[1], items))) for kind, items in zip(KINDS, read, strict=True)
        ],
        total,
    )
    kinds = [mirror for _, _, mirror in KINDS]
    steps.measure(
        "digest, a record",
        lambda: [
            [m.codec.digest(one) for one in records] for m, records in zip(kinds, seen, strict=True)
        ],
        total,
    )
    stored = steps.measure(
        "encode, a record",
        lambda: {
            m.name: [m.codec.dump(one) for one in found]
            for m, found in zip(kinds, seen, strict=True)
        },
        total,
    )
    loaded = steps.measure(
        "load from the mirror, a record",
        lambda: {m.name: m.codec.load_all(stored[m.name]) for m in kinds},
        total,
    )
    people = facts_of(loaded)
    assess_all(steps, people)
    numbers = [phone.number for one in people for phone in one.contact.phones]
    steps.measure("phone numbers, a number", lambda: find_all(numbers), len(numbers))


def decoded(kind: tuple[Resource[Any], Any, Any], pages: dict[str, list[bytes]]) -> list[Any]:
    """Return the items of all pages of a list."""
    resource = kind[0]
    address = httpx.URL(CLIO + resource.path)
    return [
        item
        for body in pages[resource.name]
        for item in pagination.parse_page(resource, body, address=address, asked_at=NOW).items
    ]


def find_all(numbers: Iterable[str]) -> None:
    """Read phone fields."""
    for number in numbers:
        find_numbers(number, COUNTRY)


def facts_of(records: dict[str, list[Any]]) -> list[ContactFacts]:
    """Return the facts of all people, as the mirror has them."""
    names = CurrentNames({}, {})
    matters = {one.clio_id: names.of(one) for one in records["matters"]}
    by_client, links = defaultdict(list), defaultdict(list)
    for one in matters.values():
        by_client[one.client_id].append(one)
    for link in records["relationships"]:
        if link.matter_id in matters:
            links[link.contact_id].append(
                RelatedMatter(matters[link.matter_id], link.description, link.clio_id)
            )
    companies = {one.clio_id: one for one in records["contacts"] if not one.is_person}
    return [
        ContactFacts(
            contact=one,
            company=companies.get(one.company_id or 0),
            own_matters=tuple(by_client[one.clio_id]),
            company_matters=tuple(by_client[one.company_id]) if one.company_id else (),
            related_matters=tuple(links[one.clio_id]),
        )
        for one in records["contacts"]
        if one.is_person
    ]


def assess_all(steps: Steps, people: list[ContactFacts]) -> None:
    """Apply the rules to everybody for the first time, and make the rows and the feed lines."""
    named = {m.responsible.clio_user_id for one in people for m in one.own_matters if m.responsible}
    firm = FirmFacts(COUNTRY, "u_1", frozenset({"u_1"}), dict.fromkeys(named, "u_1"))
    settings = Settings()
    found: list[Assessment] = steps.measure(
        "rules with reasons, a person",
        lambda: [rules.assess(one, firm, settings) for one in people],
        len(people),
    )
    views = steps.measure(
        "view, a person", lambda: [rules.view(None, one) for one in found], len(people)
    )
    inside = [
        (one, made, view)
        for one, made, view in zip(people, found, views, strict=True)
        if view is not None
    ]
    changes = steps.measure(
        "diff, a person in scope",
        lambda: [rules.diff(None, view) for _, _, view in inside],
        len(inside),
    )
    context = AssessmentContext("run_1", "sync", firm, settings, CurrentNames({}, {}), CLIO, NOW)
    assessed = [
        AssessedContact(None, stored(one.contact.clio_id, view), made, change, "sync")
        for (one, made, view), change in zip(inside, changes, strict=True)
    ]
    steps.measure(
        "feed line, a person in scope",
        lambda: [feed_line(one, context) for one in assessed],
        len(inside),
    )
    steps.measure(
        "row of contacts, a person in scope",
        lambda: [contact_store._row(one.contact, one.assessment) for one in assessed],
        len(inside),
    )


def stored(clio_id: int, view: Any) -> StoredContact:
    """Return a contact as it is stored for the first time."""
    return StoredContact(contacts.contact_id_of("a", clio_id), clio_id, 1, view, NOW, NOW)


if __name__ == "__main__":
    main()
