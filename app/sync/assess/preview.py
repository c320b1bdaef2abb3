"""Previews: the effect of other settings, or of the release of a first publication, in numbers [S11, API-19].

A preview assesses the whole firm by the function that a run uses, and stores nothing.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from app.db.contacts import first_publications
from app.db.mirror import rule_inputs
from app.db.session import Session, transaction
from app.rules.results import Change, ChangeKind, Scope
from app.rules.settings import Settings
from app.sync.assess.contact_assessments import (
    BATCH_SIZE,
    AssessedContact,
    AssessmentContext,
    assess_contacts,
    load_context,
    new_client_candidates,
)
from app.sync.assess.feed_lines import change_document
from app.sync.assess.new_clients import NewClientCounts, count_new_clients
from app.sync.services import Services


@dataclass(frozen=True)
class OwnerCount:
    """The number of contacts that a user would own; None is nobody."""

    user_id: str | None
    n: int


@dataclass
class Summary:
    """The counts of a preview.

    A contact that enters or leaves counts there and in the tags, not as a contact with changes. `owner_moves` has the
    owner changes by the owners before and after, `gained` and `lost` the tag changes of those who stay, by label.
    """

    entering: int = 0
    leaving: int = 0
    contacts_with_tag_changes: int = 0
    tags_added: Counter[str] = field(default_factory=Counter)
    tags_removed: Counter[str] = field(default_factory=Counter)
    owner_changes: int = 0
    new_clients: int = 0
    possible_duplicates: int = 0
    owners: Counter[str | None] = field(default_factory=Counter)
    by_state_reason: Counter[str] = field(default_factory=Counter)
    owner_moves: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)
    gained: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)

    @property
    def by_owner(self) -> list[OwnerCount]:
        """The owners of those who would be in scope, who has most first, nobody last among equals."""
        found = [OwnerCount(user_id, n) for user_id, n in self.owners.items()]
        return sorted(found, key=lambda one: (-one.n, one.user_id is None, one.user_id or ""))

    def count(self, assessed: AssessedContact) -> None:
        """Add a contact that is or ever was in scope."""
        self.count_scope(assessed.assessment.scope)
        if assessed.assessment.owner is not None:
            self.owners[assessed.assessment.owner.user_id] += 1
        self._count_change(assessed)

    def count_scope(self, scope: Scope) -> None:
        """Add why a contact is not in scope, if it is not."""
        if scope.reason is not None:
            self.by_state_reason[scope.reason] += 1

    def count_new_clients(self, found: NewClientCounts) -> None:
        """Add the new clients of a batch."""
        self.new_clients += len(found.clio_ids)
        self.possible_duplicates += found.possible_duplicates

    def _count_change(self, assessed: AssessedContact) -> None:
        change = assessed.change
        if change is None:
            return
        self.tags_added.update(change.tags_added)
        self.tags_removed.update(change.tags_removed)
        if assessed.entered or assessed.left:
            self.entering += assessed.entered
            self.leaving += assessed.left
            return
        self.contacts_with_tag_changes += bool(change.tags_added or change.tags_removed)
        self.gained.update(change.tags_added)
        self.lost.update(change.tags_removed)
        if change.owner is not None:
            self.owner_changes += 1
            self.owner_moves[change.owner.before, change.owner.after] += 1


class Shown(StrEnum):
    """The changes that the page of a preview has: all, or those that one of the counts counts."""

    ALL = "all"
    ENTERING = "entering"
    LEAVING = "leaving"
    TAGS = "tags"
    OWNERS = "owners"
    NEW_CLIENTS = "new_clients"


@dataclass(frozen=True)
class PreviewPage:
    """The part of the changes that a preview returns: at most `limit` with a higher Clio id than `after`."""

    after: int
    limit: int
    show: Shown = Shown.ALL


@dataclass(frozen=True)
class PreviewedChange:
    """One change in the form of a line of the change feed.

    `is_known` says that the contact was in scope before, `is_new_client` that a new-client row would be written.
    """

    clio_id: int
    body: dict[str, Any]
    entered: bool
    left: bool
    is_known: bool
    is_new_client: bool


@dataclass(frozen=True)
class Preview:
    """The counts of the firm, and one page of the changes in the order of Clio ids.

    While it is not `complete`, they are those of the `people` who were assessed so far.
    """

    summary: Summary
    page: Sequence[PreviewedChange]
    more: bool
    people: int
    complete: bool


async def follow_preview(
    services: Services, account_id: str, candidate: Settings, wanted: PreviewPage
) -> AsyncIterator[Preview]:
    """Yield the preview after each batch of people; the last one is complete.

    Each batch has its own short transaction, so that locks do not grow with the firm. Memory grows only by the
    digests of the new clients' addresses, which tell the possible duplicates.
    """
    async with transaction(services.database, account_id) as session:
        context = await load_context(session, services, account_id, candidate)
    summary, changes, last, counted = Summary(), list[PreviewedChange](), 0, 0
    seen: set[bytes] = set()
    while True:
        context = replace(context, now=services.now())
        async with transaction(services.database, account_id) as session:
            people = await rule_inputs.load_facts_after(
                session, account_id, context.spelling, after=last, limit=BATCH_SIZE
            )
            assessed, outside = await assess_contacts(session, account_id, people, context)
            candidates = new_client_candidates(assessed, people)
            found = await count_new_clients(session, account_id, candidates, seen)
        summary.count_new_clients(found)
        for scope in outside.values():
            summary.count_scope(scope)
        for one in assessed:
            summary.count(one)
            is_new = one.contact.clio_id in found.clio_ids
            if len(changes) <= wanted.limit and _is_on_page(one, is_new, wanted):
                changes.append(_previewed(one, is_new, context))
        counted += len(people)
        more, complete = len(changes) > wanted.limit, len(people) < BATCH_SIZE
        yield Preview(summary, changes[: wanted.limit], more, counted, complete)
        if complete:
            return
        last = people[-1].contact.clio_id


def _is_on_page(one: AssessedContact, is_new: bool, wanted: PreviewPage) -> bool:
    change, stays = one.change, not (one.entered or one.left)
    has_tags = change is not None and bool(change.tags_added or change.tags_removed)
    counted = {
        Shown.ALL: change is not None,
        Shown.ENTERING: one.entered,
        Shown.LEAVING: one.left,
        Shown.TAGS: stays and has_tags,
        Shown.OWNERS: one.changes_owner,
        Shown.NEW_CLIENTS: is_new,
    }
    return one.contact.clio_id > wanted.after and counted[wanted.show]


def _previewed(one: AssessedContact, is_new: bool, context: AssessmentContext) -> PreviewedChange:
    """Return the change of a contact; one that only gets a new-client row has a change without content."""
    nothing = Change(ChangeKind.UPDATED, {}, (), (), None)
    shown = replace(one, change=one.change or nothing)
    return PreviewedChange(
        clio_id=one.contact.clio_id,
        body=change_document(shown, context),
        entered=one.entered,
        left=one.left,
        is_known=one.known is not None,
        is_new_client=is_new,
    )


async def summarize_review(session: Session, account_id: str, hold_id: str) -> Summary:
    """Return what a release of a first publication's open hold would do: everybody enters [API-19]."""
    counts = await first_publications.count(session, account_id, hold_id)
    return Summary(
        entering=counts.people,
        tags_added=counts.by_label,
        new_clients=counts.new_clients,
        possible_duplicates=counts.possible_duplicates,
        owners=counts.by_owner,
        by_state_reason=counts.by_state_reason,
    )
