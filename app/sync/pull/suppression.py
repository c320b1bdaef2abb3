"""The suppression list: erased people are not stored again when Clio shows them.

Only a keyed hash of the Clio id is kept. The key belongs to the account and is sealed like every secret, so it
survives a rotation of the encryption keys.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from msgspec import structs

from app.clio import quick_pages
from app.clio.models import Matter
from app.clio.resources import Page
from app.crypto import keyed_hash
from app.db.contacts import erasures
from app.db.session import Session
from app.sync.services import Services

# The person that a record of a list is about. The other lists are about no person.
_PERSON_OF: Mapping[str, Callable[[Any], int | None]] = {
    "contacts": lambda contact: contact.id,
    "relationships": lambda link: link.contact.id if link.contact else None,
    "matters": lambda matter: matter.client.id if matter.client else None,
}


async def add_to_suppression_list(
    session: Session, services: Services, account_id: str, clio_id: int, *, now: datetime
) -> None:
    """Add a person to the account's suppression list; make the account's key for the first one."""
    sealed = await erasures.find_key(session, account_id)
    if sealed is None:
        fresh = {"key": secrets.token_urlsafe(32)}
        sealed = services.cipher.seal(fresh, row=_row(account_id))
        await erasures.store_key(session, account_id, sealed)
    key = services.cipher.open(sealed, row=_row(account_id))["key"]
    await erasures.add_hash(session, account_id, keyed_hash(key, str(clio_id)), now=now)


async def remove_erased(
    session: Session, services: Services, account_id: str, resource: str, page: Page[Any]
) -> Page[Any]:
    """Return the page without the records about erased people.

    Takes a shared lock, so that no person of the account is erased before the page has landed.
    """
    person_of = _PERSON_OF.get(resource)
    if person_of is None:
        return page
    await erasures.lock_shared(session, account_id)
    sealed = await erasures.find_key(session, account_id)
    if sealed is None:
        return page
    key = services.cipher.open(sealed, row=_row(account_id))["key"]
    unread = {record.clio_id for record in page.unreadable if resource == "contacts"}
    ids = {*map(person_of, page.items), *unread} - {None}
    erased = await _erased(session, account_id, key, ids)
    kept = (item if person_of(item) not in erased else _unnamed(item) for item in page.items)
    unreadable = (record for record in page.unreadable if record.clio_id not in unread & erased)
    return replace(page, items=tuple(filter(None, kept)), unreadable=tuple(unreadable))


def _unnamed(item: Any) -> Any:
    """Return what is kept of a record: a matter without its number, because Clio writes the client's name in it."""
    if isinstance(item, quick_pages.Matter):
        return structs.replace(item, display_number=None)
    return item.model_copy(update={"display_number": None}) if isinstance(item, Matter) else None


async def _erased(
    session: Session, account_id: str, key: str, clio_ids: Iterable[int | None]
) -> set[int | None]:
    hashes = {keyed_hash(key, str(clio_id)): clio_id for clio_id in clio_ids}
    return {hashes[found] for found in await erasures.find_erased(session, account_id, hashes)}


def _row(account_id: str) -> str:
    return f"accounts/{account_id}/erasure"
