"""New clients, announced once and for all: when a batch is assessed, when a run ends, and by a person [NC-1..8].

Outside the first sync an announcement waits for the end of its run, in the row itself: only then is it known
whether this is a surge. A run that was laid down, or whose process died, ends later and settles it then.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from app.db import cursors, issues
from app.db.accounts import audit, settings
from app.db.accounts.audit import Actor, Deed
from app.db.contacts import contacts, holds, new_clients
from app.db.contacts.contacts import StoredContact
from app.db.contacts.new_clients import NewClient, NewClientHeld, NewClientNotHeld
from app.db.events import events
from app.db.events.events import Event, EventKind
from app.db.issues import Finding, Subject
from app.db.runs import runs
from app.db.runs.runs import Kind, Run
from app.db.session import Session
from app.rules.announcement import HeldFor, Status, initial_status, is_surge
from app.rules.matching import is_same_person
from app.rules.results import Client, State
from app.rules.settings import NewClientSettings

INITIAL = "initial_sync"
SURGING_AT_ONCE = 500  # announced in one transaction, when a person releases a surge

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Candidate:
    """A client as it reaches Levitate now; `matter_ids` are those that it is itself the client of."""

    contact: StoredContact
    client: Client
    matter_ids: frozenset[int]


@dataclass(frozen=True)
class Entry:
    """What a batch enters the ledger by: the run, whence its clients come, what the firm chose."""

    run_id: str
    origin: str
    chosen: NewClientSettings
    now: datetime


@dataclass(frozen=True)
class Forerunner:
    """Another client whose matter the candidate has now: known to have become it, or perhaps so [S6]."""

    row: NewClient
    certain: bool
    alike: bool


async def enter(
    session: Session, account_id: str, candidates: Sequence[Candidate], entry: Entry
) -> int:
    """Write a row for each client that has none, and announce what may be announced now; count the rows."""
    found = {candidate.contact.clio_id: candidate for candidate in candidates}
    known = await new_clients.rows_of(session, account_id, found)
    await _remember_matters(session, account_id, found, known)
    fresh = [candidate for clio_id, candidate in sorted(found.items()) if clio_id not in known]
    if not fresh:
        return 0
    before = await _forerunners(session, account_id, fresh)
    duplicates = await _duplicates(session, account_id, fresh)
    rows = [
        _row(account_id, one, entry, before.get(one.contact.clio_id), duplicates) for one in fresh
    ]
    written = await new_clients.enter(session, account_id, rows)
    told = [row for row in written if row.status is Status.EMITTED]
    await new_clients.announce(session, account_id, told, now=entry.now)
    for row in written:
        if forerunner := before.get(row.clio_id):
            await _join(session, account_id, row, forerunner)
    return len(written)


async def run_ended(session: Session, run: Run, *, now: datetime) -> None:
    """A run has ended, well or not: settle what waited for that, and tell Levitate."""
    chosen = await settings.at_version(session, run.account_id, run.settings_version)
    full = run.status is runs.Status.SUCCEEDED and run.kind in (Kind.FULL, Kind.INITIAL)
    await settle(session, run.account_id, chosen.new_client, full=full, now=now)
    told: list[tuple[EventKind, dict[str, object]]] = []
    if run.feed_before is not None:
        cursor = cursors.of_feed(run.account_id, run.feed_before)
        told.append((EventKind.CONTACTS_CHANGED, {"run_id": run.run_id, "cursor": cursor}))
    ended: dict[str, object] = {"run_id": run.run_id, "kind": run.kind, "status": run.status}
    told.append((EventKind.RUN_FINISHED, ended))
    found = [
        Event(events.event_id(run.account_id, kind, run.run_id), kind, "runs", data)
        for kind, data in told
    ]
    await events.record(session, run.account_id, found, now=now)


async def settle(
    session: Session, account_id: str, chosen: NewClientSettings, *, full: bool, now: datetime
) -> None:
    """A run has ended: announce what waited for that, or hold it all if it is a surge [NC-7, S6].

    The run's own and what an earlier run of the account left behind when it was ended from outside.
    """
    await _settle_merges(session, account_id, full=full, now=now)
    waiting = await new_clients.held(session, account_id, HeldFor.RUN)
    by_run = Counter(row.run_id for row in waiting)
    surges = {run_id for run_id, n in by_run.items() if is_surge(n, chosen.surge_threshold)}
    for run_id in surges:
        surging = [row.clio_id for row in waiting if row.run_id == run_id]
        await new_clients.hold(session, account_id, surging, HeldFor.SURGE)
        await _open_surge(session, account_id, run_id, surging, now=now)
    calm = [row for row in waiting if row.run_id not in surges]
    await new_clients.announce(session, account_id, calm, now=now)


async def _open_surge(
    session: Session, account_id: str, run_id: str, many: Sequence[int], *, now: datetime
) -> None:
    """So many at once wait for a person, who is told so [NC-7]."""
    log.warning("new_client_surge", account_id=account_id, run_id=run_id, count=len(many))
    hold_id = await holds.open_surge(session, account_id, run_id, many, now=now)
    text = f"One run found {len(many)} new clients; none is announced until somebody releases or discards this hold"
    finding = Finding("new_client_surge", text, Subject("hold", hold_id))
    await issues.open_issue(session, account_id, finding, now=now)


async def _settled(
    session: Session, account_id: str, rows: Sequence[NewClient], *, now: datetime
) -> None:
    """These were decided upon: a surge is over when nobody of it waits any more."""
    for run_id in {row.run_id for row in rows}:
        mine = [row.clio_id for row in rows if row.run_id == run_id]
        emptied = await holds.surge_settled(session, account_id, run_id, mine)
        if emptied is not None:
            subject = Subject("hold", emptied)
            await issues.resolve(session, account_id, "new_client_surge", subject, now=now)
            await holds.forget(session, account_id, [emptied])


async def surging(session: Session, account_id: str, run_id: str) -> list[NewClient]:
    """The next of a surge who wait, locked."""
    return await new_clients.held(
        session, account_id, HeldFor.SURGE, run_id=run_id, limit=SURGING_AT_ONCE
    )


async def release_surge(
    session: Session, account_id: str, rows: Sequence[NewClient], *, now: datetime
) -> None:
    """A person says that these are right: announce them."""
    await new_clients.announce(session, account_id, rows, now=now)
    await _settled(session, account_id, rows, now=now)


async def discard_surge(
    session: Session, account_id: str, rows: Sequence[NewClient], *, now: datetime
) -> None:
    """A person says that these are not to be announced."""
    await new_clients.suppress(session, account_id, [row.clio_id for row in rows])
    await _settled(session, account_id, rows, now=now)


async def release(
    session: Session, account_id: str, new_client_id: str, actor: Actor, *, now: datetime
) -> None:
    """Announce one that is held; raises NewClientNotHeld."""
    row = await _lock_held(session, account_id, new_client_id)
    await new_clients.announce(session, account_id, [row], now=now)
    await _settled(session, account_id, [row], now=now)
    await _audit(session, account_id, actor, "new_client.released", row, now=now)


async def suppress(
    session: Session, account_id: str, new_client_id: str, actor: Actor, *, now: datetime
) -> None:
    """Never announce one that is held; raises NewClientNotHeld."""
    row = await _lock_held(session, account_id, new_client_id)
    await new_clients.suppress(session, account_id, [row.clio_id])
    await _settled(session, account_id, [row], now=now)
    await _audit(session, account_id, actor, "new_client.suppressed", row, now=now)


async def _lock_held(session: Session, account_id: str, new_client_id: str) -> NewClient:
    row = await new_clients.lock_new_client(session, account_id, new_client_id)
    if row.status is not Status.HELD:
        raise NewClientNotHeld
    return row


async def replay(
    session: Session, account_id: str, new_client_id: str, actor: Actor, *, now: datetime
) -> None:
    """Announce one again, deliberately and under a new event id; raises NewClientHeld [NC-4]."""
    row = await new_clients.lock_new_client(session, account_id, new_client_id)
    if row.status is Status.HELD:
        raise NewClientHeld
    await new_clients.replay(session, account_id, row, now=now)
    await _audit(session, account_id, actor, "new_client.replayed", row, now=now)


async def forget(session: Session, account_id: str, clio_id: int, *, now: datetime) -> None:
    """The person is erased: it waits in no surge, and its row is no more."""
    row = await new_clients.find_new_client(session, account_id, clio_id)
    if row is not None:
        await new_clients.lock_new_client(session, account_id, row.new_client_id)
        await _settled(session, account_id, [row], now=now)
        await new_clients.erase(session, account_id, row)


async def _audit(
    session: Session, account_id: str, actor: Actor, action: str, row: NewClient, *, now: datetime
) -> None:
    await audit.record(session, account_id, actor, Deed(action, row.new_client_id), now=now)


async def _remember_matters(
    session: Session,
    account_id: str,
    found: Mapping[int, Candidate],
    known: Mapping[int, NewClient],
) -> None:
    grown = {
        clio_id: found[clio_id].matter_ids | set(row.matter_ids)
        for clio_id, row in known.items()
        if not found[clio_id].matter_ids <= set(row.matter_ids)
    }
    await new_clients.remember_matters(session, account_id, grown)


async def _forerunners(
    session: Session, account_id: str, fresh: Sequence[Candidate]
) -> dict[int, Forerunner]:
    """Who had the candidates' matters before them, and whether that client is now the candidate [S6]."""
    theirs = {matter_id for one in fresh for matter_id in one.matter_ids}
    rows = await new_clients.by_matters(session, account_id, theirs) if theirs else []
    stored = await contacts.by_clio_id(session, account_id, [row.clio_id for row in rows])
    found: dict[int, Forerunner] = {}
    for one in fresh:
        for row in rows:
            before = stored.get(row.clio_id)
            if before is None or not one.matter_ids & set(row.matter_ids):
                continue
            alike = is_same_person(one.contact.view.profile, before.view.profile)
            certain = alike or before.view.state is State.DELETED
            best = found.get(one.contact.clio_id)
            if best is None or (certain and not best.certain):
                found[one.contact.clio_id] = Forerunner(row, certain, alike)
    return found


async def _duplicates(
    session: Session, account_id: str, fresh: Sequence[Candidate]
) -> dict[bytes, list[str]]:
    """For each primary address the rows that have it: the ledger's oldest first, then these candidates' [NC-6]."""
    digests = {digest for one in fresh if (digest := _digest(one))}
    stored = await new_clients.by_email(session, account_id, digests)
    found = {digest: [row_id] for digest, row_id in stored.items()}
    for one in fresh:
        if digest := _digest(one):
            row_id = new_clients.row_id(account_id, one.contact.clio_id)
            found.setdefault(digest, []).append(row_id)
    return found


def _digest(one: Candidate) -> bytes | None:
    primary = next((email for email in one.contact.view.profile.emails if email.primary), None)
    return new_clients.email_digest(primary.address if primary else None)


def _row(
    account_id: str,
    one: Candidate,
    entry: Entry,
    forerunner: Forerunner | None,
    duplicates: Mapping[bytes, Sequence[str]],
) -> NewClient:
    status, held_for = initial_status(
        initial=entry.origin == INITIAL,
        choice=entry.chosen.initial_sync,
        merged=forerunner is not None and forerunner.certain,
        maybe_merged=forerunner is not None and not forerunner.certain,
    )
    digest, row_id = _digest(one), new_clients.row_id(account_id, one.contact.clio_id)
    first = duplicates[digest][0] if digest else row_id
    return NewClient(
        clio_id=one.contact.clio_id,
        new_client_id=row_id,
        contact_id=one.contact.contact_id,
        status=status,
        held_for=held_for,
        origin=entry.origin,
        basis=one.client.basis,
        client_since=one.client.client_since,
        has_open_matter=one.client.has_open_matter,
        run_id=entry.run_id,
        email_digest=digest,
        possible_duplicate_of=None if first == row_id else first,
        matter_ids=tuple(sorted(one.matter_ids)),
        joined_to=forerunner.row.clio_id if forerunner else None,
        merged_into=None,
        event_ids=(),
        created_at=entry.now,
        emitted_at=None,
    )


async def _join(session: Session, account_id: str, row: NewClient, forerunner: Forerunner) -> None:
    """Say on the forerunner's row whom it became, where names or addresses match."""
    if forerunner.certain and forerunner.alike:
        await new_clients.merged(session, account_id, forerunner.row.clio_id, row.contact_id)


async def _settle_merges(session: Session, account_id: str, *, full: bool, now: datetime) -> None:
    """A forerunner that is gone became the other; one that a full run has seen alive did not [S6]."""
    doubtful = await new_clients.held(session, account_id, HeldFor.MERGE)
    ids = [row.joined_to for row in doubtful if row.joined_to is not None]
    stored = await contacts.by_clio_id(session, account_id, ids)
    gone = {i for i in ids if i not in stored or stored[i].view.state is State.DELETED}
    joined = [row.clio_id for row in doubtful if row.joined_to in gone]
    await new_clients.suppress(session, account_id, joined)
    if full:
        others = [replace(row, joined_to=None) for row in doubtful if row.joined_to not in gone]
        await new_clients.part(session, account_id, [row.clio_id for row in others])
        await new_clients.announce(session, account_id, others, now=now)
