"""The review of a firm's first publication: people are published when somebody has released them [API-19].

While the review lasts, an assessment of a person who was never published only updates the review's hold: the person is
an item of it if a release would publish the person now. People who were published after a release are updated as usual.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.db import issues
from app.db.contacts import first_publications, holds
from app.db.contacts.first_publications import UnpublishedContact
from app.db.contacts.holds import HoldKind
from app.db.issues import Finding, Subject
from app.db.runs import runs
from app.db.session import Session
from app.rules.facts import ContactFacts
from app.rules.results import Scope
from app.rules.settings import InitialSync
from app.sync.assess.contact_assessments import AssessedContact
from app.sync.assess.hold_issues import FIRST_PUBLICATION_HELD
from app.sync.assess.new_clients import email_digest_of


@dataclass(frozen=True)
class Batch:
    """Locked people, their results, and by Clio id the reasons of those who are not in scope and never were."""

    people: Sequence[ContactFacts]
    assessed: Sequence[AssessedContact]
    outside: Mapping[int, Scope]


@dataclass(frozen=True)
class Admitted:
    """The results that may be published; what a release chose for the announcement of new clients, by Clio id."""

    contacts: Sequence[AssessedContact]
    first_sync: Mapping[int, InitialSync] = field(default_factory=dict)


async def admit(
    session: Session,
    account_id: str,
    hold_id: str | None,
    batch: Batch,
) -> Admitted:
    """Return the results that the review lets be published; let the others wait in its locked hold.

    When the review is over, there is no hold.
    """
    clio_ids = {person.contact.clio_id for person in batch.people}
    new = {one.contact.clio_id: one for one in batch.assessed if one.known is None}
    released = await first_publications.find_released(session, account_id, new)
    waiting: dict[int, AssessedContact] = {}
    stored: list[UnpublishedContact] = []
    if hold_id is None:
        released = await first_publications.find_known(session, account_id, new) | released
    else:
        waiting = {key: one for key, one in new.items() if key not in released}
        stored = [*map(_waiting, waiting.values()), *_not_published(batch)]
        await holds.add_items(session, account_id, hold_id, waiting)
    await holds.remove_contacts(
        session, account_id, HoldKind.FIRST_PUBLICATION, clio_ids - waiting.keys()
    )
    await first_publications.store_people(session, account_id, stored)
    others = clio_ids - {one.clio_id for one in stored}
    await first_publications.delete_people(session, account_id, others)
    admitted = [one for one in batch.assessed if one.contact.clio_id not in waiting]
    return Admitted(admitted, released)


def _waiting(one: AssessedContact) -> UnpublishedContact:
    assessment, owner = one.assessment, one.assessment.owner
    is_client = assessment.client is not None
    return UnpublishedContact(
        clio_id=one.contact.clio_id,
        state_reason=None,
        owner_user_id=owner.user_id if owner else None,
        labels=one.change.tags_added if one.change else (),
        is_client=is_client,
        email_digest=email_digest_of(one.contact) if is_client else None,
    )


def _not_published(batch: Batch) -> list[UnpublishedContact]:
    """Return those of these whom a release would not publish. Companies and deleted people do not count."""
    persons = {
        one.contact.clio_id
        for one in batch.people
        if one.contact.is_person and one.departed is None
    }
    return [
        UnpublishedContact(clio_id, scope.reason)
        for clio_id, scope in batch.outside.items()
        if clio_id in persons
    ]


async def open_or_report_review(
    session: Session, account_id: str, run_id: str, *, now: datetime
) -> None:
    """Open the review's hold when the firm was read completely, and report who waits now. A successful run calls it.

    Somebody who decides about the hold at this moment reports it.
    """
    if not await runs.has_complete_pull(session, account_id):
        return
    hold_id = await first_publications.lock_review(session, account_id, skip_locked=True)
    if hold_id is None:
        return
    await first_publications.open_review(session, account_id, run_id, now=now)
    await report(session, account_id, [hold_id], now=now)


async def report(
    session: Session, account_id: str, hold_ids: Sequence[str], *, now: datetime
) -> None:
    """Open or update the issue of each of these open holds."""
    for hold_id in hold_ids:
        hold = await holds.get_hold(session, account_id, hold_id)
        text = (
            f"{hold.count} people wait to be published for the first time. Release this hold, for all or for some of"
            " them; until it is released as a whole, people who are new in Clio wait in it, too"
        )
        finding = Finding(FIRST_PUBLICATION_HELD, text, Subject("hold", hold_id))
        await issues.open_issue(session, account_id, finding, now=now)
