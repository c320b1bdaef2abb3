"""Rules, diff and publication: a batch's contacts, ledger rows and feed lines land in one transaction.

Only this writes the feed. A contact whose assessment comes out as before writes nothing but that it is settled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app import rules
from app.db import accounts, contacts, facts, feed, leases, mirror
from app.db.contacts import StoredContact
from app.db.facts import Spelling
from app.db.feed import Line
from app.db.leases import Assessed, Lease
from app.db.records import codec
from app.db.runs import Kind, Run, Trigger
from app.db.session import Session, transaction
from app.rules.facts import ContactFacts, FirmFacts
from app.rules.settings import Settings
from app.rules.verdicts import Assessment, Change, State
from app.sync import Services, leaving, web_origin
from app.sync.together import Stopping

BATCH = 200

_CAUSES = {(Kind.REDERIVE, Trigger.USERS): "users", (Kind.REDERIVE, Trigger.MANUAL): "manual"}
_ORIGINS = {Kind.INITIAL: "initial_sync", Kind.COVERAGE: "visibility", Kind.REDERIVE: "settings"}
_changes = codec(Change)


@dataclass(frozen=True)
class Basis:
    """What all batches of one run are judged by."""

    run: Run
    firm: FirmFacts
    settings: Settings
    spelling: Spelling
    clio_origin: str
    now: datetime


@dataclass(frozen=True)
class Judged:
    """One contact's new word: what is stored, why, and the line that tells it (None: as before)."""

    contact: StoredContact
    assessment: Assessment
    change: Change | None


async def assess_stale(services: Services, lease: Lease, run: Run) -> None:
    """Assess every stale person of the account, batch by batch, each in its own transaction."""
    async with transaction(services.database) as session:
        await leaving.take_up(session, lease)
        due = await mirror.count_stale(session, lease.account_id)
        await leases.begin_assessing(session, lease, to_assess=due)
        account = await accounts.get_account(session, lease.account_id)
        firm = await accounts.firm_facts(session, lease.account_id)
        spelling = await facts.spelling(session, lease.account_id)
    origin = web_origin(services, account)
    began, done = services.now(), 0
    while True:
        basis = Basis(run, firm, Settings(), spelling, origin, services.now())
        async with transaction(services.database) as session:
            await leases.hold(session, lease)
            batch = await _assess_batch(session, lease, basis)
            done += batch.contacts
            end = expected_end(began, basis.now, done=done, due=due)
            await leases.assessed(session, lease, batch, expected_end=end)
            more = batch.contacts == BATCH or await leaving.decide(session, lease, now=basis.now)
        if not more:
            return
        if services.stopping.is_set():
            raise Stopping


async def _assess_batch(session: Session, lease: Lease, basis: Basis) -> Assessed:
    account_id = lease.account_id
    stale = await facts.stale_facts(session, account_id, basis.spelling, limit=BATCH)
    if not stale:
        return Assessed(contacts=0)
    clio_ids = [person.contact.clio_id for person in stale]
    known = await contacts.by_clio_id(session, account_id, clio_ids)
    judged = [
        verdict
        for person in stale
        if (verdict := judge(account_id, person, known.get(person.contact.clio_id), basis))
    ]
    leave = {verdict.contact.clio_id for verdict in judged if _leaves(verdict, known)}
    kept = await leaving.keep_back(session, lease, basis.run, leave, clio_ids, now=basis.now)
    judged = [verdict for verdict in judged if verdict.contact.clio_id not in kept]
    await contacts.save(
        session,
        account_id,
        [(verdict.contact, verdict.assessment) for verdict in judged],
        run_id=basis.run.run_id,
    )
    entered = await _enter_ledger(session, account_id, judged, basis)
    told = [verdict for verdict in judged if verdict.change is not None]
    await feed.append(session, account_id, [line(verdict, basis) for verdict in told])
    await facts.settle(session, account_id, clio_ids)
    return Assessed(
        contacts=len(stale),
        changed=len(told),
        entered=sum(_entered(verdict, known.get(verdict.contact.clio_id)) for verdict in told),
        left_scope=sum(verdict.contact.clio_id in leave for verdict in told),
        new_clients=entered,
    )


def judge(
    account_id: str, person: ContactFacts, known: StoredContact | None, basis: Basis
) -> Judged | None:
    """What the rules say of a person beside what is stored; None for one who never was in scope and is not."""
    assessment = rules.assess(person, basis.firm, basis.settings)
    before = known.view if known else None
    view = rules.view(before, assessment)
    if view is None:
        return None
    change = rules.diff(before, view)
    if known is None:
        clio_id = person.contact.clio_id
        contact_id = contacts.contact_id_of(account_id, clio_id)
        contact = StoredContact(contact_id, clio_id, 1, view, basis.now, basis.now)
    elif change is None:
        contact = known
    else:
        contact = replace(known, version=known.version + 1, view=view, updated_at=basis.now)
    return Judged(contact, assessment, change)


def line(verdict: Judged, basis: Basis) -> Line:
    """The feed line of a change, in the words of the REST contract (api.md §6)."""
    assert verdict.change is not None  # noqa: S101  # the caller tells changes only
    change = _changes.adapter.dump_python(verdict.change, mode="json")
    body = {
        "kind": change["kind"],
        "contact_id": verdict.contact.contact_id,
        "clio_id": str(verdict.contact.clio_id),
        "run_id": basis.run.run_id,
        "at": contacts.zulu(basis.now),
        "cause": _CAUSES.get((basis.run.kind, basis.run.trigger), "sync"),
        "fields": {
            name: {"from": before, "to": after}
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


async def _enter_ledger(
    session: Session, account_id: str, judged: Sequence[Judged], basis: Basis
) -> int:
    """Those who reach Levitate as clients now; the ledger knows whether for the first time [NC-1]."""
    clients = [
        (verdict.contact.clio_id, verdict.contact.contact_id, verdict.assessment.client)
        for verdict in judged
        if verdict.assessment.client is not None
    ]
    origin = _ORIGINS.get(basis.run.kind, "incremental")
    return await feed.enter_ledger(
        session, account_id, clients, origin=origin, run_id=basis.run.run_id, now=basis.now
    )


def _entered(verdict: Judged, known: StoredContact | None) -> bool:
    was_in = known is not None and known.view.state is State.IN_SCOPE
    return verdict.contact.view.state is State.IN_SCOPE and not was_in


def _leaves(verdict: Judged, known: Mapping[int, StoredContact]) -> bool:
    was = known.get(verdict.contact.clio_id)
    now_out = verdict.contact.view.state is not State.IN_SCOPE
    return now_out and was is not None and was.view.state is State.IN_SCOPE


def expected_end(began: datetime, now: datetime, *, done: int, due: int) -> datetime | None:
    """When the assessments will be done at the pace so far."""
    if not done:
        return None
    return now + (now - began) / done * max(due - done, 0)
