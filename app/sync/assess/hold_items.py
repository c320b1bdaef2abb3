"""The items of a hold as a person sees them before the decision: who it is, and the change [row 45]."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.db.accounts import settings
from app.db.contacts import (
    change_feed,
    contact_store,
    holds,
    visible_contacts,
    visible_holds,
    visible_lines,
)
from app.db.contacts.contacts import StoredContact
from app.db.contacts.holds import HoldKind, HoldNotFound, HoldStatus
from app.db.mirror import rule_inputs
from app.db.mirror.audience import EVERYBODY, Audience
from app.db.session import Session
from app.rules.profile import profile
from app.rules.results import Profile
from app.sync.assess.contact_assessments import assess_contacts, load_context
from app.sync.assess.feed_lines import change_document
from app.sync.services import Services

Changes = Mapping[int, Mapping[str, Any]]  # by Clio id, in the form of a line of the change feed


@dataclass(frozen=True)
class HoldItem:
    """One item of a hold; `change` has the form of a line of the change feed, None if nothing would change.

    `new_client` says whether a release can announce the person, None for a limited audience: the reason may be in
    records that it does not see.
    """

    item_id: str
    clio_id: int
    contact_id: str | None
    name: str
    new_client: bool | None
    change: Mapping[str, Any] | None


@dataclass(frozen=True)
class AskedItems:
    """The items of a hold that may be shown to an audience."""

    account_id: str
    hold_id: str
    audience: Audience = EVERYBODY


def item_id_of(hold_id: str, clio_id: int) -> str:
    """Return the id of a contact in a hold."""
    return f"itm_{hold_id.partition('_')[2]}_{clio_id}"


def clio_id_of(hold_id: str, item_id: str) -> int | None:
    """Return the Clio id of an item, None if it is not the id of an item of this hold."""
    number = item_id.rpartition("_")[2]
    clio_id = int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0
    return clio_id if clio_id and item_id == item_id_of(hold_id, clio_id) else None


async def list_hold_items(
    services: Services, session: Session, asked: AskedItems, *, after: int, limit: int
) -> list[HoldItem]:
    """Return the hold's next items after a Clio id, of those whom the audience sees; raises HoldNotFound."""
    account_id, hold_id, audience = asked.account_id, asked.hold_id, asked.audience
    hold = await holds.get_hold(session, account_id, hold_id)
    if hold.status is HoldStatus.GATHERING or hold.part_of is not None:
        raise HoldNotFound
    clio_ids = await visible_holds.list_items(
        session, account_id, audience, hold_id, after=after, limit=limit
    )
    known = await contact_store.load_by_clio_id(session, account_id, clio_ids)
    if hold.kind is HoldKind.NEW_CLIENTS:
        changes = await _found_by_run(session, account_id, audience, hold.run_id, known)
        names = {clio_id: _name(contact.view.profile) for clio_id, contact in known.items()}
        clients = set(clio_ids)
    else:
        changes, names, clients = await _assessed_now(services, session, asked, clio_ids)
    if audience.login is not None:
        names = await _visible_names(session, asked, clio_ids, changes)
    return [
        HoldItem(
            item_id=item_id_of(hold_id, clio_id),
            clio_id=clio_id,
            contact_id=known[clio_id].contact_id if clio_id in known else None,
            name=names.get(clio_id, ""),
            new_client=None if audience.login is not None else clio_id in clients,
            change=changes.get(clio_id),
        )
        for clio_id in clio_ids
    ]


async def _found_by_run(
    session: Session,
    account_id: str,
    audience: Audience,
    run_id: str,
    known: Mapping[int, StoredContact],
) -> Changes:
    """Return the change by which the run found each new client."""
    ids = [contact.contact_id for contact in known.values()]
    lines = await change_feed.find_first_of_run(session, account_id, run_id, ids)
    return _by_clio_id(
        await visible_lines.limit_lines(session, account_id, audience, [*lines.values()])
    )


def _by_clio_id(lines: Sequence[Mapping[str, Any]]) -> Changes:
    return {int(line["clio_id"]): line for line in lines}


async def _assessed_now(
    services: Services, session: Session, asked: AskedItems, clio_ids: Sequence[int]
) -> tuple[Changes, dict[int, str], set[int]]:
    """Return what a release would change by the present rules, settings and records, the people's names, and clients.

    The function that a run uses decides it.
    """
    account_id = asked.account_id
    chosen = await settings.get_current(session, account_id)
    context = await load_context(session, services, account_id, chosen.settings)
    people = await rule_inputs.load_facts(session, account_id, context.spelling, clio_ids)
    assessed, _ = await assess_contacts(session, account_id, people, context)
    names = {one.contact.clio_id: _name(profile(one, context.firm.country)) for one in people}
    lines = [change_document(one, context) for one in assessed if one.change is not None]
    results = {one.contact.clio_id: one.assessment for one in assessed}
    shown = await visible_lines.limit_assessed(session, account_id, asked.audience, lines, results)
    clients = {clio_id for clio_id, result in results.items() if result.client is not None}
    return _by_clio_id(shown), names, clients


async def _visible_names(
    session: Session, asked: AskedItems, clio_ids: Sequence[int], changes: Changes
) -> dict[int, str]:
    """Return the names as far as Clio shows them to the audience, also of people who are not published yet."""
    known = await visible_contacts.load_visible(session, asked.account_id, asked.audience, clio_ids)
    return {
        **{clio_id: _name_in(line["contact"]) for clio_id, line in changes.items()},
        **{one.contact.clio_id: _name(one.contact.view.profile) for one in known},
    }


def _name_in(contact: Mapping[str, Any]) -> str:
    parts = [part for part in (contact["first_name"], contact["last_name"]) if part]
    return " ".join(parts) or next((email["address"] for email in contact["emails"]), "")


def _name(person: Profile) -> str:
    """Return the person's name, or the primary address of one without a name."""
    parts = [part for part in (person.first_name, person.last_name) if part]
    return " ".join(parts) or next((email.address for email in person.emails), "")
