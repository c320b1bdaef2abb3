"""New clients of a batch: each person gets one new-client row, once and for all [NC-1..8].

During the first sync the row is announced at once or not at all, as the settings say. Later an announcement waits, in
the row itself, for the end of its run: only then is it known whether this is a surge (`surges.py`). If the run is
interrupted, or its process dies, the run ends later and decides it then. A client who may be another one under a new
Clio id waits until Clio was asked whether the other one exists (`replaced_clients.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.db.contacts import announcements, new_clients, similar_clients
from app.db.contacts.contacts import StoredContact
from app.db.contacts.new_clients import NewClient
from app.db.session import Session
from app.rules.matching import folded_name
from app.rules.new_clients import Status, Suspect, duplicate_by_matter, initial_status
from app.rules.results import Client
from app.rules.settings import InitialSync, NewClientSettings
from app.sync.assess.replaced_clients import INITIAL, Traits, find_suspects


@dataclass(frozen=True)
class Candidate:
    """A client found in this batch. `matter_ids` are the matters whose client it is itself."""

    contact: StoredContact
    client: Client
    matter_ids: frozenset[int]


@dataclass(frozen=True)
class BatchSource:
    """The run and the origin of a batch's new clients, and the firm's settings for them.

    `first_sync` is what a release of the first publication chose, in place of the setting.
    """

    run_id: str
    origin: str
    settings: NewClientSettings
    now: datetime
    first_sync: InitialSync | None = None

    def released(self, first_sync: InitialSync) -> "BatchSource":
        """Return the source for people whom such a release publishes: they belong to the first sync."""
        chosen = replace(self.settings, initial_sync=first_sync)
        return replace(self, origin=INITIAL, settings=chosen, first_sync=first_sync)


async def record_new_clients(
    session: Session, account_id: str, candidates: Sequence[Candidate], source: BatchSource
) -> int:
    """Write a row for each client that has none, announce those that need not wait, and return the number of rows."""
    found = {candidate.contact.clio_id: candidate for candidate in candidates}
    known = await new_clients.find_by_clio_ids(session, account_id, found)
    await _remember_matters(session, account_id, found, known)
    await _remember_names(session, account_id, found, known)
    fresh = [candidate for clio_id, candidate in sorted(found.items()) if clio_id not in known]
    if not fresh:
        return 0
    alike = await find_suspects(
        session, account_id, [_traits(one) for one in fresh], run_id=source.run_id
    )
    duplicates = await _find_duplicates(session, account_id, fresh)
    rows = [
        _new_row(account_id, one, source, alike.get(one.contact.clio_id, ()), duplicates)
        for one in fresh
    ]
    written = await new_clients.insert_rows(session, account_id, rows)
    emitted = [row for row in written if row.status is Status.EMITTED]
    owners = {row.clio_id: _owner_of(found[row.clio_id].contact) for row in emitted}
    await announcements.emit_events(session, account_id, emitted, owners, now=source.now)
    return len(written)


@dataclass(frozen=True)
class NewClientCounts:
    """The contacts of a batch that would get a new row, and how many of these `possible_duplicate_of`."""

    clio_ids: frozenset[int]
    possible_duplicates: int


async def count_new_clients(
    session: Session, account_id: str, candidates: Sequence[Candidate], seen: set[bytes]
) -> NewClientCounts:
    """Count the rows that these candidates would get, and write nothing.

    `seen` are the digests of the addresses of new clients before these; those of these are added to it [NC-6].
    """
    known = await new_clients.find_by_clio_ids(
        session, account_id, [one.contact.clio_id for one in candidates]
    )
    fresh = [one for one in candidates if one.contact.clio_id not in known]
    digests = [digest for one in fresh if (digest := email_digest_of(one.contact))]
    stored = await similar_clients.find_by_email(session, account_id, digests)
    taken = seen | stored.keys()
    first = set(digests) - taken
    seen.update(first)
    clio_ids = frozenset(one.contact.clio_id for one in fresh)
    return NewClientCounts(clio_ids, len(digests) - len(first))


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


async def _remember_names(
    session: Session,
    account_id: str,
    found: Mapping[int, Candidate],
    known: Mapping[int, NewClient],
) -> None:
    """Store the names that known clients have now; rows of an earlier release have none."""
    names = {clio_id: _name_digest(found[clio_id]) for clio_id in known}
    changed = {key: name for key, name in names.items() if name != known[key].name_digest}
    await new_clients.store_names(session, account_id, changed)


def _traits(one: Candidate) -> Traits:
    return Traits(
        clio_id=one.contact.clio_id,
        contact_id=one.contact.contact_id,
        matter_ids=one.matter_ids,
        digests=frozenset(filter(None, (email_digest_of(one.contact), _name_digest(one)))),
        profile=one.contact.view.profile,
    )


async def _find_duplicates(
    session: Session, account_id: str, fresh: Sequence[Candidate]
) -> dict[bytes, list[str]]:
    """Return the row ids by primary address: the oldest stored row first, then the candidates' [NC-6]."""
    digests = {digest for one in fresh if (digest := email_digest_of(one.contact))}
    stored = await similar_clients.find_by_email(session, account_id, digests)
    found = {digest: [row_id] for digest, row_id in stored.items()}
    for one in fresh:
        if digest := email_digest_of(one.contact):
            row_id = new_clients.new_client_id_of(account_id, one.contact.clio_id)
            found.setdefault(digest, []).append(row_id)
    return found


def email_digest_of(contact: StoredContact) -> bytes | None:
    """Return the digest of a contact's primary address, None if it has none [NC-6]."""
    primary = next((email for email in contact.view.profile.emails if email.primary), None)
    return similar_clients.email_digest(primary.address if primary else None)


def _owner_of(contact: StoredContact) -> str | None:
    owner = contact.view.owner
    return owner.user_id if owner else None


def _name_digest(one: Candidate) -> bytes | None:
    return similar_clients.digest_of(folded_name(one.contact.view.profile))


def _new_row(
    account_id: str,
    one: Candidate,
    source: BatchSource,
    suspects: Sequence[Suspect],
    duplicates: Mapping[bytes, Sequence[str]],
) -> NewClient:
    digest = email_digest_of(one.contact)
    row_id = new_clients.new_client_id_of(account_id, one.contact.clio_id)
    first = duplicates[digest][0] if digest else row_id
    duplicate = duplicate_by_matter(suspects) if first == row_id else first
    status, held_for = initial_status(
        initial=source.origin == INITIAL,
        chosen=source.settings,
        suspected=bool(suspects),
        duplicate=duplicate is not None,
    )
    is_emitted = status is Status.EMITTED
    event_id = announcements.event_id_of(account_id, one.contact.contact_id)
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
        name_digest=_name_digest(one),
        possible_duplicate_of=duplicate,
        matter_ids=tuple(sorted(one.matter_ids)),
        joined_to=suspects[0].clio_id if suspects else None,
        merged_into=None,
        first_sync=source.first_sync,
        event_ids=(event_id,) if is_emitted else (),
        created_at=source.now,
        emitted_at=source.now if is_emitted else None,
    )
