"""The tag rules: one small function per rule, listed in `TAG_RULES`. A tag keeps every reason for its label."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain

from app.rules.custom_fields import custom_fields
from app.rules.custom_values import MAX_LABEL_LENGTH
from app.rules.labels import Outcome, Tagging, collect_tags
from app.rules.records import Attorney, MatterRecord, MatterStatus, Record
from app.rules.results import Category, Grant, NotGranted, Refusal
from app.rules.settings import AttorneyTags, LabelFrom, MatterTags, PracticeAreaTags
from app.rules.subject import Subject
from app.rules.texts import compared, shown, shown_line

__all__ = ["TAG_RULES", "tags"]

TagRule = Callable[[Subject], Iterable[Outcome]]

STATUS_LABELS = {
    MatterStatus.OPEN: "Active Client",
    MatterStatus.PENDING: "Pending Client",
    MatterStatus.CLOSED: "Past Client",
}
REPRESENTATIVES = "/tags/company_representatives"


_CLIO = Grant("Clio", Category.DEFAULT, "clio", "This contact comes from Clio")
_PERSON = Grant("Person", Category.DEFAULT, "person", "This contact is a person in Clio")
_PERSONAL = Grant(
    "Personal",
    Category.PERSONAL_COMPANY,
    "personal",
    "This person does not represent a client company",
)


def clio(_subject: Subject) -> Iterable[Outcome]:
    """Grant Clio to every contact [TG-2]."""
    return (_CLIO,)


def person(_subject: Subject) -> Iterable[Outcome]:
    """Grant Person to individuals [TG-3]."""
    return (_PERSON,)


def client(subject: Subject) -> Iterator[Outcome]:
    """Grant Client for the flag, for own matters and for a represented company [TG-5, TG-8, C-1, C-2, C-6]."""
    status, rule = Category.CLIENT_STATUS, "client"
    if subject.contact.is_client:
        yield Grant("Client", status, rule, "This person is marked as a client in Clio")
    if subject.own_matters:
        own = subject.own_matters
        yield Grant("Client", status, rule, f"Client of {_matter_names(own)}", _matter_ids(own))
    yield from _represented_company(subject, "Client", status, rule)


def client_status(subject: Subject) -> Iterator[Outcome]:
    """Grant at most one status: open outranks pending, pending outranks closed [TG-4, TG-6, TG-7, C-1]."""
    for status, label in STATUS_LABELS.items():
        matters = [matter for matter in subject.matters if matter.status is status]
        if matters:
            because = f"{status.capitalize()}: {_matter_names(matters)}"
            yield Grant(
                label, Category.CLIENT_STATUS, "client_status", because, _matter_ids(matters)
            )
            return


class _MatterTagKind(Record, frozen=True):
    """A kind of tag that comes from a matter: its rule, its category, and the start of its reason."""

    rule: str
    category: Category
    phrase: str


_PRACTICE_AREA = _MatterTagKind("practice_area", Category.PRACTICE_AREA, "Practice area of")
_RELATED_AREA = _MatterTagKind(
    "related_practice_area", Category.RELATED_PRACTICE_AREA, "Practice area of the related matter"
)
_MATTER_NUMBER = _MatterTagKind("matter_number", Category.MATTER_NUMBER, "Number of")
_MATTER_TAG = _MatterTagKind("matter_tag", Category.MATTER_TAG, "Stage or status of")


def practice_area(subject: Subject) -> Iterable[Outcome]:
    """Grant the practice areas of own matters in the chosen statuses [TG-9]."""
    chosen = subject.settings.tags.practice_area
    return _matter_tags(subject.matters, chosen, _PRACTICE_AREA, _area_label(chosen.label_from))


def related_practice_area(subject: Subject) -> Iterable[Outcome]:
    """Grant "Related: " plus the practice area of related matters. The label is built as for own matters [TG-10]."""
    chosen = subject.settings.tags
    spell = _area_label(chosen.practice_area.label_from)

    def related(matter: MatterRecord) -> tuple[str, int]:
        label, source_id = spell(matter)
        return (f"Related: {label}" if compared(label) else "", source_id)

    matters = [link.matter for link in subject.related]
    return _matter_tags(matters, chosen.related_practice_area, _RELATED_AREA, related)


def matter_number(subject: Subject) -> Iterable[Outcome]:
    """Grant the display numbers of own matters [TG-13]."""
    chosen = subject.settings.tags.matter_number
    return _matter_tags(
        subject.matters,
        chosen,
        _MATTER_NUMBER,
        lambda matter: (matter.number or "", matter.clio_id),
    )


def matter_tag(subject: Subject) -> Iterable[Outcome]:
    """Grant the stage of each own matter, or its status if it has no stage [TG-14, C-10, C-11]."""
    chosen = subject.settings.tags.matter_tag
    return _matter_tags(subject.matters, chosen, _MATTER_TAG, _stage_or_status)


def _stage_or_status(matter: MatterRecord) -> tuple[str, int]:
    if stage := shown(matter.stage):
        return stage, matter.stage_id or matter.clio_id
    return matter.status.value.capitalize(), 0


def _area_label(label_from: LabelFrom) -> Callable[[MatterRecord], tuple[str, int]]:
    """Return a function that labels a practice area by name, or by category if it has one [row 10]."""

    def label(matter: MatterRecord) -> tuple[str, int]:
        name, category = matter.practice_area, matter.practice_area_category
        if label_from is LabelFrom.CATEGORY and category:
            name = category.replace("_", " ").title()
        return name or "", matter.practice_area_id or matter.clio_id

    return label


def _matter_tags(
    matters: Iterable[MatterRecord],
    chosen: MatterTags | PracticeAreaTags,
    kind: _MatterTagKind,
    spell: Callable[[MatterRecord], tuple[str, int]],
) -> Iterator[Outcome]:
    """Yield a grant for each matter in a chosen status, and a NotGranted with the reason for the others."""
    if not chosen.enabled:
        return
    for matter in matters:
        label, source_id = spell(matter)
        if not compared(label):
            continue
        name, status = _matter_name(matter), matter.status
        if matter.status in chosen.matter_status:
            yield Grant(
                label,
                kind.category,
                kind.rule,
                f"{kind.phrase} {name} ({status})",
                (matter.clio_id,),
                f"/tags/{kind.rule}",
                source_id=source_id,
            )
        else:
            allowed = _status_names(chosen.matter_status)
            why = f"{name} is {status}; the setting includes only these statuses: {allowed}"
            yield NotGranted(label, kind.rule, why, Refusal.MATTER_STATUS)


def relationships(subject: Subject) -> Iterator[Outcome]:
    """Grant the description of every relationship, cut to 60 characters [TG-11, rows 1, 12]."""
    if not subject.settings.tags.relationships.enabled:
        return
    for link in subject.links:
        label = shown_line(link.description)[:MAX_LABEL_LENGTH]
        yield Grant(
            label,
            Category.RELATIONSHIP,
            "relationships",
            f"Relationship to {_matter_name(link.matter)}",
            (link.matter.clio_id,),
            "/tags/relationships",
            source_id=link.relationship_id or link.matter.clio_id,
        )


def related_contact(subject: Subject) -> Iterator[Outcome]:
    """Grant Related Contacts for each matter of another client that names the contact [TG-12, rows 2, 3, 9]."""
    for link in subject.related:
        role = shown(link.description) or "Related"
        yield Grant(
            "Related Contacts",
            Category.RELATED_CONTACT,
            "related_contact",
            f"{role} in {_matter_name(link.matter)}",
            (link.matter.clio_id,),
        )


def location(subject: Subject) -> Iterator[Outcome]:
    """Grant the chosen parts of the primary address as tags [TG-15]."""
    chosen, found = subject.settings.tags.location, subject.profile.addresses[:1]
    for address in found:
        parts = (
            ("city", chosen.city, address.city),
            ("state", chosen.state, address.state),
            ("postal_code", chosen.postal_code, address.postal_code),
            ("country", chosen.country, address.country),
        )
        for part, wanted, label in parts:
            if wanted and label:
                yield Grant(
                    label,
                    Category.LOCATION,
                    "location",
                    f"{part.replace('_', ' ').capitalize()} of the primary address",
                    setting=f"/tags/location/{part}",
                    source_id=subject.contact.clio_id,
                )


def personal_or_company(subject: Subject) -> Iterable[Outcome]:
    """Grant Company to representatives of a client company, Personal to everybody else [TG-16, TG-17, C-16]."""
    if not subject.represents:
        return (_PERSONAL,)
    return _represented_company(subject, "Company", Category.PERSONAL_COMPANY, "company")


def _represented_company(
    subject: Subject, label: str, category: Category, rule: str
) -> Iterator[Outcome]:
    """Yield the grants of a representative: for the company's client flag in Clio, and for the company's matters."""
    if not subject.represents:
        return
    represents = f"Represents {subject.company_name}"
    if subject.company_is_flagged:
        because = f"{represents}, which is marked as a client in Clio"
        yield Grant(label, category, rule, because, setting=REPRESENTATIVES)
    if subject.company_matters:
        because = f"{represents}, the client of {_matter_names(subject.company_matters)}"
        ids = _matter_ids(subject.company_matters)
        yield Grant(label, category, rule, because, ids, REPRESENTATIVES)


def responsible_attorney(subject: Subject) -> Iterable[Outcome]:
    """Grant the names of responsible attorneys [TG-18]."""
    named = [(matter, matter.responsible) for matter in subject.matters]
    chosen = subject.settings.tags.responsible_attorney
    return _attorneys(named, chosen, "responsible_attorney")


def originating_attorney(subject: Subject) -> Iterable[Outcome]:
    """Grant the names of originating attorneys [TG-18]."""
    named = [(matter, matter.originating) for matter in subject.matters]
    chosen = subject.settings.tags.originating_attorney
    return _attorneys(named, chosen, "originating_attorney")


def _attorneys(
    named: Sequence[tuple[MatterRecord, Attorney | None]], chosen: AttorneyTags, role: str
) -> Iterator[Outcome]:
    """Grant the attorneys of all matters, or of the latest matter that names one.

    The attorney need not be a Levitate user [TG-18, C-17, row 8].
    """
    if chosen is AttorneyTags.NONE:
        return
    found = [(matter, who) for matter, who in named if who is not None]
    for matter, attorney in found if chosen is AttorneyTags.ALL else found[:1]:
        if not (name := shown(attorney.name)):
            continue
        yield Grant(
            f"{role.replace('_', ' ').title()}: {name}",
            Category.ATTORNEY,
            role,
            f"{role.replace('_', ' ').capitalize()} of {_matter_name(matter)}",
            (matter.clio_id,),
            f"/tags/{role}",
            source_id=attorney.clio_user_id,
        )


TAG_RULES: tuple[TagRule, ...] = (
    clio,
    person,
    client,
    client_status,
    practice_area,
    related_practice_area,
    relationships,
    related_contact,
    matter_number,
    matter_tag,
    location,
    personal_or_company,
    responsible_attorney,
    originating_attorney,
    custom_fields,
)


def tags(subject: Subject) -> Tagging:
    """Return the tags of a contact in scope [TG-1], and what the rules did not grant."""
    outcomes = chain.from_iterable(rule(subject) for rule in TAG_RULES)
    withhold = subject.settings.restricted_matters.withhold
    return collect_tags(outcomes, subject.restricted, withhold=withhold)


def _matter_ids(matters: Iterable[MatterRecord]) -> tuple[int, ...]:
    return tuple(sorted([matter.clio_id for matter in matters]))


def _matter_names(matters: Sequence[MatterRecord]) -> str:
    """Return the display numbers of the matters for a sentence; after five, only how many more there are."""
    if len(matters) == 1:
        return _matter_name(matters[0])
    found = sorted(matters, key=lambda matter: matter.clio_id)
    names = [_matter_name(matter) for matter in found[:5]]
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return ", ".join(names) + more


def _matter_name(matter: MatterRecord) -> str:
    return matter.number or f"matter {matter.clio_id}"


@lru_cache(maxsize=64)
def _status_names(chosen: frozenset[MatterStatus]) -> str:
    return ", ".join(status.value for status in MatterStatus if status in chosen) or "none"
