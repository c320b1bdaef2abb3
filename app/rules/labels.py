"""From the rules' grants to tags: what makes labels equal, how a label is spelled, what is withheld."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from app.rules.results import Category, Grant, NotGranted, Refusal, Tag

Outcome = Grant | NotGranted

MAX_NOT_GRANTED = 50  # an explanation stays readable, whatever a firm has in Clio
_RANK = {category: rank for rank, category in enumerate(Category)}


@dataclass(frozen=True, slots=True)
class Tagging:
    """The tags of a contact, and what the rules that are on did not give."""

    tags: tuple[Tag, ...]
    not_granted: tuple[NotGranted, ...]


def fold_label(label: str) -> str:
    """A label as labels are compared: trimmed, spaces collapsed, case folded."""
    return " ".join(label.split()).casefold()


def collect_tags(
    outcomes: Iterable[Outcome], restricted: frozenset[int], *, withhold: bool
) -> Tagging:
    """What the rules' outcomes come to, with what rests on restricted matters marked or withheld [S7]."""
    grants: list[Grant] = []
    refused: list[NotGranted] = []
    for outcome in outcomes:
        if isinstance(outcome, NotGranted):
            refused.append(outcome)
            continue
        marked = mark_restricted(outcome, restricted)
        if marked.restricted and withhold:
            refused.append(_withheld(marked))
        else:
            grants.append(marked)
    tags = group_by_label(grants)
    return Tagging(tags, select_not_granted(refused, tags))


def mark_restricted(grant: Grant, restricted: frozenset[int]) -> Grant:
    """The grant, restricted when all matters that it rests on are [S7]."""
    if restricted and grant.matter_ids and restricted.issuperset(grant.matter_ids):
        return replace(grant, restricted=True)
    return grant


def group_by_label(grants: Iterable[Grant]) -> tuple[Tag, ...]:
    """Grants with equal labels make one tag [TG-21, row 11].

    It bears the spelling of the lowest Clio id and the first category; a blank label makes none. Tags stand in the
    order of their categories and labels.
    """
    by_label: dict[str, list[Grant]] = defaultdict(list)
    for grant in grants:
        if label := fold_label(grant.label):
            by_label[label].append(grant)
    found = [
        (_RANK[tag.category], label, tag)
        for label, holding in by_label.items()
        for tag in (_tag(holding),)
    ]
    return tuple(tag for _, _, tag in sorted(found, key=lambda item: item[:2]))


def select_not_granted(
    refused: Iterable[NotGranted], tags: Sequence[Tag]
) -> tuple[NotGranted, ...]:
    """The refusals of what another grant did not give after all: in order, each once, and not without end."""
    held = {fold_label(tag.label) for tag in tags}
    once = {
        (fold_label(item.label), item.rule, item.why): item
        for item in refused
        if fold_label(item.label) not in held
    }
    return tuple(once[key] for key in sorted(once)[:MAX_NOT_GRANTED])


def _tag(holding: list[Grant]) -> Tag:
    grants = sorted(holding, key=_grant_order) if len(holding) > 1 else holding
    spelled = min(grants, key=lambda grant: (grant.source_id, grant.label))
    return Tag(
        label=" ".join(spelled.label.split()),
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
    why = "It rests only on matters that not everybody at the firm may see"
    return NotGranted(grant.label, grant.rule, why, Refusal.RESTRICTED)
