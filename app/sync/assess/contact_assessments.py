"""Assessments of contacts: load the input that all share, apply the rules, and compare with what is stored.

Nothing is written here. A preview uses the same functions as a run, so it shows what the run would do.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app import rules
from app.db.accounts import accounts, attorneys
from app.db.contacts import contact_store, contacts, first_publications, preexisting_tags
from app.db.contacts.contacts import StoredContact
from app.db.mirror import rule_inputs, visibility
from app.db.mirror.rule_inputs import CurrentNames
from app.db.session import Session
from app.rules.facts import ContactFacts, FirmFacts
from app.rules.results import Assessment, Change, Scope, State
from app.rules.set_aside import UNLIMITED_CAUSES, UPGRADE, publishable
from app.rules.settings import Settings
from app.sync.assess import new_clients
from app.sync.services import Services, clio_web_origin

BATCH_SIZE = 200


@dataclass(frozen=True)
class AssessmentContext:
    """The input that all batches share, and the fields of their feed lines. A preview has no run.

    `beside` is the run, if it goes beside an incomplete pull: then contacts that the pull has changed wait. `limiting`
    are the logins set aside: nothing is taken away from what they have ever seen [row 53]. `only_adds` says that
    nothing is taken away from anybody [IS-2]. `behind` are contacts that were last assessed with older rules.
    `in_review` says that some people may not be published before a person releases them.
    """

    run_id: str | None
    cause: str
    firm: FirmFacts
    settings: Settings
    spelling: CurrentNames
    clio_origin: str
    now: datetime
    beside: str | None = None
    limiting: frozenset[str] = frozenset()
    only_adds: bool = False
    behind: frozenset[int] = frozenset()
    in_review: bool = False

    def cause_for(self, known: StoredContact | None) -> str:
        """Return the cause of a contact's changes.

        What changes when a person changes settings or users may come from the newer rules if the contact is behind. So
        it counts as an upgrade, and the person's exemptions do not hold [row 56].
        """
        is_behind = known is not None and known.clio_id in self.behind
        return UPGRADE if is_behind and self.cause in UNLIMITED_CAUSES else self.cause


@dataclass(frozen=True)
class Published:
    """The stored contact, if any; `limit` is its assessment if nothing may be taken away from it."""

    contact: StoredContact | None
    limit: Assessment | None = None


@dataclass(frozen=True)
class AssessedContact:
    """The assessment of one contact beside what was stored. `change` is None if nothing changed."""

    known: StoredContact | None
    contact: StoredContact
    assessment: Assessment
    change: Change | None
    cause: str
    kept: bool = False  # something is still published that the rules would take away [row 53]

    @property
    def entered(self) -> bool:
        """Return whether the contact comes into scope, for the first time or again."""
        return _in_scope(self.contact) and not _in_scope(self.known)

    @property
    def changes_owner(self) -> bool:
        """Return whether a contact that stays in scope gets another owner."""
        stays = not (self.entered or self.left)
        return stays and self.change is not None and self.change.owner is not None

    @property
    def left(self) -> bool:
        """Return whether the contact was in scope and no longer is."""
        return _in_scope(self.known) and not _in_scope(self.contact)


async def load_context(
    session: Session, services: Services, account_id: str, chosen: Settings
) -> AssessmentContext:
    """Return the context for assessments by these settings, outside a run and with the cause `settings`."""
    account = await accounts.get_account(session, account_id)
    return AssessmentContext(
        run_id=None,
        cause="settings",
        firm=await attorneys.load_firm_facts(session, account_id),
        settings=chosen,
        spelling=await rule_inputs.load_current_names(session, account_id),
        clio_origin=clio_web_origin(services, account),
        now=services.now(),
        in_review=await first_publications.has_unpublished(session, account_id),
    )


async def assess_contacts(
    session: Session, account_id: str, people: Sequence[ContactFacts], context: AssessmentContext
) -> tuple[list[AssessedContact], dict[int, Scope]]:
    """Apply the rules to these people and compare with what is stored; store nothing.

    The second result has, by Clio id, the reason for each person who is not in scope and never was.
    """
    clio_ids = [person.contact.clio_id for person in people]
    known = await contact_store.load_by_clio_id(session, account_id, clio_ids)
    contact_ids = [contact.contact_id for contact in known.values()]
    preexisting = await preexisting_tags.load_folded(session, account_id, contact_ids)
    can_be_limited = [
        clio_id
        for clio_id, contact in known.items()
        if context.cause_for(contact) not in UNLIMITED_CAUSES
    ]
    limited: Collection[int] = can_be_limited
    if not context.only_adds:
        limited = await visibility.find_ever_seen(session, account_id, context.limiting, limited)
    published = await contact_store.load_assessments(session, account_id, limited)
    found = {
        person.contact.clio_id: assess_contact(
            account_id,
            person,
            Published(known.get(person.contact.clio_id), published.get(person.contact.clio_id)),
            context,
            preexisting,
        )
        for person in people
    }
    assessed = [one for one in found.values() if isinstance(one, AssessedContact)]
    return assessed, {key: scope for key, scope in found.items() if isinstance(scope, Scope)}


def assess_contact(
    account_id: str,
    person: ContactFacts,
    published: Published,
    context: AssessmentContext,
    preexisting: Mapping[str, frozenset[str]],
) -> AssessedContact | Scope:
    """Apply the rules to one person; return the reason if the person is not in scope and never was."""
    known = published.contact
    before = known.view if known else None
    previous = before.owner.user_id if before and before.owner else None
    plain = rules.assess(person, context.firm, context.settings, previous)
    cause = context.cause_for(known)
    assessment = publishable(published.limit, plain, cause) if published.limit else plain
    view = rules.view(before, assessment, _merged_into(account_id, assessment))
    if view is None:
        return assessment.scope
    change = rules.diff(
        before, view, preexisting.get(known.contact_id, frozenset()) if known else frozenset()
    )
    if known is None:
        clio_id = person.contact.clio_id
        contact_id = contacts.contact_id_of(account_id, clio_id)
        contact = StoredContact(contact_id, clio_id, 1, view, context.now, context.now)
    elif change is None:
        contact = known
    else:
        contact = replace(known, version=known.version + 1, view=view, updated_at=context.now)
    return AssessedContact(known, contact, assessment, change, cause, kept=assessment != plain)


def _merged_into(account_id: str, assessment: Assessment) -> str | None:
    """Return our id of the contact that a deleted one became, if that is known [S6]."""
    if assessment.merged_into is None:
        return None
    return contacts.contact_id_of(account_id, assessment.merged_into)


def new_client_candidates(
    assessed: Sequence[AssessedContact], people: Sequence[ContactFacts]
) -> list[new_clients.Candidate]:
    """Return the contacts that are clients; the new-client rows tell which of them are new [NC-1]."""
    own = {person.contact.clio_id: person.own_matters for person in people}
    return [
        new_clients.Candidate(
            one.contact,
            one.assessment.client,
            frozenset(matter.clio_id for matter in own[one.contact.clio_id]),
        )
        for one in assessed
        if one.assessment.client is not None
    ]


def _in_scope(contact: StoredContact | None) -> bool:
    return contact is not None and contact.view.state is State.IN_SCOPE
