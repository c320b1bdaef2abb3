"""Deletes what else names an erased person: explanations of others, issues, stored responses, runs, holds.

`docs/retention.md` lists what stays, and why. The receipt of the erasure does, too.
"""

import re
from collections.abc import Collection
from typing import Any

from sqlalchemy import Text, cast, delete, false, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import JSONB

from app.db import tables
from app.db.accounts.health import note_change
from app.db.contacts import tables as contact_tables
from app.db.events import tables as event_tables
from app.db.mirror import tables as mirror_tables
from app.db.mirror.records import CONTACTS
from app.db.runs import tables as run_tables
from app.db.session import Session, any_of

_contacts = contact_tables.contacts
_TEXTS = ("because", "detail", "why", "outcome")  # the sentences of an explanation
NO_ID = "(erased)"


async def unname_matters(
    session: Session, account_id: str, clio_id: int, numbers: dict[int, str]
) -> None:
    """Replace the numbers of the person's matters in the explanations of other contacts by the ids of the matters.

    Clio writes the client's name into the number. It may occur in the explanation of who is related to the matter or
    works for the client, and until the next assessment in that of whoever was.
    """
    if not numbers:
        return
    found = await session.execute(
        _MENTIONING, {"account": account_id, "client": clio_id, "matters": list(numbers)}
    )
    for row in found.all():
        explanation = _unnamed(row.explanation, numbers)
        if explanation != row.explanation:
            one = (_contacts.c.account_id == account_id) & (_contacts.c.clio_id == row.clio_id)
            await session.execute(
                update(_contacts).where(one).values(explanation=explanation, digest=None)
            )


def _unnamed(document: Any, numbers: dict[int, str]) -> Any:
    """Return an explanation without these numbers of matters."""
    if isinstance(document, list):
        return [_unnamed(part, numbers) for part in document]
    if not isinstance(document, dict):
        return document
    return {
        name: _without(part, numbers)
        if name in _TEXTS and isinstance(part, str)
        else _unnamed(part, numbers)
        for name, part in document.items()
    }


def _without(sentence: str, numbers: dict[int, str]) -> str:
    for matter_id, number in sorted(numbers.items(), key=lambda item: -len(item[1])):
        whole = rf"(?<!\w){re.escape(number)}(?!\w)"
        sentence = re.sub(whole, f"matter {matter_id}", sentence)
    return sentence


async def forget_in_issues(session: Session, account_id: str, clio_id: int) -> None:
    """Delete the issues about the person, and remove the person's Clio id from the details of others."""
    table = tables.issues
    own = table.c.account_id == account_id
    about = (table.c.subject_kind == "contact") & (table.c.subject_id == str(clio_id))
    await session.execute(delete(table).where(own, about))
    named = _named(clio_id)
    await session.execute(
        update(table)
        .where(own, table.c.detail.regexp_match(named))
        .values(detail=func.regexp_replace(table.c.detail, named, NO_ID, "g"))
    )
    accounts = tables.account_tables.accounts
    reasons = func.regexp_replace(cast(accounts.c.health_reasons, Text), named, NO_ID, "g")
    await session.execute(
        update(accounts)
        .where(accounts.c.account_id == account_id)
        .values(health_reasons=cast(reasons, JSONB))
    )
    await note_change(session, account_id)


async def forget_in_runs(session: Session, account_id: str, clio_id: int) -> None:
    """Remove the person from runs, and from what runs that have not ended still want to read."""
    runs, named, listed = run_tables.runs, run_tables.named_records, run_tables.listed
    own = runs.c.account_id == account_id
    await session.execute(
        update(runs).where(own, runs.c.contact_clio_id == clio_id).values(contact_clio_id=None)
    )
    for table in (named, run_tables.lookups):
        about = (table.c.resource == CONTACTS.name) & (table.c.clio_id == clio_id)
        await session.execute(delete(table).where(table.c.account_id == account_id, about))
    pages = (listed.c.account_id == account_id) & (listed.c.resource == CONTACTS.name)
    await session.execute(
        update(listed)
        .where(pages, listed.c.clio_ids.contains([clio_id]))
        .values(clio_ids=func.array_remove(listed.c.clio_ids, clio_id))
    )


async def forget_in_holds(session: Session, account_id: str, clio_id: int) -> None:
    """Remove the person from decided holds, too, and from who waits for the first publication."""
    for table in (contact_tables.hold_items, contact_tables.unpublished_contacts):
        own = (table.c.account_id == account_id) & (table.c.clio_id == clio_id)
        await session.execute(delete(table).where(own))


async def forget_as_successor(session: Session, account_id: str, clio_id: int) -> None:
    """Forget that a contact that is gone became this person."""
    table = mirror_tables.mirror_contacts
    became = (table.c.account_id == account_id) & (table.c.merged_into == clio_id)
    await session.execute(update(table).where(became).values(merged_into=None))


async def forget_events(
    session: Session, account_id: str, contact_id: str, activity_ids: Collection[str]
) -> None:
    """Delete the events about the person and the person's activities, with their deliveries."""
    events = event_tables.events
    about = or_(
        events.c.subject == contact_id,
        events.c.data["contact_id"].as_string() == contact_id,
        any_of(events.c.data["activity_id"].as_string(), activity_ids) if activity_ids else false(),
    )
    await session.execute(delete(events).where(events.c.account_id == account_id, about))


async def count_matters(session: Session, account_id: str, clio_id: int) -> int:
    """Return how many matters of the firm have or had the person as client."""
    table = mirror_tables.mirror_matters
    of_person = or_(table.c.client_id == clio_id, table.c.former_client_id == clio_id)
    query = select(func.count()).select_from(table).where(table.c.account_id == account_id)
    return int((await session.execute(query.where(of_person))).scalar_one())


def _named(clio_id: int) -> str:
    """Return the regular expression of PostgreSQL for an id as a whole word."""
    return rf"\m{clio_id}\M"


# Who may have the number of such a matter in the explanation: related people, those of the client, and those whose
# explanation may be older than their records.
_MENTIONING = text("""
    with near as (
        select contact_id as clio_id from mirror_relationships
        where account_id = :account and matter_id = any(cast(:matters as bigint[]))
        union
        select clio_id from mirror_contacts where account_id = :account and company_id = :client
        union
        select clio_id from mirror_contacts where account_id = :account and stale
        union
        select clio_id from mirror_contacts where account_id = :account and kept
    )
    select contacts.clio_id, contacts.explanation from near
    join contacts on contacts.account_id = :account and contacts.clio_id = near.clio_id
    where contacts.clio_id <> :client
    order by contacts.clio_id for update of contacts
""").columns(_contacts.c.clio_id, _contacts.c.explanation)
