"""Turns grants into tags: which labels are equal, how a label is spelled, what is withheld."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import itemgetter

from msgspec.structs import replace

from app.rules.records import Record
from app.rules.results import Category, Grant, NotGranted, Refusal, Tag
from app.rules.texts import compared, shown_line

Outcome = Grant | NotGranted

MAX_NOT_GRANTED = 50  # keeps an explanation readable, whatever the firm has in Clio
_PLACE = itemgetter(0, 1)
_RANK = {category: rank for rank, category in enumerate(Category)}


class Tagging(Record, frozen=True):
    """The tags of a contact, and what the enabled rules did not grant."""

    tags: tuple[Tag, ...]
    not_granted: tuple[NotGranted, ...]


def collect_tags(
    outcomes: Iterable[Outcome], restricted: frozenset[int], *, withhold: bool
) -> Tagging:
    """Return the tags and refusals for the outcomes. Grants from restricted matters are marked or withheld [S7]."""
    grants: list[Grant] = []
    refused: list[NotGranted] = []
    for outcome in outcomes:
        if isinstance(outcome, NotGranted):
            refused.append(outcome)
            continue
        marked = mark_restricted(outcome, restricted) if restricted else outcome
        if marked.restricted and withhold:
            refused.append(_withheld(marked))
        else:
            grants.append(marked)
    tags = group_by_label(grants)
    return Tagging(tags, select_not_granted(refused, tags))


def mark_restricted(grant: Grant, restricted: frozenset[int]) -> Grant:
    """Return the grant, marked as restricted if all matters behind it are restricted [S7]."""
    if grant.matter_ids and restricted.issuperset(grant.matter_ids):
        return replace(grant, restricted=True)
    return grant


def group_by_label(grants: Iterable[Grant]) -> tuple[Tag, ...]:
    """Return one tag for all grants with equal labels, sorted by category and label [TG-21, row 11].

    A tag has the spelling of the lowest Clio id and the first category. A blank label gives no tag.
    """
    by_label: dict[str, list[Grant]] = defaultdict(list)
    for grant in grants:
        if label := compared(grant.label):
            by_label[label].append(grant)
    found = [
        (_RANK[tag.category], label, tag)
        for label, equal in by_label.items()
        for tag in (_tag(equal),)
    ]
    return tuple(tag for _, _, tag in sorted(found, key=_PLACE))


def select_not_granted(
    refused: Iterable[NotGranted], tags: Sequence[Tag]
) -> tuple[NotGranted, ...]:
    """Return the refusals to show: without labels that another grant gave, each once, sorted, at most 50."""
    refused = list(refused)
    if not refused:
        return ()
    held = {compared(tag.label) for tag in tags}
    once = {
        (compared(item.label), item.rule, item.why): item
        for item in refused
        if compared(item.label) not in held
    }
    return tuple(once[key] for key in sorted(once)[:MAX_NOT_GRANTED])


def _tag(equal: list[Grant]) -> Tag:
    if len(equal) == 1:
        grant = equal[0]
        return Tag(shown_line(grant.label), grant.category, (grant,), grant.restricted)
    grants = sorted(equal, key=_grant_order)
    spelled = min(grants, key=lambda grant: (grant.source_id, grant.label))
    return Tag(
        label=shown_line(spelled.label),
        category=grants[0].category,
        grants=tuple(dict.fromkeys(grants)),
        restricted=all(grant.restricted for grant in grants),
    )


def _grant_order(grant: Grant) -> tuple[int, tuple[int, ...], str, int, str, str]:
    return (
        _RANK[grant.category],
        grant.matter_ids,
        grant.rule,
        grant.field_id or 0,
        grant.because,
        grant.label,
    )


def _withheld(grant: Grant) -> NotGranted:
    why = "All matters behind this tag have limited permissions in Clio"
    return NotGranted(grant.label, grant.rule, why, Refusal.RESTRICTED)
