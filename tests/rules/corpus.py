"""A fixed set of contacts, firms and settings whose assessments make the digest of the rules [row 56].

It is made with a seeded generator of the standard library, so it is the same with every version of Hypothesis.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, TypeVar

from app.rules import assess
from app.rules.facts import ContactFacts, FirmFacts, RelatedMatter
from app.rules.records import (
    Address,
    Attorney,
    ContactRecord,
    CustomValue,
    Email,
    MatterRecord,
    MatterStatus,
    Phone,
)
from app.rules.results import Assessment
from app.rules.settings import Settings
from tests.rules.builders import FIELDS, Office
from tests.rules.generators import CHOICES, EVERY_TAG, document

T = TypeVar("T")

# A setting that changes no answer must not change the corpus either: it would ask for another version of the rules.
LATER = {"hold_possible_duplicates", "respect_visibility"}
EARLY_CHOICES = [choice for choice in CHOICES if choice[0][-1] not in LATER]
GENERATED = 2000
SEED = 56
NAMES = (
    "Alice", "alice", "José", "Jose\u0301", "van der Berg", "O\u2019Neil", "🦊", "Dr. Kim ", "\u200b", "\u3000",
    "ẞtraße", "李 小龍", "\u202b\u05e9\u05dc\u05d5\u05dd", "x" * 70,
)  # fmt: skip
ADDRESSES = (
    "alice@home.test", "Alice@Home.test ", "a@b", "not an address", "j.o'neil+x@firm.co.uk", "kim@münchen.test",
    "\u200bzero@width.test", "two@x.test, three@x.test", "line\nbreak@x.test",
)  # fmt: skip
NUMBERS = (
    "919 555 0101", "(919) 555-0102 x302", "919-555-0102 or 919-555-0103", "030 123456 (Mutter)", "1-800-FLOWERS",
    "+44 (0)20 7946 0958", "011 44 20 7946 0958", "\u202d919\u2011555\u20110102\u202c", "x", "", "ext. 5", "911",
    "919.555.0101 #", "fax 919 555 0104 / home 919 555 0105",
)  # fmt: skip
PLACES = (
    "Raleigh",
    "raleigh ",
    "New  York",
    "RALEIGH",
    "Saint-Denis",
    "",
    "東京",
    "NC",
    "North Carolina",
    "27601",
)
COUNTRIES = ("US", "us", "United States", "Germany", "DE", "GB", "Canada", "Atlantis", "")
LABELS = (
    "Family Law", "family law", "FAMILY  LAW", "Caf\u00e9", "Cafe\u0301", "Estate", "", "Client", "*", "\ufeffJudge",
    "judge", "Opposing Counsel", "Spouse", "x" * 70,
)  # fmt: skip
WITH_DATES = document(EVERY_TAG, [(["key_facts", "custom_date_field_ids"], (6,))])
VALUES: tuple[Any, ...] = (
    True, "true", "No", "250000", 2.5, "much", "9001", 9002, "9003", "Allie", "x" * 61, "2010-06-12", "0000-00-00",
    None, 2**40, "\u200b",
)  # fmt: skip


def assessments() -> Iterator[Assessment]:
    """Yield what the rules answer: for the firm of the requirements, then for generated contacts."""
    golden = Office()
    for office in (golden, golden.ben_connects()):
        yield from (office.assess(clio_id) for clio_id in sorted(office.contacts))
    random = Random(SEED)  # noqa: S311  # no secret, but always the same
    for _ in range(GENERATED):
        previous = _maybe(random, ("u_ann", "u_gone"))
        yield assess(_facts(random), _firm(random), _settings(random), previous)


def _facts(random: Random) -> ContactFacts:
    contact = _contact(random)
    matters = [_matter(random, 200 + place) for place in range(random.randrange(5))]
    company = ContactRecord(2, is_person=False, name=random.choice(LABELS), is_client=_flip(random))
    links = [random.choice(matters) for _ in range(random.randrange(3)) if matters]
    return ContactFacts(
        contact=contact,
        company=company if contact.company_id and _flip(random) else None,
        own_matters=tuple(one for one in matters if one.client_id == 1),
        company_matters=tuple(one for one in matters if one.client_id == contact.company_id),
        related_matters=tuple(
            RelatedMatter(one, _maybe(random, LABELS), 300 + place)
            for place, one in enumerate(links)
        ),
        hidden=frozenset(one.clio_id for one in matters if random.random() < 0.1),
    )


def _contact(random: Random) -> ContactRecord:
    return ContactRecord(
        clio_id=1,
        is_person=random.choice((True, True, True, False, None)),
        name=_maybe(random, NAMES),
        first_name=_maybe(random, NAMES),
        middle_name=_maybe(random, NAMES),
        last_name=_maybe(random, NAMES),
        prefix=_maybe(random, ("Mr.", "Dr. ", "")),
        title=_maybe(random, NAMES),
        date_of_birth=_day(random),
        is_client=_flip(random),
        company_id=random.choice((None, 2)),
        company_name=_maybe(random, LABELS),
        emails=_some(random, lambda: _email(random)),
        phones=_some(
            random, lambda: Phone(random.choice(NUMBERS), _maybe(random, NAMES), _flip(random))
        ),
        addresses=_some(random, lambda: _address(random)),
        custom_values=tuple(
            CustomValue(field_id, random.choice(VALUES), random.random() < 0.1)
            for field_id in sorted(random.sample(sorted(FIELDS), random.randrange(4)))
        ),
        created_at=_time(random),
        updated_at=_time(random),
    )


def _email(random: Random) -> Email:
    return Email(random.choice(ADDRESSES), _maybe(random, NAMES), _flip(random))


def _address(random: Random) -> Address:
    city, street, province = (_maybe(random, PLACES) for _ in range(3))
    code = _maybe(random, PLACES)
    country = _maybe(random, COUNTRIES)
    return Address(_maybe(random, NAMES), street, city, province, code, country, _flip(random))


def _matter(random: Random, clio_id: int) -> MatterRecord:
    return MatterRecord(
        clio_id=clio_id,
        status=random.choice(tuple(MatterStatus)),
        number=f"00{clio_id}",
        client_id=random.choice((None, 1, 1, 2)),
        practice_area_id=random.choice((None, 11, 12)),
        practice_area=_maybe(random, LABELS),
        practice_area_category=random.choice((None, "personal_injury")),
        stage_id=random.choice((None, 21, 22)),
        stage=_maybe(random, LABELS),
        group_id=random.choice((None, 31)),
        group_type=random.choice((None, "AccountGroup", "AdhocGroup")),
        responsible=_attorney(random),
        originating=_attorney(random),
        open_date=_day(random),
        pending_date=_day(random),
        close_date=_day(random),
        created_at=_time(random),
        updated_at=_time(random),
    )


def _attorney(random: Random) -> Attorney | None:
    return _maybe(random, [Attorney(500 + place, name) for place, name in enumerate(LABELS[:3])])


def _firm(random: Random) -> FirmFacts:
    return FirmFacts(
        country=random.choice(("US", "US", "DE", "GB", "ZZ")),
        primary_user_id=random.choice((None, "u_ann", "u_off")),
        users=frozenset({"u_ann", "u_ben"}),
        attorneys={500: "u_ann", 501: random.choice(("u_ben", "u_off"))},
        fields=FIELDS,
    )


def _settings(random: Random) -> Settings:
    known = random.choice((Settings(), EVERY_TAG, WITH_DATES))
    return document(known, random.sample(EARLY_CHOICES, random.randrange(8)))


def _day(random: Random) -> date | None:
    return _maybe(random, [date(2026, 3, 2) - timedelta(days=random.randrange(20000))])


def _time(random: Random) -> datetime | None:
    return _maybe(random, [datetime(2026, 3, random.randrange(1, 5), tzinfo=UTC)])


def _maybe(random: Random, values: Sequence[T]) -> T | None:
    """Return one of the values, or None once in five times."""
    return random.choice(values) if random.random() < 0.8 else None


def _some(random: Random, make: Callable[[], T]) -> tuple[T, ...]:
    return tuple(make() for _ in range(random.randrange(3)))


def _flip(random: Random) -> bool:
    return random.random() < 0.5
