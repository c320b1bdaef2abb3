"""Hypothesis strategies for Clio's data and a firm's settings. Ids and days have few values, so that ties happen."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from functools import reduce
from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

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
)
from app.rules.settings import AttorneyTags, CustomFieldTag, LabelFormat, Settings
from tests.rules.builders import FIELDS, setting
from tests.support.values import replace

WORDS = st.sampled_from(
    [
        None,
        "",
        " ",
        "Raleigh",
        "raleigh ",
        "New  York",
        "Client",
        "judge",
        "Spouse",
        "x" * 70,
        "ẞ İ",
        "\n\t",
        "*",
        "²",
    ]
)
DAYS = st.sampled_from(
    [None, date(1, 1, 1), date(1900, 1, 1), date(2024, 2, 29), date(9999, 12, 31)]
)
TIMES = st.sampled_from(
    [
        None,
        *(datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2)),
        datetime.min.replace(tzinfo=UTC),
    ]
)
IDS = st.integers(1, 6)
ATTORNEYS = st.none() | st.builds(Attorney, st.sampled_from([501, 502, 503]), WORDS)
RAW = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "2", "2.50", "9001", "true", "No", "2010-06-12", "0000-00-00", 10**400])
    | st.text(max_size=70)
)
VALUES = st.sampled_from(
    [
        *(CustomValue(1, value) for value in (True, "true", "No")),
        *(CustomValue(2, value) for value in ("250000", 2.5, "much")),
        *(CustomValue(4, value) for value in ("9001", 9002, "9003")),
        *(CustomValue(5, value) for value in ("Allie", "x" * 61)),
        *(CustomValue(6, value) for value in ("2010-06-12", "soon")),
    ]
) | st.builds(CustomValue, st.integers(0, 6), RAW, st.booleans(), st.booleans())
MATTERS = st.builds(
    MatterRecord,
    clio_id=st.integers(201, 208),
    status=st.sampled_from(MatterStatus),
    number=WORDS,
    client_id=st.none() | st.integers(1, 3),
    practice_area_id=st.none() | IDS,
    practice_area=WORDS,
    practice_area_category=st.sampled_from([None, "", "personal_injury"]),
    stage_id=st.none() | IDS,
    stage=WORDS,
    group_id=st.none() | IDS,
    group_type=st.sampled_from([None, "AccountGroup", "AdhocGroup"]),
    responsible=ATTORNEYS,
    originating=ATTORNEYS,
    open_date=DAYS,
    pending_date=DAYS,
    close_date=DAYS,
    created_at=TIMES,
    updated_at=TIMES,
)
CONTACTS = st.builds(
    ContactRecord,
    clio_id=st.just(1),
    is_person=st.sampled_from([True, True, True, False, None]),
    name=WORDS,
    first_name=WORDS,
    middle_name=WORDS,
    last_name=WORDS,
    prefix=WORDS,
    title=WORDS,
    date_of_birth=DAYS,
    is_client=st.booleans(),
    company_id=st.sampled_from([None, 2]),
    company_name=WORDS,
    emails=st.lists(
        st.builds(Email, WORDS.map(lambda word: word or ""), WORDS, st.booleans()), max_size=3
    ).map(tuple),
    phones=st.lists(
        st.builds(Phone, st.sampled_from(["", "919 555 0101", "+", "x"]), WORDS, st.booleans()),
        max_size=2,
    ).map(tuple),
    addresses=st.lists(
        st.builds(Address, WORDS, WORDS, WORDS, WORDS, WORDS, WORDS, st.booleans()), max_size=2
    ).map(tuple),
    custom_values=st.lists(VALUES, max_size=4, unique_by=lambda value: value.field_id).map(tuple),
    created_at=TIMES,
    updated_at=TIMES,
)
COMPANIES = st.none() | st.builds(
    ContactRecord, st.just(2), st.just(value=False), name=WORDS, is_client=st.booleans()
)


@st.composite
def all_facts(draw: st.DrawFn) -> ContactFacts:
    """Generate a contact with own, company and related matters, each in one version."""
    matters = draw(st.lists(MATTERS, max_size=5, unique_by=lambda matter: matter.clio_id))
    contact = draw(CONTACTS)
    links = (
        draw(st.lists(st.tuples(st.sampled_from(matters), WORDS), max_size=3)) if matters else []
    )
    return ContactFacts(
        contact=contact,
        company=draw(COMPANIES) if contact.company_id else None,
        own_matters=tuple(matter for matter in matters if matter.client_id == 1),
        company_matters=tuple(
            matter for matter in matters if matter.client_id == contact.company_id
        ),
        related_matters=tuple(
            RelatedMatter(matter, word, place)
            for place, (matter, word) in enumerate(links, start=301)
        ),
        hidden=frozenset(draw(st.sets(st.integers(201, 208), max_size=3))),
    )


ODD = st.fixed_dictionaries(
    {},
    optional={
        "name": WORDS,
        "field_type": st.sampled_from(
            [None, "checkbox", "numeric", "picklist", "text_area", "date", "url"]
        ),
        "parent_type": st.sampled_from(["contact", "Matter", None]),
        "deleted": st.booleans(),
        "options": st.just({9001: Option(None), 9002: Option("Friend", deleted=True)}),
    },
)


def definitions(odd: dict[int, dict[str, Any]]) -> dict[int, CustomField]:
    return {id_: replace(field, **odd.get(id_, {})) for id_, field in FIELDS.items()}


NO_FIELDS: dict[int, CustomField] = {}
DEFINITIONS = st.dictionaries(IDS, ODD, max_size=2).map(definitions) | st.just(NO_FIELDS)
USERS = st.sampled_from(["u_ann", "u_ben", "u_off"])
FIRMS = st.builds(
    FirmFacts,
    country=st.sampled_from(["US", "DE", "ZZ"]),
    primary_user_id=st.none() | USERS,
    users=st.frozensets(USERS),
    attorneys=st.dictionaries(st.sampled_from([501, 502, 503]), USERS),
    fields=DEFINITIONS,
)
LISTS: dict[Any, list[Any]] = {
    int: [(), (6,), (6, 1, 9)],
    str: [(), ("*",), ("judge", "spo*"), ("Client",), ("raleigh", "x")],
    CustomFieldTag: [
        (),
        *(tuple(CustomFieldTag(id_, form) for id_ in range(1, 8)) for form in LabelFormat),
        (CustomFieldTag(99),),
    ],
    MatterStatus: [frozenset(), frozenset({MatterStatus.OPEN}), frozenset(MatterStatus)],
}


def choices(kind: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[list[str], Any]]:
    """Generate settings documents with every value of each field that is worth a test."""
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        for field in fields(kind):
            yield from choices(hints[field.name], (*path, field.name))
    elif get_origin(kind) in (tuple, frozenset):
        yield from ((list(path), value) for value in LISTS[get_args(kind)[0]])
    elif isinstance(kind, type) and issubclass(kind, Enum):
        yield from ((list(path), value) for value in kind)
    elif kind is bool:
        yield from ((list(path), value) for value in (True, False))
    elif get_args(kind):
        yield from ((list(path), value) for value in (1, None))


def document(known: Settings, chosen: Sequence[tuple[list[str], Any]]) -> Settings:
    return reduce(lambda before, choice: setting(before, *choice), chosen, known)


CHOICES = list(choices(Settings))
EVERY_TAG = document(
    Settings(),
    [
        *(choice for choice in CHOICES if choice[0][0] == "tags" and choice[1] is True),
        *(
            (["tags", f"{role}_attorney"], AttorneyTags.ALL)
            for role in ("responsible", "originating")
        ),
        (["tags", "custom_fields"], LISTS[CustomFieldTag][1]),
        (["scope", "include_non_clients"], True),
    ],
)
SETTINGS = st.builds(
    document,
    st.sampled_from([EVERY_TAG, Settings()]),
    st.lists(st.sampled_from(CHOICES), max_size=12),
)
