"""Shows the effect of settings that are not saved, in numbers and in words, as the panel beside the form shows it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.api import schemas, settings
from app.api.pagination import PageRequest
from app.api.settings import AskedPreview
from app.console.rendering import number, plural
from app.console.settings.differences import Difference
from app.console.settings.document import Values, differing, mistakes_by_leaf, nested
from app.console.settings.offers import Names
from app.console.visit import Visit
from app.errors import InvalidRequest
from app.sync.assess import Preview, PreviewedChange, Shown, Summary

PEOPLE_SHOWN = 25  # on one page of the list
TOLD = 3  # tags, or pairs of owners, in one sentence


@dataclass(frozen=True)
class Count:
    """A number of a preview, what it counts, the surprising part in a sentence, and the list that it opens."""

    n: int
    text: str
    detail: str
    show: Shown


@dataclass(frozen=True)
class ShownPreview:
    """The panel: the changes that are not saved, and what they would do. `counts` is None before it is counted."""

    changes: Sequence[Difference]
    mistakes: Mapping[str, str]
    counts: Sequence[Count] | None = None
    people: int = 0
    complete: bool = False


@dataclass(frozen=True)
class ChangedPerson:
    """A person whom the settings would change, and how, in short sentences."""

    page: str
    name: str
    changes: Sequence[str]


@dataclass(frozen=True)
class ChangedPeople:
    """A page of the people of one count; `more` is the cursor of the next one."""

    show: Shown
    title: str
    items: Sequence[ChangedPerson]
    more: str | None
    is_first: bool


async def ask(
    visit: Visit, saved: Values, shown: Values, show: Shown, cursor: str | None
) -> AskedPreview | Mapping[str, str]:
    """Return the preview of the values that a form shows, or what is wrong with them, by the path of the leaf."""
    body = schemas.PreviewIn(settings=nested(differing(saved, shown)))
    page = PageRequest(cursor, PEOPLE_SHOWN)
    try:
        return await settings.begin_preview(body, visit.account_id, visit.services, page, show)
    except InvalidRequest as invalid:
        return mistakes_by_leaf(invalid.errors)


def counts_of(summary: Summary, names: Names) -> list[Count]:
    """Return the counts in the order in which people ask for them."""
    s = summary
    return [
        Count(
            s.entering,
            _noun(s.entering, "person enters", "people enter"),
            _stay_out(s),
            Shown.ENTERING,
        ),
        Count(s.leaving, _noun(s.leaving, "person leaves", "people leave"), "", Shown.LEAVING),
        Count(
            s.contacts_with_tag_changes,
            _noun(s.contacts_with_tag_changes, "person changes tags", "people change tags"),
            _tags(s),
            Shown.TAGS,
        ),
        Count(
            s.owner_changes,
            _noun(s.owner_changes, "owner changes", "owners change"),
            _owners(s, names),
            Shown.OWNERS,
        ),
        Count(
            s.new_clients,
            _noun(s.new_clients, "automation would start", "automations would start"),
            _new_clients(s),
            Shown.NEW_CLIENTS,
        ),
    ]


def _noun(n: int, one: str, many: str) -> str:
    return one if n == 1 else many


def _stay_out(s: Summary) -> str:
    excluded = s.by_state_reason.get("role_excluded", 0)
    if not s.entering or not excluded:
        return ""
    return f"{plural(excluded, 'more has', 'more have')} a role that stays out."


def _tags(s: Summary) -> str:
    moved = (("Gained:", s.gained), ("Lost:", s.lost))
    return " ".join(f"{verb} {_most(labels)}." for verb, labels in moved if labels)


def _most(labels: Mapping[str, int]) -> str:
    most = sorted(labels.items(), key=lambda one: (-one[1], one[0]))
    rest = len(most) - TOLD
    told = ", ".join(f"{label} {number(n)}" for label, n in most[:TOLD])
    return told + (f" and {plural(rest, 'other tag')}" if rest > 0 else "")


def _owners(s: Summary, names: Names) -> str:
    moves = s.owner_moves.most_common(TOLD)
    rest = s.owner_changes - sum(n for _, n in moves)
    told = [f"{names.user(old)} to {names.user(new)} {number(n)}" for (old, new), n in moves]
    if rest:
        told.append(f"other {number(rest)}")
    text = ", ".join(told)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _new_clients(s: Summary) -> str:
    if not s.new_clients:
        return ""
    alike = s.possible_duplicates
    if not alike:
        return "For clients who are new in Levitate."
    return f"{plural(alike, 'of them may be a duplicate', 'of them may be duplicates')}."


FIELDS: Mapping[str, str] = {
    "emails": "email addresses",
    "key_facts": "key facts",
    "phones": "phone numbers",
    "addresses": "addresses",
}
TITLES: Mapping[Shown, str] = {
    Shown.ALL: "People who would change",
    Shown.ENTERING: "People who would enter",
    Shown.LEAVING: "People who would leave",
    Shown.TAGS: "People whose tags would change",
    Shown.OWNERS: "People whose owner would change",
    Shown.NEW_CLIENTS: "People whose new-client automation would start",
}


def people_of(preview: Preview, asked: AskedPreview, names: Names) -> ChangedPeople:
    """Return the page of people of a whole preview."""
    return ChangedPeople(
        asked.show,
        TITLES[asked.show],
        [_person(one, names) for one in preview.page],
        asked.query.cursor(preview.page[-1].clio_id) if preview.more else None,
        is_first=asked.query.after == 0,
    )


def _person(one: PreviewedChange, names: Names) -> ChangedPerson:
    contact = one.body["contact"]
    name = " ".join(filter(None, [contact["first_name"], contact["last_name"]]))
    return ChangedPerson(
        page=f"people/{contact['id']}" if one.is_known else f"people/clio/{one.clio_id}",
        name=name or "A person without a name",
        changes=list(_sentences(one, names)),
    )


def _sentences(one: PreviewedChange, names: Names) -> Iterator[str]:
    body = one.body
    if one.entered or one.left:
        yield "Enters Levitate." if one.entered else "Leaves Levitate."
    if body["tags_added"]:
        yield f"Gains {', '.join(body['tags_added'])}."
    if body["tags_removed"]:
        yield f"Loses {', '.join(body['tags_removed'])}."
    owner = body["owner"]
    if owner is not None and not one.left:
        to = names.user(owner["to"])
        yield f"Owner: {to}." if one.entered else f"Owner: {names.user(owner['from'])} → {to}."
    others = body["fields"].keys() - {"state", "state_reason"}
    if others and not (one.entered or one.left):
        yield f"Changes {_fields(others)}."
    if one.is_new_client:
        yield "The new-client automation would start."


def _fields(names: Collection[str]) -> str:
    found = {FIELDS.get(name, "contact information") for name in names}
    return " and ".join(sorted(found))
