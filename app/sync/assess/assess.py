"""Assessments: apply the rules to stale contacts, compare, and publish what changed.

Contact, new-client row and feed line of a batch land in one transaction. No other module writes assessments to the
change feed. A contact whose assessment is unchanged writes nothing, it only stops being stale.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app import rules
from app.db.accounts import accounts, settings
from app.db.contacts import (
    change_feed,
    contact_store,
    contacts,
    documents,
    erasures,
    preexisting_tags,
)
from app.db.contacts.change_feed import FeedLine
from app.db.contacts.contacts import StoredContact
from app.db.json_codec import codec
from app.db.mirror import records, rule_inputs
from app.db.mirror.rule_inputs import CurrentNames
from app.db.runs import leases
from app.db.runs.leases import AssessedBatch, Lease, fenced_transaction
from app.db.runs.run_report import Tally
from app.db.runs.runs import Kind, Run, Trigger
from app.db.session import Session
from app.rules.facts import ContactFacts, FirmFacts
from app.rules.results import Assessment, Change, Refusal, Scope, State
from app.rules.scope import NO_NAME_OR_EMAIL
from app.rules.settings import Settings
from app.sync.assess import new_clients, shrink_guard
from app.sync.concurrency import Stopping
from app.sync.services import Services, clio_web_origin

BATCH_SIZE = 200

_CAUSES = {Trigger.USERS: "users", Trigger.SETTINGS: "settings"}
_ORIGINS = {Kind.INITIAL: "initial_sync", Kind.COVERAGE: "visibility", Kind.REDERIVE: "settings"}
_changes = codec(Change)


@dataclass(frozen=True)
class AssessmentContext:
    """The input that all batches share, and the fields of their feed lines. A preview has no run."""

    run_id: str | None
    cause: str
    firm: FirmFacts
    settings: Settings
    spelling: CurrentNames
    clio_origin: str
    now: datetime


@dataclass(frozen=True)
class AssessedContact:
    """The assessment of one contact beside what was stored. `change` is None if nothing changed."""

    known: StoredContact | None
    contact: StoredContact
    assessment: Assessment
    change: Change | None

    @property
    def entered(self) -> bool:
        """Return whether the contact comes into scope, for the first time or again."""
        return _in_scope(self.contact) and not _in_scope(self.known)

    @property
    def changes_owner(self) -> bool:
        """Return whether a contact that stays in scope gets another owner."""
        if self.entered or self.left or self.change is None or self.change.owner is None:
            return False
        return self.change.owner.before != self.change.owner.after

    @property
    def left(self) -> bool:
        """Return whether the contact was in scope and no longer is."""
        return _in_scope(self.known) and not _in_scope(self.contact)


async def assess_stale(services: Services, lease: Lease, run: Run) -> None:
    """Assess all stale contacts of the account, each batch in its own transaction.

    Raises Stopping between two batches when the process must end, and RunTakenOver.
    """
    async with fenced_transaction(services.database, lease) as session:
        await shrink_guard.requeue_abandoned(session, lease)
        await rule_inputs.update_hidden_matters(session, lease.account_id)
        due = await records.count_stale(session, lease.account_id)
        await leases.begin_assessing(session, lease, to_assess=due)
        chosen = await settings.get_version(session, lease.account_id, run.settings_version)
        context = await load_context(session, services, lease.account_id, chosen)
    context = replace(context, run_id=run.run_id, cause=_cause(run))
    began, done = context.now, 0
    while True:
        context = replace(context, now=services.now())
        async with fenced_transaction(services.database, lease) as session:
            batch = await _assess_batch(session, lease, context, run.kind)
            done += batch.contacts
            end = estimate_end(began, context.now, done=done, due=due)
            await leases.record_assessed(session, lease, batch, expected_end=end)
        if batch.contacts < BATCH_SIZE and not await _release_removals(
            services, lease, context.now
        ):
            return
        if services.stopping.is_set():
            raise Stopping


async def _release_removals(services: Services, lease: Lease, now: datetime) -> bool:
    """Decide about the contacts that would leave; return whether they are stale again and can leave now."""
    async with fenced_transaction(services.database, lease) as session:
        return await shrink_guard.release_or_open(session, lease, now=now)


def _cause(run: Run) -> str:
    """Return the cause of the changes: `manual` for a person's decision about removals, `sync` for what Clio said."""
    manual = run.kind is Kind.REDERIVE and run.trigger is Trigger.MANUAL
    return "manual" if manual else _CAUSES.get(run.trigger, "sync")


async def load_context(
    session: Session, services: Services, account_id: str, chosen: Settings
) -> AssessmentContext:
    """Return the context for assessments by these settings, outside a run and with the cause `settings`."""
    account = await accounts.get_account(session, account_id)
    return AssessmentContext(
        run_id=None,
        cause="settings",
        firm=await accounts.load_firm_facts(session, account_id),
        settings=chosen,
        spelling=await rule_inputs.load_current_names(session, account_id),
        clio_origin=clio_web_origin(services, account),
        now=services.now(),
    )


async def _assess_batch(
    session: Session, lease: Lease, context: AssessmentContext, kind: Kind
) -> AssessedBatch:
    account_id = lease.account_id
    await erasures.lock_shared(session, account_id)
    stale = await rule_inputs.load_stale_facts(
        session, account_id, context.spelling, limit=BATCH_SIZE
    )
    if not stale:
        return AssessedBatch(contacts=0)
    assessed, outside = await assess_contacts(session, account_id, stale, context)
    clio_ids = [person.contact.clio_id for person in stale]
    leaving = {one.contact.clio_id for one in assessed if one.left}
    deferred = await shrink_guard.defer_removals(
        session, lease, kind, leaving, clio_ids, now=context.now
    )
    assessed = [one for one in assessed if one.contact.clio_id not in deferred]
    await contact_store.save(
        session,
        account_id,
        [(one.contact, one.assessment) for one in assessed],
        run_id=lease.run_id,
    )
    announced = await _record_new_clients(session, lease, context, kind, assessed, stale)
    changed = [one for one in assessed if one.change is not None]
    before = await change_feed.append(
        session, account_id, [feed_line(one, context) for one in changed]
    )
    await rule_inputs.clear_stale(session, account_id, clio_ids)
    return AssessedBatch(
        contacts=len(stale),
        changed=len(changed),
        entered=sum(one.entered for one in assessed),
        left_scope=sum(one.left for one in assessed),
        new_clients=announced,
        feed_before=before,
        tally=_tally(assessed, outside),
    )


async def _record_new_clients(
    session: Session,
    lease: Lease,
    context: AssessmentContext,
    kind: Kind,
    assessed: Sequence[AssessedContact],
    people: Sequence[ContactFacts],
) -> int:
    origin = _ORIGINS.get(kind, "incremental")
    source = new_clients.BatchSource(lease.run_id, origin, context.settings.new_client, context.now)
    candidates = new_client_candidates(assessed, people)
    return await new_clients.record_new_clients(session, lease.account_id, candidates, source)


def _tally(assessed: Sequence[AssessedContact], outside: Mapping[int, Scope]) -> Tally:
    """Return a batch's counts for the report of the run."""
    refused = Counter(item.refusal for one in assessed for item in one.assessment.not_granted)
    skipped = [clio_id for clio_id, scope in outside.items() if scope.reason == NO_NAME_OR_EMAIL]
    return Tally(
        owner_changes=sum(one.changes_owner for one in assessed),
        too_long=refused[Refusal.TOO_LONG],
        unparsable=refused[Refusal.UNPARSABLE],
        no_name_or_email=len(skipped)
        + sum(one.assessment.scope.reason == NO_NAME_OR_EMAIL for one in assessed),
        skipped=skipped,
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
    found = {
        person.contact.clio_id: assess_contact(
            account_id, person, known.get(person.contact.clio_id), context, preexisting
        )
        for person in people
    }
    assessed = [one for one in found.values() if isinstance(one, AssessedContact)]
    return assessed, {key: scope for key, scope in found.items() if isinstance(scope, Scope)}


def assess_contact(
    account_id: str,
    person: ContactFacts,
    known: StoredContact | None,
    context: AssessmentContext,
    preexisting: Mapping[str, frozenset[str]],
) -> AssessedContact | Scope:
    """Apply the rules to one person; return the reason if the person is not in scope and never was."""
    before = known.view if known else None
    previous = before.owner.user_id if before and before.owner else None
    assessment = rules.assess(person, context.firm, context.settings, previous)
    view = rules.view(before, assessment)
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
    return AssessedContact(known, contact, assessment, change)


def feed_line(assessed: AssessedContact, context: AssessmentContext) -> FeedLine:
    """Return the line of the change feed for a contact that changed, as the REST API returns it."""
    assert assessed.change is not None  # noqa: S101  # callers pass changed contacts only
    change = _changes.adapter.dump_python(assessed.change, mode="json")
    body = {
        "kind": change["kind"],
        "contact_id": assessed.contact.contact_id,
        "clio_id": str(assessed.contact.clio_id),
        "run_id": context.run_id,
        "at": documents.format_time(context.now),
        "cause": context.cause,
        "fields": {
            name: {
                "from": documents.field_document(name, before),
                "to": documents.field_document(name, after),
            }
            for name, (before, after) in change["fields"].items()
        },
        "tags_added": change["tags_added"],
        "tags_removed": change["tags_removed"],
        "owner": change["owner"] and _owner_change(change["owner"]),
        "contact": documents.contact_document(assessed.contact, clio_origin=context.clio_origin),
    }
    return FeedLine(assessed.contact.contact_id, body)


def _owner_change(owner: dict[str, Any]) -> dict[str, Any]:
    matter_id = owner["matter_id"]
    return {
        "from": owner["before"],
        "to": owner["after"],
        "rule": owner["rule"],
        "matter_clio_id": None if matter_id is None else str(matter_id),
    }


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


def estimate_end(began: datetime, now: datetime, *, done: int, due: int) -> datetime | None:
    """Return when all assessments will be done at the speed so far; None before the first."""
    if not done:
        return None
    return now + (now - began) / done * max(due - done, 0)
