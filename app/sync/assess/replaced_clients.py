"""New clients who may be other clients under a new Clio id: who is suspected, and the decision [S6, NC-6, row 46].

A merge in Clio deletes a contact and moves its matters, if it has any, to another one. Asking Clio does not belong
here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.db.contacts import announcements, contact_store, new_clients, similar_clients
from app.db.contacts.contacts import StoredContact
from app.db.contacts.new_clients import NewClient
from app.db.mirror import removals
from app.db.mirror.records import CONTACTS
from app.db.runs.runs import Reads, Run
from app.db.session import Session
from app.rules.matching import is_same_person
from app.rules.new_clients import (
    HeldFor,
    Status,
    Suspect,
    status_after_proof,
    suspects_in_order,
)
from app.rules.removed_contacts import REMOVED
from app.rules.results import Profile
from app.rules.settings import NewClientSettings

INITIAL = "initial_sync"


@dataclass(frozen=True)
class Traits:
    """The traits by which a client is compared with others."""

    clio_id: int
    contact_id: str
    matter_ids: frozenset[int]
    digests: frozenset[bytes]
    profile: Profile


@dataclass(frozen=True)
class Suspected:
    """A new client that waits for Clio's answer about the suspects."""

    row: NewClient
    suspects: tuple[Suspect, ...]


async def find_suspects(
    session: Session, account_id: str, clients: Sequence[Traits], *, run_id: str
) -> dict[int, tuple[Suspect, ...]]:
    """Return, by Clio id, the other clients who may be one of these, whom the run found; the most likely first."""
    matter_ids = {matter_id for one in clients for matter_id in one.matter_ids}
    digests = {digest for one in clients for digest in one.digests}
    rows = [
        *await similar_clients.find_by_matters(session, account_id, matter_ids),
        *await similar_clients.find_alike(session, account_id, digests, except_run_id=run_id),
    ]
    others = {row.clio_id: row for row in rows}
    if not others:
        return {}
    stored = await contact_store.load_by_clio_id(session, account_id, others)
    by_trait = defaultdict[int | bytes | None, list[NewClient]](list)
    for row in others.values():
        for trait in {*row.matter_ids, row.email_digest, row.name_digest}:
            by_trait[trait].append(row)
    found = {
        one.clio_id: suspects_in_order(
            suspect
            for row in _sharing(one, by_trait)
            if row.clio_id in stored
            and (suspect := _suspect(one, row, stored[row.clio_id], run_id)) is not None
        )
        for one in clients
    }
    return {clio_id: suspects for clio_id, suspects in found.items() if suspects}


def _sharing(
    one: Traits, by_trait: Mapping[int | bytes | None, Sequence[NewClient]]
) -> Iterable[NewClient]:
    """Return the rows that have a matter or a digest of the client, each once."""
    traits: list[int | bytes] = [*one.matter_ids, *one.digests]
    return {row.clio_id: row for trait in traits for row in by_trait.get(trait, ())}.values()


def _suspect(one: Traits, row: NewClient, other: StoredContact, run_id: str) -> Suspect | None:
    """Return the other client as a suspect; None if it is not, or became somebody else already.

    Two clients whom one run has found are two people, unless they had the same matter.
    """
    became = {row.merged_into, other.view.merged_into} - {None, one.contact_id}
    has_matter = bool(one.matter_ids & set(row.matter_ids))
    is_alike = row.run_id != run_id and bool(one.digests & {row.email_digest, row.name_digest})
    if row.clio_id == one.clio_id or became or not (has_matter or is_alike):
        return None
    same_person = is_same_person(one.profile, other.view.profile)
    return Suspect(row.clio_id, row.new_client_id, has_matter, same_person)


async def next_suspected(session: Session, account_id: str, *, after: int) -> Suspected | None:
    """Return the next new client, by Clio id, that waits for Clio's answer, or None."""
    rows = await new_clients.lock_held(session, account_id, HeldFor.MERGE, after=after, limit=1)
    if not rows:
        return None
    row = rows[0]
    stored = await contact_store.load_by_clio_id(session, account_id, [row.clio_id])
    profile = stored[row.clio_id].view.profile if row.clio_id in stored else Profile()
    digests = frozenset(filter(None, (row.email_digest, row.name_digest)))
    own = Traits(row.clio_id, row.contact_id, frozenset(row.matter_ids), digests, profile)
    found = await find_suspects(session, account_id, [own], run_id=row.run_id)
    return Suspected(row, found.get(row.clio_id, ()))


async def decide_suspected(
    session: Session,
    run: Run,
    one: Suspected,
    gone: int | None,
    *,
    chosen: NewClientSettings,
    now: datetime,
) -> None:
    """Suppress a new client who replaced another one, who is `gone`; otherwise announce it like any other [row 46].

    If the end of the run must announce it, its row belongs to that run from now on, so that the run counts it. Nothing
    is done if somebody has decided about the client meanwhile, or erased it.
    """
    account_id = run.account_id
    row = await new_clients.find_new_client(session, account_id, one.row.clio_id, lock=True)
    if row is None or row.held_for is not HeldFor.MERGE:
        return
    status, held_for = status_after_proof(
        initial=row.origin == INITIAL,
        chosen=replace(chosen, initial_sync=row.first_sync) if row.first_sync else chosen,
        replaced=gone is not None,
        duplicate=row.possible_duplicate_of is not None,
    )
    decided: dict[str, Any] = {"status": status, "held_for": held_for, "joined_to": gone}
    if held_for is HeldFor.RUN:
        decided["run_id"] = run.run_id
    await new_clients.store_decision(session, account_id, row.clio_id, decided)
    if status is Status.EMITTED:
        await announcements.announce(session, account_id, [row], now=now)
    if gone is not None:
        await _store_replacement(session, run, one, gone)


async def _store_replacement(session: Session, run: Run, one: Suspected, gone: int) -> None:
    """Store into whom the other client was merged, if it looks the same, and that its record is gone."""
    account_id, beside = run.account_id, None if run.reads is Reads.LISTS else run.run_id
    if any(suspect.clio_id == gone and suspect.same_person for suspect in one.suspects):
        merged = {"merged_into": one.row.contact_id}
        await new_clients.store_decision(session, account_id, gone, merged)
    await removals.remove_records(
        session, account_id, CONTACTS.name, [gone], why=REMOVED, beside=beside
    )
