"""The effect of other settings: assess the whole firm by the function that a run uses, and store nothing [S11]."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.db.contacts import new_clients
from app.db.mirror import rule_inputs
from app.db.session import transaction
from app.rules.settings import Settings
from app.sync.assess.contact_assessments import (
    BATCH_SIZE,
    AssessedContact,
    assess_contacts,
    load_context,
    new_client_candidates,
)
from app.sync.assess.feed_lines import feed_line
from app.sync.services import Services


@dataclass
class Summary:
    """The counts of a preview.

    A contact that enters or leaves counts there and in the tags, not as a contact with changes.
    """

    entering: int = 0
    leaving: int = 0
    contacts_with_tag_changes: int = 0
    tags_added: Counter[str] = field(default_factory=Counter)
    tags_removed: Counter[str] = field(default_factory=Counter)
    owner_changes: int = 0
    new_clients: int = 0

    def count(self, assessed: AssessedContact) -> None:
        """Add one contact to the counts."""
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
        self.owner_changes += assessed.changes_owner


@dataclass(frozen=True)
class PreviewedChange:
    """One change in the form of a line of the change feed."""

    clio_id: int
    body: dict[str, Any]


@dataclass(frozen=True)
class Preview:
    """The counts of the whole firm, and one page of the changes in the order of Clio ids."""

    summary: Summary
    page: Sequence[PreviewedChange]
    more: bool


async def preview_settings(
    services: Services, account_id: str, candidate: Settings, *, after: int, limit: int
) -> Preview:
    """Return the effect of these settings; the page begins after the Clio id `after`.

    Each batch has its own short transaction, so that neither memory nor locks grow with the firm.
    """
    async with transaction(services.database) as session:
        context = await load_context(session, services, account_id, candidate)
    summary, changes, last = Summary(), list[PreviewedChange](), 0
    while True:
        context = replace(context, now=services.now())
        async with transaction(services.database) as session:
            people = await rule_inputs.load_facts_after(
                session, account_id, context.spelling, after=last, limit=BATCH_SIZE
            )
            assessed, _ = await assess_contacts(session, account_id, people, context)
            clients = [one.contact.clio_id for one in new_client_candidates(assessed, people)]
            old = await new_clients.find_by_clio_ids(session, account_id, clients)
        summary.new_clients += len(clients) - len(old)
        for one in assessed:
            summary.count(one)
            clio_id = one.contact.clio_id
            if one.change is not None and clio_id > after and len(changes) <= limit:
                changes.append(PreviewedChange(clio_id, feed_line(one, context).body))
        if len(people) < BATCH_SIZE:
            return Preview(summary, changes[:limit], more=len(changes) > limit)
        last = people[-1].contact.clio_id
