"""The issues of holds: their codes by kind, and their end when a hold is decided or has lost its last item."""

from collections.abc import Collection, Mapping
from datetime import datetime

from app.db import issues
from app.db.contacts import holds
from app.db.contacts.holds import HoldKind
from app.db.issues import Subject
from app.db.session import Session

SHRINK_HELD, FIRST_PUBLICATION_HELD = "shrink_held", "first_publication_held"
NEW_CLIENT_SURGE, NEW_CLIENTS_HELD = "new_client_surge", "new_clients_held"

_CODES: Mapping[HoldKind, tuple[str, ...]] = {
    HoldKind.REMOVALS: (SHRINK_HELD,),
    HoldKind.NEW_CLIENTS: (NEW_CLIENT_SURGE, NEW_CLIENTS_HELD),
    HoldKind.FIRST_PUBLICATION: (FIRST_PUBLICATION_HELD,),
}


async def resolve(
    session: Session, account_id: str, kind: HoldKind, hold_id: str, *, now: datetime
) -> None:
    """Resolve the issue of a hold."""
    for code in _CODES[kind]:
        await issues.resolve_issues(session, account_id, code, Subject("hold", hold_id), now=now)


async def stop_waiting(
    session: Session,
    account_id: str,
    kind: HoldKind,
    clio_ids: Collection[int],
    *,
    now: datetime,
) -> list[str]:
    """Remove contacts from the holds of a kind; delete a hold that is empty now, and resolve its issue.

    Return the ids of the holds that have lost some and still have others.
    """
    touched = await holds.remove_contacts(session, account_id, kind, clio_ids)
    for hold_id in touched.emptied:
        await resolve(session, account_id, kind, hold_id, now=now)
    await holds.delete_undecided(session, account_id, touched.emptied)
    return touched.left
