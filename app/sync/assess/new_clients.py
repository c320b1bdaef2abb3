"""New clients of a batch: each person gets one new-client row, once and for all [NC-1..8].

During the first sync the row is announced at once or not at all, as the settings say. Later an announcement waits, in
the row itself, for the end of its run: only then is it known whether this is a surge (`surges.py`). If the run is
interrupted, or its process dies, the run ends later and decides it then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db.contacts import contact_store, new_clients
from app.db.contacts.contacts import StoredContact
from app.db.contacts.new_clients import NewClient
from app.db.session import Session
from app.rules.matching import is_same_person
from app.rules.new_clients import Status, initial_status
from app.rules.results import Client, State
from app.rules.settings import NewClientSettings

INITIAL = "initial_sync"


@dataclass(frozen=True)
class Candidate:
    """A client found in this batch. `matter_ids` are the matters whose client it is itself."""

    contact: StoredContact
    client: Client
    matter_ids: frozenset[int]


@dataclass(frozen=True)
class BatchSource:
    """The run and the origin of a batch's new clients, and the firm's settings for them."""

    run_id: str
    origin: str
    settings: NewClientSettings
    now: datetime


@dataclass(frozen=True)
class Predecessor:
    """Another client whose matter the candidate has now.

    `certain`: it was merged into the candidate. Otherwise this is only possible [S6]. `same_person`: names or
    addresses match.
    """

    row: NewClient
    certain: bool
    same_person: bool


async def record_new_clients(
    session: Session, account_id: str, candidates: Sequence[Candidate], source: BatchSource
) -> int:
    """Write a row for each client that has none, announce those that need not wait, and return the number of rows."""
    found = {candidate.contact.clio_id: candidate for candidate in candidates}
    known = await new_clients.find_by_clio_ids(session, account_id, found)
    await _remember_matters(session, account_id, found, known)
    fresh = [candidate for clio_id, candidate in sorted(found.items()) if clio_id not in known]
    if not fresh:
        return 0
    predecessors = await _find_predecessors(session, account_id, fresh)
    duplicates = await _find_duplicates(session, account_id, fresh)
    rows = [
        _new_row(account_id, one, source, predecessors.get(one.contact.clio_id), duplicates)
        for one in fresh
    ]
    written = await new_clients.insert_rows(session, account_id, rows)
    emitted = [row for row in written if row.status is Status.EMITTED]
    await new_clients.announce(session, account_id, emitted, now=source.now)
    for row in written:
        if predecessor := predecessors.get(row.clio_id):
            await _mark_merged(session, account_id, row, predecessor)
    return len(written)


async def _remember_matters(
    session: Session,
    account_id: str,
    found: Mapping[int, Candidate],
    known: Mapping[int, NewClient],
) -> None:
    more_matters = {
        clio_id: found[clio_id].matter_ids | set(row.matter_ids)
        for clio_id, row in known.items()
        if not found[clio_id].matter_ids <= set(row.matter_ids)
    }
    await new_clients.store_matters(session, account_id, more_matters)


async def _find_predecessors(
    session: Session, account_id: str, fresh: Sequence[Candidate]
) -> dict[int, Predecessor]:
    """Return, by the candidate's Clio id, the client that had the candidate's matters before [S6]."""
    matter_ids = {matter_id for one in fresh for matter_id in one.matter_ids}
    rows = await new_clients.find_by_matters(session, account_id, matter_ids) if matter_ids else []
    stored = await contact_store.load_by_clio_id(session, account_id, [row.clio_id for row in rows])
    found: dict[int, Predecessor] = {}
    for one in fresh:
        for row in rows:
            before = stored.get(row.clio_id)
            if before is None or not one.matter_ids & set(row.matter_ids):
                continue
            same_person = is_same_person(one.contact.view.profile, before.view.profile)
            certain = same_person or before.view.state is State.DELETED
            best = found.get(one.contact.clio_id)
            if best is None or (certain and not best.certain):
                found[one.contact.clio_id] = Predecessor(row, certain, same_person)
    return found


async def _find_duplicates(
    session: Session, account_id: str, fresh: Sequence[Candidate]
) -> dict[bytes, list[str]]:
    """Return the row ids by primary address: the oldest stored row first, then the candidates' [NC-6]."""
    digests = {digest for one in fresh if (digest := _email_digest(one))}
    stored = await new_clients.find_by_email(session, account_id, digests)
    found = {digest: [row_id] for digest, row_id in stored.items()}
    for one in fresh:
        if digest := _email_digest(one):
            row_id = new_clients.new_client_id_of(account_id, one.contact.clio_id)
            found.setdefault(digest, []).append(row_id)
    return found


def _email_digest(one: Candidate) -> bytes | None:
    primary = next((email for email in one.contact.view.profile.emails if email.primary), None)
    return new_clients.email_digest(primary.address if primary else None)


def _new_row(
    account_id: str,
    one: Candidate,
    source: BatchSource,
    predecessor: Predecessor | None,
    duplicates: Mapping[bytes, Sequence[str]],
) -> NewClient:
    status, held_for = initial_status(
        initial=source.origin == INITIAL,
        choice=source.settings.initial_sync,
        merged=predecessor is not None and predecessor.certain,
        maybe_merged=predecessor is not None and not predecessor.certain,
    )
    digest, row_id = (
        _email_digest(one),
        new_clients.new_client_id_of(account_id, one.contact.clio_id),
    )
    first = duplicates[digest][0] if digest else row_id
    return NewClient(
        clio_id=one.contact.clio_id,
        new_client_id=row_id,
        contact_id=one.contact.contact_id,
        status=status,
        held_for=held_for,
        origin=source.origin,
        basis=one.client.basis,
        client_since=one.client.client_since,
        has_open_matter=one.client.has_open_matter,
        run_id=source.run_id,
        email_digest=digest,
        possible_duplicate_of=None if first == row_id else first,
        matter_ids=tuple(sorted(one.matter_ids)),
        joined_to=predecessor.row.clio_id if predecessor else None,
        merged_into=None,
        event_ids=(),
        created_at=source.now,
        emitted_at=None,
    )


async def _mark_merged(
    session: Session, account_id: str, row: NewClient, predecessor: Predecessor
) -> None:
    """Store on the predecessor's row which contact it was merged into, if names or addresses match."""
    if predecessor.certain and predecessor.same_person:
        await new_clients.mark_merged(session, account_id, predecessor.row.clio_id, row.contact_id)
