"""Tags: one small function for each rule, one table that lists them. Every label carries every reason for it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from app.rules.client import client_of, counted_matters, represents_client
from app.rules.facts import ContactFacts
from app.rules.records import MatterRecord, MatterStatus
from app.rules.settings import Settings
from app.rules.verdicts import Basis, Category, Grant, Tag

TagRule = Callable[[ContactFacts, Settings], Iterator[Grant]]

STATUS_LABELS = {
    MatterStatus.OPEN: "Active Client",
    MatterStatus.PENDING: "Pending Client",
    MatterStatus.CLOSED: "Past Client",
}


def clio(facts: ContactFacts, settings: Settings) -> Iterator[Grant]:
    """Mark contacts that come from Clio [TG-2]."""
    yield Grant("Clio", Category.DEFAULT, "clio", "Synced from Clio")


def person(facts: ContactFacts, settings: Settings) -> Iterator[Grant]:
    """Mark individuals [TG-3]."""
    yield Grant("Person", Category.DEFAULT, "person", "An individual in Clio")


def client(facts: ContactFacts, settings: Settings) -> Iterator[Grant]:
    """Grant Client for the flag, an own matter or a represented company [TG-5, TG-8, C-1, C-2]."""
    found = client_of(facts)
    if found is None:
        return
    matters = counted_matters(facts)
    because = {
        Basis.FLAG: "Clio flags this person as a client",
        Basis.MATTER: f"Client of {_named(matters)}",
        Basis.COMPANY: f"Represents {_company(facts)}, a client",
    }[found.basis]
    yield Grant("Client", Category.CLIENT_STATUS, "client", because, _ids(matters))


def client_status(facts: ContactFacts, settings: Settings) -> Iterator[Grant]:
    """Grant at most one status: open outranks pending, pending outranks closed [TG-4, TG-6, TG-7, C-1]."""
    for status, label in STATUS_LABELS.items():
        matters = [matter for matter in counted_matters(facts) if matter.status is status]
        if matters:
            because = f"{status.value.capitalize()}: {_named(matters)}"
            yield Grant(label, Category.CLIENT_STATUS, "client_status", because, _ids(matters))
            return


def practice_area(facts: ContactFacts, settings: Settings) -> Iterator[Grant]:
    """Grant the practice areas of matters in the chosen statuses [TG-9]."""
    for matter in counted_matters(facts):
        if matter.practice_area and matter.status in settings.tags.practice_area.matter_status:
            because = f"Practice area of {_named([matter])} ({matter.status.value})"
            yield Grant(
                matter.practice_area,
                Category.PRACTICE_AREA,
                "practice_area",
                because,
                (matter.clio_id,),
            )


def related_contact(facts: ContactFacts, settings: Settings) -> Iterator[Grant]:
    """Mark those who are tied to a matter that is not their own [TG-12, §15 rows 2, 3]."""
    for related in facts.related_matters:
        if related.matter.client_id != facts.contact.clio_id:
            role = (related.description or "").strip() or "Related"
            yield Grant(
                "Related Contacts",
                Category.RELATED_CONTACT,
                "related_contact",
                f"{role} in {_named([related.matter])}",
                (related.matter.clio_id,),
            )


def personal_or_company(facts: ContactFacts, settings: Settings) -> Iterator[Grant]:
    """Grant Company to who represents a client company, Personal to everybody else [TG-16, TG-17]."""
    if represents_client(facts):
        because = f"Represents {_company(facts)}, a client"
        yield Grant(
            "Company", Category.PERSONAL_COMPANY, "company", because, _ids(facts.company_matters)
        )
    else:
        yield Grant(
            "Personal", Category.PERSONAL_COMPANY, "personal", "Does not represent a client company"
        )


TAG_RULES: tuple[TagRule, ...] = (
    clio,
    person,
    client,
    client_status,
    practice_area,
    related_contact,
    personal_or_company,
)


def tags(facts: ContactFacts, settings: Settings) -> tuple[Tag, ...]:
    """The tags of a contact that is in scope, in the order of their categories and labels."""
    return gather(grant for rule in TAG_RULES for grant in rule(facts, settings))


def gather(grants: Iterable[Grant]) -> tuple[Tag, ...]:
    """Grants with equal labels make one tag [TG-21, §15 row 11].

    It bears the spelling of the lowest Clio id and the first category; a blank label makes none.
    """
    by_label: dict[str, list[Grant]] = defaultdict(list)
    for grant in grants:
        if folded(grant.label):
            by_label[folded(grant.label)].append(grant)
    found = [_tag(sorted(holding, key=_grant_order)) for holding in by_label.values()]
    return tuple(sorted(found, key=lambda tag: (_RANK[tag.category], folded(tag.label))))


def folded(label: str) -> str:
    """A label as labels are compared: trimmed, spaces collapsed, case folded."""
    return " ".join(label.split()).casefold()


def _tag(holding: list[Grant]) -> Tag:
    spelled = min(holding, key=lambda grant: (min(grant.matter_ids, default=0), grant.label))
    category = min((grant.category for grant in holding), key=_RANK.__getitem__)
    return Tag(" ".join(spelled.label.split()), category, tuple(holding))


_RANK = {category: rank for rank, category in enumerate(Category)}


def _grant_order(grant: Grant) -> tuple[int, tuple[int, ...], str, str]:
    return (_RANK[grant.category], grant.matter_ids, grant.rule, grant.because)


def _ids(matters: Iterable[MatterRecord]) -> tuple[int, ...]:
    return tuple(sorted(matter.clio_id for matter in matters))


def _named(matters: Iterable[MatterRecord]) -> str:
    """The matters as a lawyer calls them, the first few of many."""
    found = sorted(matters, key=lambda matter: matter.clio_id)
    names = [matter.number or f"matter {matter.clio_id}" for matter in found[:5]]
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return ", ".join(names) + more


def _company(facts: ContactFacts) -> str:
    known = facts.company.name if facts.company else None
    return known or facts.contact.company_name or "a company"
