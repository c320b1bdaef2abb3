"""What other settings would change: the whole firm judged by the function that the sync uses, storing nothing [S11]."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.db.contacts import new_clients
from app.db.mirror import rule_inputs
from app.db.session import transaction
from app.rules.settings import Settings
from app.sync.assess.assess import BATCH, Judged, basis_of, candidates, judge_batch, line
from app.sync.services import Services


@dataclass
class Summary:
    """What a change of settings comes to. Who enters or leaves counts there and in the tags, not as changed."""

    entering: int = 0
    leaving: int = 0
    contacts_with_tag_changes: int = 0
    tags_added: Counter[str] = field(default_factory=Counter)
    tags_removed: Counter[str] = field(default_factory=Counter)
    owner_changes: int = 0
    new_clients: int = 0

    def count(self, verdict: Judged) -> None:
        """Count what becomes of one contact."""
        change = verdict.change
        if change is None:
            return
        self.tags_added.update(change.tags_added)
        self.tags_removed.update(change.tags_removed)
        if verdict.entered or verdict.left:
            self.entering += verdict.entered
            self.leaving += verdict.left
            return
        self.contacts_with_tag_changes += bool(change.tags_added or change.tags_removed)
        self.owner_changes += verdict.changes_owner


@dataclass(frozen=True)
class Told:
    """One change as the feed would tell it."""

    clio_id: int
    body: dict[str, Any]


@dataclass(frozen=True)
class Preview:
    """The counts over the whole firm, and one page of the changes, by Clio id, as the feed would tell them."""

    summary: Summary
    page: Sequence[Told]
    more: bool


async def preview(
    services: Services, account_id: str, candidate: Settings, *, after: int, limit: int
) -> Preview:
    """What these settings would change; the page begins after a Clio id.

    Batch by batch, each in its own short transaction, so that neither memory nor locks grow with the firm.
    """
    async with transaction(services.database) as session:
        basis = await basis_of(session, services, account_id, candidate)
    summary, told, last = Summary(), list[Told](), 0
    while True:
        basis = replace(basis, now=services.now())
        async with transaction(services.database) as session:
            people = await rule_inputs.facts_after(
                session, account_id, basis.spelling, after=last, limit=BATCH
            )
            judged, _ = await judge_batch(session, account_id, people, basis)
            clients = [one.contact.clio_id for one in candidates(judged, people)]
            old = await new_clients.rows_of(session, account_id, clients)
        summary.new_clients += len(clients) - len(old)
        for verdict in judged:
            summary.count(verdict)
            clio_id = verdict.contact.clio_id
            if verdict.change is not None and clio_id > after and len(told) <= limit:
                told.append(Told(clio_id, line(verdict, basis).body))
        if len(people) < BATCH:
            return Preview(summary, told[:limit], more=len(told) > limit)
        last = people[-1].contact.clio_id
