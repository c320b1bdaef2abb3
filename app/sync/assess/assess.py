"""Assess the stale contacts of an account and publish what changed.

Contact, new-client row and feed line of a batch land in one transaction. No other module writes assessments to the
change feed. A contact whose assessment is unchanged writes nothing, it only stops being stale.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from app.clio.call_budget import CallBudget
from app.db.accounts import settings
from app.db.contacts import (
    change_feed,
    contact_store,
    erasures,
    first_publications,
    scope_changes,
)
from app.db.contacts.scope_changes import ScopeChange
from app.db.mirror import changed_items, hidden_matters, kept, records, rule_inputs
from app.db.runs import leases, list_failures, runs
from app.db.runs.leases import AssessedBatch, Lease, fenced_transaction
from app.db.runs.run_report import Tally
from app.db.runs.runs import ASSESSING, Kind, Run, Trigger
from app.db.session import Session
from app.rules.facts import ContactFacts
from app.rules.results import Refusal, Scope
from app.rules.scope import NO_NAME_OR_EMAIL
from app.rules.set_aside import UNLIMITED_CAUSES, UPGRADE
from app.rules.settings import InitialSync
from app.sync.assess import new_clients, shrink_guard
from app.sync.assess.contact_assessments import (
    BATCH_SIZE,
    AssessedContact,
    AssessmentContext,
    assess_contacts,
    load_context,
    new_client_candidates,
)
from app.sync.assess.feed_lines import feed_line
from app.sync.assess.first_publication import Admitted, Batch, admit
from app.sync.assess.new_clients import Candidate
from app.sync.assess.words import update_words
from app.sync.batches import do_in_batches
from app.sync.concurrency import check_pause
from app.sync.services import Services

KEPT_AT_ONCE = 500  # contacts under a limit that one transaction looks at
CHANGED_AT_ONCE = 2000  # contacts, or matters, that one transaction looks at for changed items
HIDDEN_AT_ONCE = 2000  # matters of which one transaction finds out whether they are hidden
_CAUSES = {Trigger.USERS: "users", Trigger.SETTINGS: "settings", Trigger.UPGRADE: UPGRADE}
_ORIGINS = {Kind.INITIAL: "initial_sync", Kind.COVERAGE: "visibility", Kind.REDERIVE: "settings"}


async def assess_stale(
    services: Services, lease: Lease, run: Run, budget: CallBudget, *, beside: str | None = None
) -> None:
    """Assess all stale contacts of the account, each batch in its own transaction.

    `beside` is the run, if it goes beside an incomplete pull: then those that the pull has changed stay stale. Raises
    Paused between two batches when the budget is spent, Stopping when the process must end, and RunTakenOver.
    """
    cause = _cause(run)
    limiting = await _limiting(services, lease)
    if run.phase != ASSESSING:
        if cause not in UNLIMITED_CAUSES:
            await _release_kept(services, lease, budget, limiting)
        if beside is None:
            await _mark_changed(services, lease, budget)
        await _update_hidden(services, lease, run, budget, beside=beside)
        await _requeue_abandoned(services, lease, budget)
        await _begin(services, lease, beside=beside)
    async with fenced_transaction(services.database, lease) as session:
        begun = await runs.get_run(session, lease.account_id, lease.run_id)
        chosen = await settings.get_version(session, lease.account_id, run.settings_version)
        context = await load_context(session, services, lease.account_id, chosen)
    context = replace(context, run_id=run.run_id, cause=cause, beside=beside, limiting=limiting)
    began, done, due = context.now, 0, begun.to_assess - begun.assessed
    released = 0
    while True:
        context = replace(context, now=services.now())
        async with fenced_transaction(services.database, lease) as session:
            batch = await _assess_batch(session, lease, context, run.kind)
            done += batch.contacts
            end = estimate_end(began, context.now, done=done, due=due)
            await leases.record_assessed(session, lease, batch, expected_end=end, now=context.now)
        if batch.contacts < BATCH_SIZE:
            again = await _release_removals(services, lease, run, after=released)
            if again is None:
                return
            released = again
        check_pause(services.stopping, budget)


async def _requeue_abandoned(services: Services, lease: Lease, budget: CallBudget) -> None:
    """Mark the contacts stale that ended runs had gathered for their removal."""
    while True:
        async with fenced_transaction(services.database, lease) as session:
            if not await shrink_guard.requeue_abandoned(session, lease):
                return
        check_pause(services.stopping, budget)


async def _begin(services: Services, lease: Lease, *, beside: str | None) -> None:
    """Begin the phase, with the number of contacts that it will assess."""
    async with fenced_transaction(services.database, lease) as session:
        counts = await records.count_stale(session, lease.account_id, lease.run_id)
        due = counts.total if beside is None else counts.total - counts.waiting
        await leases.begin_assessing(session, lease, to_assess=due)


async def _limiting(services: Services, lease: Lease) -> frozenset[str]:
    """Return the logins whose limit holds [row 53]."""
    now = services.now()
    async with fenced_transaction(services.database, lease) as session:
        aside = await list_failures.list_set_aside(session, lease.account_id)
    return frozenset(one.connection_id for one in aside if now < one.until)


async def _release_kept(
    services: Services, lease: Lease, budget: CallBudget, limiting: frozenset[str]
) -> None:
    """Mark the contacts stale whose limit has ended [row 53]."""

    async def release(session: Session, after: int) -> int | None:
        return await kept.release_kept(
            session, lease.account_id, limiting, after=after, limit=KEPT_AT_ONCE
        )

    await do_in_batches(services, lease, budget, "kept", release)


async def _mark_changed(services: Services, lease: Lease, budget: CallBudget) -> None:
    """Mark the contacts stale that depend on changed custom fields, practice areas, stages or users."""
    while True:
        async with fenced_transaction(services.database, lease) as session:
            if not await changed_items.mark_next(session, lease.account_id, limit=CHANGED_AT_ONCE):
                return
        check_pause(services.stopping, budget)


async def _update_hidden(
    services: Services, lease: Lease, run: Run, budget: CallBudget, *, beside: str | None
) -> None:
    """Update which matters are hidden, in batches; all of them if other logins count, and in a full run."""
    account_id = lease.account_id
    async with fenced_transaction(services.database, lease) as session:
        viewers = await hidden_matters.load_viewers(session, account_id)
    everything = viewers.changed or run.kind is Kind.FULL

    async def update(session: Session, after: int) -> int | None:
        last = await hidden_matters.update_hidden_matters(
            session,
            account_id,
            everything=everything,
            after=after,
            limit=HIDDEN_AT_ONCE,
            beside=beside,
        )
        if last is None and viewers.changed:
            await hidden_matters.store_viewers(session, account_id, viewers)
        return last

    # A login that is connected meanwhile makes another step of it, from the beginning.
    name = f"hidden_matters/{','.join(viewers.connection_ids)}" if everything else "hidden_matters"
    await do_in_batches(services, lease, budget, name, update)


async def _release_removals(
    services: Services, lease: Lease, run: Run, *, after: int
) -> int | None:
    """Decide about the contacts that would leave; return up to which id they are stale again and can leave now."""
    async with fenced_transaction(services.database, lease) as session:
        return await shrink_guard.release_or_open(
            session, lease, run.kind, after=after, now=services.now()
        )


def _cause(run: Run) -> str:
    """Return the cause of the changes: `manual` for a person's decision about removals, `sync` for what Clio said."""
    manual = run.kind is Kind.REDERIVE and run.trigger is Trigger.MANUAL
    return "manual" if manual else _CAUSES.get(run.trigger, "sync")


async def _assess_batch(
    session: Session, lease: Lease, context: AssessmentContext, kind: Kind
) -> AssessedBatch:
    await erasures.lock_shared(session, lease.account_id)
    stale = await rule_inputs.load_stale_facts(
        session, lease.account_id, context.spelling, beside=context.beside, limit=BATCH_SIZE
    )
    if not stale:
        return AssessedBatch(contacts=0)
    return await publish_batch(session, lease, context, kind, stale)


async def publish_batch(
    session: Session,
    lease: Lease,
    context: AssessmentContext,
    kind: Kind,
    stale: Sequence[ContactFacts],
) -> AssessedBatch:
    """Assess these persons, publish what changed, and clear their stale marks; they are locked."""
    account_id = lease.account_id
    clio_ids = [person.contact.clio_id for person in stale]
    review = await _lock_review(session, account_id, context)
    if context.cause in UNLIMITED_CAUSES:
        behind = await rule_inputs.find_behind(session, account_id, clio_ids)
        context = replace(context, behind=behind)
    found, outside = await assess_contacts(session, account_id, stale, context)
    assessed = await _without_deferred(session, lease, context, kind, found, clio_ids)
    admitted = Admitted(assessed)
    if context.in_review:
        admitted = await admit(session, account_id, review, Batch(stale, assessed, outside))
    published = admitted.contacts
    stored = [(one.contact, one.assessment) for one in published]
    await contact_store.save(session, account_id, stored, run_id=lease.run_id)
    await update_words(session, account_id, context, published, stale)
    announced = await _record_new_clients(session, lease, context, kind, admitted, stale)
    changed = [one for one in published if one.change is not None]
    before = await change_feed.append(
        session, account_id, [feed_line(one, context) for one in changed]
    )
    await rule_inputs.clear_stale(
        session, account_id, clio_ids, kept=[one.contact.clio_id for one in published if one.kept]
    )
    moved = await _record_moved(session, lease, published, now=context.now)
    return AssessedBatch(
        contacts=len(stale),
        changed=len(changed),
        entered=moved.entered,
        left_scope=moved.left_scope,
        new_clients=announced,
        feed_before=before,
        tally=_tally(assessed, outside),
    )


async def _lock_review(session: Session, account_id: str, context: AssessmentContext) -> str | None:
    """Lock the hold of people who wait to be published for the first time; do it before any row is written."""
    return await first_publications.lock_review(session, account_id) if context.in_review else None


async def _without_deferred(
    session: Session,
    lease: Lease,
    context: AssessmentContext,
    kind: Kind,
    found: Sequence[AssessedContact],
    clio_ids: Sequence[int],
) -> list[AssessedContact]:
    """Return the assessments without those of contacts that would leave and must wait [S5]."""
    leaving = {one.contact.clio_id: one.cause for one in found if one.left}
    removals = shrink_guard.LeavingContacts(kind, leaving, clio_ids)
    deferred = await shrink_guard.defer_removals(session, lease, removals, now=context.now)
    return [one for one in found if one.contact.clio_id not in deferred]


async def _record_moved(
    session: Session, lease: Lease, assessed: Sequence[AssessedContact], *, now: datetime
) -> ScopeChange:
    """Store how many contacts entered and left, for the guards; return it [row 54]."""
    moved = ScopeChange(
        entered=sum(one.entered for one in assessed), left_scope=sum(one.left for one in assessed)
    )
    await scope_changes.record(session, lease.account_id, lease.run_id, moved, now=now)
    return moved


async def _record_new_clients(
    session: Session,
    lease: Lease,
    context: AssessmentContext,
    kind: Kind,
    admitted: Admitted,
    people: Sequence[ContactFacts],
) -> int:
    """Record the clients of a batch who are new; return their number. Those just released belong to the first sync."""
    origin = "incremental" if context.cause == UPGRADE else _ORIGINS.get(kind, "incremental")
    source = new_clients.BatchSource(lease.run_id, origin, context.settings.new_client, context.now)
    by_choice: dict[InitialSync | None, list[Candidate]] = defaultdict(list)
    for one in new_client_candidates(admitted.contacts, people):
        by_choice[admitted.first_sync.get(one.contact.clio_id)].append(one)
    return sum(
        [
            await new_clients.record_new_clients(
                session, lease.account_id, candidates, source.released(chosen) if chosen else source
            )
            for chosen, candidates in by_choice.items()
        ]
    )


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


def estimate_end(began: datetime, now: datetime, *, done: int, due: int) -> datetime | None:
    """Return when all assessments will be done at the speed so far; None before the first."""
    if not done:
        return None
    return now + (now - began) / done * max(due - done, 0)
