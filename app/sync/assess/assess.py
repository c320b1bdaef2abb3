"""Rules, diff and publication: a batch's contacts, ledger rows and feed lines land in one transaction.

Only this writes the feed. A contact whose assessment comes out as before writes nothing but that it is settled.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app import rules
from app.db.accounts import accounts, settings
from app.db.contacts import change_feed, contacts, erasures, preexisting_tags
from app.db.contacts.change_feed import Line
from app.db.contacts.contacts import StoredContact
from app.db.json_codec import codec
from app.db.mirror import records, rule_inputs
from app.db.mirror.rule_inputs import Spelling
from app.db.runs import leases
from app.db.runs.leases import Assessed, Lease
from app.db.runs.run_report import Tally
from app.db.runs.runs import Kind, Run, Trigger
from app.db.session import Session, transaction
from app.rules.facts import ContactFacts, FirmFacts
from app.rules.results import Assessment, Change, Refusal, Scope, State
from app.rules.scope import NO_NAME_OR_EMAIL
from app.rules.settings import Settings
from app.sync.assess import new_clients, shrink_guard
from app.sync.concurrency import Stopping
from app.sync.services import Services, clio_web_origin

BATCH = 200

_CAUSES = {Trigger.USERS: "users", Trigger.SETTINGS: "settings"}
_ORIGINS = {Kind.INITIAL: "initial_sync", Kind.COVERAGE: "visibility", Kind.REDERIVE: "settings"}
_changes = codec(Change)


@dataclass(frozen=True)
class Basis:
    """What all batches are judged by, and how their changes are told; a preview belongs to no run."""

    run_id: str | None
    cause: str
    firm: FirmFacts
    settings: Settings
    spelling: Spelling
    clio_origin: str
    now: datetime


@dataclass(frozen=True)
class Judged:
    """One contact's new word: what was stored, what is, why, and how that differs (None: as before)."""

    known: StoredContact | None
    contact: StoredContact
    assessment: Assessment
    change: Change | None

    @property
    def entered(self) -> bool:
        """Whether the contact comes into scope, for the first time or again."""
        return _in_scope(self.contact) and not _in_scope(self.known)

    @property
    def changes_owner(self) -> bool:
        """Whether a contact that stays in scope gets another owner."""
        if self.entered or self.left or self.change is None or self.change.owner is None:
            return False
        return self.change.owner.before != self.change.owner.after

    @property
    def left(self) -> bool:
        """Whether the contact was in scope and no longer is."""
        return _in_scope(self.known) and not _in_scope(self.contact)


async def assess_stale(services: Services, lease: Lease, run: Run) -> None:
    """Assess every stale person of the account, batch by batch, each in its own transaction."""
    async with transaction(services.database) as session:
        await leases.hold(session, lease)
        await shrink_guard.take_up(session, lease)
        await rule_inputs.note_hidden(session, lease.account_id)
        due = await records.count_stale(session, lease.account_id)
        await leases.begin_assessing(session, lease, to_assess=due)
        chosen = await settings.at_version(session, lease.account_id, run.settings_version)
        basis = await basis_of(session, services, lease.account_id, chosen)
    basis = replace(basis, run_id=run.run_id, cause=_cause(run))
    began, done = basis.now, 0
    while True:
        basis = replace(basis, now=services.now())
        async with transaction(services.database) as session:
            await leases.hold(session, lease)
            batch = await _assess_batch(session, lease, basis, run.kind)
            done += batch.contacts
            end = expected_end(began, basis.now, done=done, due=due)
            await leases.assessed(session, lease, batch, expected_end=end)
        if batch.contacts < BATCH and not await _others_leave(services, lease, basis.now):
            return
        if services.stopping.is_set():
            raise Stopping


async def _others_leave(services: Services, lease: Lease, now: datetime) -> bool:
    """Nobody else is stale: whether those who would leave are judged again, or none does."""
    async with transaction(services.database) as session:
        await leases.hold(session, lease)
        return await shrink_guard.decide(session, lease, now=now)


def _cause(run: Run) -> str:
    """Why contacts change: what a person decided about withdrawals is `manual`, what a run reads is `sync`."""
    by_hand = run.kind is Kind.REDERIVE and run.trigger is Trigger.MANUAL
    return "manual" if by_hand else _CAUSES.get(run.trigger, "sync")


async def basis_of(
    session: Session, services: Services, account_id: str, chosen: Settings
) -> Basis:
    """What contacts are judged by under these settings, told as a change of settings."""
    account = await accounts.get_account(session, account_id)
    return Basis(
        run_id=None,
        cause="settings",
        firm=await accounts.firm_facts(session, account_id),
        settings=chosen,
        spelling=await rule_inputs.spelling(session, account_id),
        clio_origin=clio_web_origin(services, account),
        now=services.now(),
    )


async def _assess_batch(session: Session, lease: Lease, basis: Basis, kind: Kind) -> Assessed:
    account_id = lease.account_id
    await erasures.share(session, account_id)
    stale = await rule_inputs.stale_facts(session, account_id, basis.spelling, limit=BATCH)
    if not stale:
        return Assessed(contacts=0)
    judged, outside = await judge_batch(session, account_id, stale, basis)
    clio_ids = [person.contact.clio_id for person in stale]
    leave = {verdict.contact.clio_id for verdict in judged if verdict.left}
    kept = await shrink_guard.keep_back(session, lease, kind, leave, clio_ids, now=basis.now)
    judged = [verdict for verdict in judged if verdict.contact.clio_id not in kept]
    await contacts.save(
        session,
        account_id,
        [(verdict.contact, verdict.assessment) for verdict in judged],
        run_id=lease.run_id,
    )
    origin = _ORIGINS.get(kind, "incremental")
    entry = new_clients.Entry(lease.run_id, origin, basis.settings.new_client, basis.now)
    announced = await new_clients.enter(session, account_id, candidates(judged, stale), entry)
    told = [verdict for verdict in judged if verdict.change is not None]
    before = await change_feed.append(
        session, account_id, [line(verdict, basis) for verdict in told]
    )
    await rule_inputs.settle(session, account_id, clio_ids)
    return Assessed(
        contacts=len(stale),
        changed=len(told),
        entered=sum(verdict.entered for verdict in judged),
        left_scope=sum(verdict.left for verdict in judged),
        new_clients=announced,
        feed_before=before,
        tally=_tally(judged, outside),
    )


def _tally(judged: Sequence[Judged], outside: Mapping[int, Scope]) -> Tally:
    """What the run's report counts of a batch."""
    refused = Counter(item.refusal for verdict in judged for item in verdict.assessment.not_granted)
    skipped = [clio_id for clio_id, scope in outside.items() if scope.reason == NO_NAME_OR_EMAIL]
    return Tally(
        owner_changes=sum(verdict.changes_owner for verdict in judged),
        too_long=refused[Refusal.TOO_LONG],
        unparsable=refused[Refusal.UNPARSABLE],
        no_name_or_email=len(skipped)
        + sum(verdict.assessment.scope.reason == NO_NAME_OR_EMAIL for verdict in judged),
        skipped=skipped,
    )


async def judge_batch(
    session: Session, account_id: str, people: Sequence[ContactFacts], basis: Basis
) -> tuple[list[Judged], dict[int, Scope]]:
    """What the rules say of these persons beside what is stored of them, storing nothing.

    Of those who never were in scope and are not: why, by Clio id.
    """
    clio_ids = [person.contact.clio_id for person in people]
    known = await contacts.by_clio_id(session, account_id, clio_ids)
    contact_ids = [contact.contact_id for contact in known.values()]
    borne = await preexisting_tags.of_contacts(session, account_id, contact_ids)
    found = {
        person.contact.clio_id: judge(
            account_id, person, known.get(person.contact.clio_id), basis, borne
        )
        for person in people
    }
    judged = [verdict for verdict in found.values() if isinstance(verdict, Judged)]
    return judged, {key: scope for key, scope in found.items() if isinstance(scope, Scope)}


def judge(
    account_id: str,
    person: ContactFacts,
    known: StoredContact | None,
    basis: Basis,
    borne: Mapping[str, frozenset[str]],
) -> Judged | Scope:
    """What the rules say of a person beside what is stored; of one who never was in scope and is not: why."""
    before = known.view if known else None
    previous = before.owner.user_id if before and before.owner else None
    assessment = rules.assess(person, basis.firm, basis.settings, previous)
    view = rules.view(before, assessment)
    if view is None:
        return assessment.scope
    change = rules.diff(
        before, view, borne.get(known.contact_id, frozenset()) if known else frozenset()
    )
    if known is None:
        clio_id = person.contact.clio_id
        contact_id = contacts.contact_id_of(account_id, clio_id)
        contact = StoredContact(contact_id, clio_id, 1, view, basis.now, basis.now)
    elif change is None:
        contact = known
    else:
        contact = replace(known, version=known.version + 1, view=view, updated_at=basis.now)
    return Judged(known, contact, assessment, change)


def line(verdict: Judged, basis: Basis) -> Line:
    """The feed line of a change, as the REST API returns it."""
    assert verdict.change is not None  # noqa: S101  # the caller tells changes only
    change = _changes.adapter.dump_python(verdict.change, mode="json")
    body = {
        "kind": change["kind"],
        "contact_id": verdict.contact.contact_id,
        "clio_id": str(verdict.contact.clio_id),
        "run_id": basis.run_id,
        "at": contacts.zulu(basis.now),
        "cause": basis.cause,
        "fields": {
            name: {
                "from": contacts.field_document(name, before),
                "to": contacts.field_document(name, after),
            }
            for name, (before, after) in change["fields"].items()
        },
        "tags_added": change["tags_added"],
        "tags_removed": change["tags_removed"],
        "owner": change["owner"] and _owner_change(change["owner"]),
        "contact": contacts.document(verdict.contact, clio_origin=basis.clio_origin),
    }
    return Line(verdict.contact.contact_id, body)


def _owner_change(owner: dict[str, Any]) -> dict[str, Any]:
    matter_id = owner["matter_id"]
    return {
        "from": owner["before"],
        "to": owner["after"],
        "rule": owner["rule"],
        "matter_clio_id": None if matter_id is None else str(matter_id),
    }


def candidates(
    judged: Sequence[Judged], people: Sequence[ContactFacts]
) -> list[new_clients.Candidate]:
    """Those who reach Levitate as clients now; the ledger knows whether for the first time [NC-1]."""
    own = {person.contact.clio_id: person.own_matters for person in people}
    return [
        new_clients.Candidate(
            verdict.contact,
            verdict.assessment.client,
            frozenset(matter.clio_id for matter in own[verdict.contact.clio_id]),
        )
        for verdict in judged
        if verdict.assessment.client is not None
    ]


def _in_scope(contact: StoredContact | None) -> bool:
    return contact is not None and contact.view.state is State.IN_SCOPE


def expected_end(began: datetime, now: datetime, *, done: int, due: int) -> datetime | None:
    """When the assessments will be done at the pace so far."""
    if not done:
        return None
    return now + (now - began) / done * max(due - done, 0)
