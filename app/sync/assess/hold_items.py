"""The items of a hold as a person sees them before the decision: who it is, and the change [row 45]."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.db.accounts import settings
from app.db.contacts import change_feed, contact_store, holds
from app.db.contacts.contacts import StoredContact
from app.db.contacts.holds import Hold, HoldKind, HoldNotFound, HoldStatus
from app.db.mirror import rule_inputs
from app.db.session import Session
from app.sync.assess.contact_assessments import assess_contacts, load_context
from app.sync.assess.feed_lines import feed_line
from app.sync.services import Services


@dataclass(frozen=True)
class HoldItem:
    """One item of a hold; `change` has the form of a line of the change feed, None if nothing would change."""

    item_id: str
    clio_id: int
    contact_id: str | None
    name: str
    change: Mapping[str, Any] | None


def item_id_of(hold_id: str, clio_id: int) -> str:
    """Return the id of a contact in a hold."""
    return f"itm_{hold_id.partition('_')[2]}_{clio_id}"


def clio_id_of(hold_id: str, item_id: str) -> int | None:
    """Return the Clio id of an item, None if it is not the id of an item of this hold."""
    number = item_id.rpartition("_")[2]
    clio_id = int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0
    return clio_id if clio_id and item_id == item_id_of(hold_id, clio_id) else None


async def list_hold_items(
    services: Services, session: Session, account_id: str, hold_id: str, *, after: int, limit: int
) -> list[HoldItem]:
    """Return the hold's next items after a Clio id; raises HoldNotFound."""
    hold = await holds.get_hold(session, account_id, hold_id)
    if hold.status is HoldStatus.GATHERING or hold.part_of is not None:
        raise HoldNotFound
    clio_ids = await holds.list_items(session, account_id, hold_id, after=after, limit=limit)
    known = await contact_store.load_by_clio_id(session, account_id, clio_ids)
    changes = await _changes(services, session, account_id, hold, known)
    return [_item(hold_id, one, known.get(one), changes.get(one)) for one in clio_ids]


async def _changes(
    services: Services,
    session: Session,
    account_id: str,
    hold: Hold,
    known: Mapping[int, StoredContact],
) -> dict[int, Mapping[str, Any]]:
    """Return, by Clio id, what a release would do, or for a new client what the run did that found it."""
    if hold.kind is HoldKind.REMOVALS:
        return await _assessed_now(services, session, account_id, sorted(known))
    ids = {contact.contact_id: clio_id for clio_id, contact in known.items()}
    lines = await change_feed.find_first_of_run(session, account_id, hold.run_id, ids)
    return {ids[contact_id]: body for contact_id, body in lines.items()}


async def _assessed_now(
    services: Services, session: Session, account_id: str, clio_ids: Sequence[int]
) -> dict[int, Mapping[str, Any]]:
    """Return what the present rules, settings and records would change, by the function that a run uses."""
    chosen = await settings.get_current(session, account_id)
    context = await load_context(session, services, account_id, chosen.settings)
    people = await rule_inputs.load_facts(session, account_id, context.spelling, clio_ids)
    assessed, _ = await assess_contacts(session, account_id, people, context)
    return {
        one.contact.clio_id: feed_line(one, context).body
        for one in assessed
        if one.change is not None
    }


def _item(
    hold_id: str, clio_id: int, contact: StoredContact | None, change: Mapping[str, Any] | None
) -> HoldItem:
    contact_id = contact.contact_id if contact else None
    name = _name(contact) if contact else ""
    return HoldItem(item_id_of(hold_id, clio_id), clio_id, contact_id, name, change)


def _name(contact: StoredContact) -> str:
    """Return the person's name, or the primary address of one without a name."""
    profile = contact.view.profile
    parts = [part for part in (profile.first_name, profile.last_name) if part]
    return " ".join(parts) or next((email.address for email in profile.emails), "")
