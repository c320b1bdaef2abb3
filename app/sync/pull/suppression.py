"""Who was erased stays away: a keyed hash of the Clio id is all that is left, and what Clio shows is held against it.

The key is the account's own and sealed like every secret, so that it survives a change of the encryption keys.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from app.clio.models import Matter
from app.clio.resources import Page
from app.crypto import keyed_hash
from app.db.contacts import erasures
from app.db.session import Session
from app.sync.services import Services

# Whose records a list holds; those of other lists are about no single person.
_WHOSE: Mapping[str, Callable[[Any], int | None]] = {
    "contacts": lambda contact: contact.id,
    "relationships": lambda link: link.contact.id if link.contact else None,
    "matters": lambda matter: matter.client.id if matter.client else None,
}


async def remember(
    session: Session, services: Services, account_id: str, clio_id: int, *, now: datetime
) -> None:
    """Keep the hash of who is being erased; the first of an account makes its key."""
    sealed = await erasures.find_key(session, account_id)
    if sealed is None:
        fresh = {"key": secrets.token_urlsafe(32)}
        sealed = services.cipher.seal(fresh, row=_row(account_id))
        await erasures.keep_key(session, account_id, sealed)
    key = services.cipher.open(sealed, row=_row(account_id))["key"]
    await erasures.block(session, account_id, keyed_hash(key, str(clio_id)), now=now)


async def without(
    session: Session, services: Services, account_id: str, resource: str, page: Page[Any]
) -> Page[Any]:
    """The page without what is about people who were erased; nobody is erased before it has landed."""
    whose = _WHOSE.get(resource)
    if whose is None:
        return page
    await erasures.share(session, account_id)
    sealed = await erasures.find_key(session, account_id)
    if sealed is None:
        return page
    key = services.cipher.open(sealed, row=_row(account_id))["key"]
    unread = {record.clio_id for record in page.unreadable if resource == "contacts"}
    ids = {*map(whose, page.items), *unread} - {None}
    gone = await _erased(session, account_id, key, ids)
    kept = (item if whose(item) not in gone else _unnamed(item) for item in page.items)
    aside = (record for record in page.unreadable if record.clio_id not in unread & gone)
    return replace(page, items=tuple(filter(None, kept)), unreadable=tuple(aside))


def _unnamed(item: Any) -> Matter | None:
    """What stays of an erased person's record: a matter without its number, for Clio puts the client's name there."""
    return item.model_copy(update={"display_number": None}) if isinstance(item, Matter) else None


async def _erased(
    session: Session, account_id: str, key: str, clio_ids: Iterable[int | None]
) -> set[int | None]:
    hashes = {keyed_hash(key, str(clio_id)): clio_id for clio_id in clio_ids}
    return {hashes[found] for found in await erasures.blocked(session, account_id, hashes)}


def _row(account_id: str) -> str:
    return f"accounts/{account_id}/erasure"
