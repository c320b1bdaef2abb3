"""The limit on changes while a login is set aside: what of a new assessment may be published [row 53].

A login that is set aside may see a newer matter that the other logins do not see. So nothing is taken away from a
contact that it has ever seen. What is added is published.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from app.rules.labels import group_by_label
from app.rules.removed_contacts import REMOVED
from app.rules.results import Assessment, Grant, KeyFact, Owner, Tag
from app.rules.subject import STATUS_RANK
from app.rules.tags import STATUS_LABELS
from app.rules.texts import compared

LIMITED_FOR = timedelta(days=7)
LIMITED_AFTER_LEAVING = timedelta(days=30)  # as long as what only that login saw is kept [S4]
OPT_OUT, STATUS_RULE = "opt_out", "client_status"
UNLIMITED_CAUSES = frozenset({"settings", "users"})  # a person asked for the change [row 21]
UPGRADE = "upgrade"  # the rules changed, nothing else; no person asked for it [row 56]
_UNLIMITED_REASONS = (OPT_OUT, REMOVED)
_STATUSES = {label: rank for rank, label in enumerate(reversed(STATUS_LABELS.values()))}
_KINDS = ("birthday", "clio_id", "custom_date")  # row 17
_NEVER = datetime.min.replace(tzinfo=UTC)


def limit_end(since: datetime, left_at: datetime | None) -> datetime:
    """Return when the limit of a login ends that was set aside at `since` and not read completely again.

    It ends 30 days after the login was disconnected (`left_at`) if that happened within the limit, else after 7 days.
    """
    end = since + LIMITED_FOR
    return end if left_at is None or left_at >= end else left_at + LIMITED_AFTER_LEAVING


def publishable(published: Assessment, found: Assessment, cause: str) -> Assessment:
    """Return what may be published of `found` for a contact under the limit, beside what is published now.

    Tags, key facts, scope and owner stay. The status tag may move up, and the owner may move to a later matter. An
    opt-out, a proven deletion and the causes `settings` and `users` are not limited.
    """
    if cause in UNLIMITED_CAUSES or not published.scope.in_scope:
        return found
    if not found.scope.in_scope:
        return found if found.scope.reason in _UNLIMITED_REASONS else published
    tags = _tags(published.tags, found.tags)
    kept = {compared(tag.label) for tag in tags} - {compared(tag.label) for tag in found.tags}
    return replace(
        found,
        tags=tags,
        owner=_owner(published.owner, found.owner),
        key_facts=_key_facts(published.key_facts, found.key_facts),
        not_granted=tuple(item for item in found.not_granted if compared(item.label) not in kept),
    )


def _tags(published: tuple[Tag, ...], found: tuple[Tag, ...]) -> tuple[Tag, ...]:
    """Return the found tags and the published ones that are missing; of the status tags only the higher one."""
    keeps_status = _status(published) > _status(found)
    new = [grant for grant in _grants(found) if not (keeps_status and grant.rule == STATUS_RULE)]
    labels = {compared(grant.label) for grant in new}
    kept = [
        grant
        for grant in _grants(published)
        if (keeps_status if grant.rule == STATUS_RULE else compared(grant.label) not in labels)
    ]
    return group_by_label([*new, *kept]) if kept else found


def _grants(tags: tuple[Tag, ...]) -> Iterator[Grant]:
    return (grant for tag in tags for grant in tag.grants)


def _status(tags: tuple[Tag, ...]) -> int:
    """Return the rank of the status tag: past, pending, active; -1 without one."""
    ranks = (_STATUSES[grant.label] for grant in _grants(tags) if grant.rule == STATUS_RULE)
    return max(ranks, default=-1)


def _owner(published: Owner | None, found: Owner | None) -> Owner | None:
    """Return the found owner unless it is nobody, or comes from an earlier matter or from none."""
    if published is None or published.user_id is None:
        return found
    if found is None or found.user_id is None:
        return published
    if published.matter_id is None or published.matter_id == found.matter_id:
        return found
    return found if _age(found) > _age(published) else published


def _age(owner: Owner) -> tuple[datetime, int, int]:
    """Return the place of the deciding matter in the order of OW-4, the latest highest."""
    for matter in owner.considered:
        if matter.matter_id == owner.matter_id:
            updated_at = matter.updated_at or _NEVER
            return updated_at, -STATUS_RANK[matter.status], matter.matter_id
    return _NEVER, -len(STATUS_RANK), 0


def _key_facts(published: tuple[KeyFact, ...], found: tuple[KeyFact, ...]) -> tuple[KeyFact, ...]:
    """Return the found key facts and the published ones that are missing, in the order of row 17."""
    shown = {(fact.kind, fact.field_id) for fact in found}
    kept = [fact for fact in published if (fact.kind, fact.field_id) not in shown]
    return tuple(sorted((*found, *kept), key=lambda fact: _KINDS.index(fact.kind)))
