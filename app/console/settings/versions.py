"""The versions of the settings: who saved each, when, why, and what it changed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from app.api import schemas, settings
from app.api.pagination import ListRequest
from app.console.settings.differences import Difference, differences
from app.console.settings.document import Values, values_of, values_of_body
from app.console.settings.offers import Names
from app.console.visit import Visit
from app.db.accounts import console_sessions
from app.db.accounts import settings as stored_settings
from app.db.session import Session

SHOWN_VERSIONS = 10
NOBODY = "Levitate"  # a request of Levitate's own backend names no user
UNKNOWN = "somebody who is no longer listed"


@dataclass(frozen=True)
class ShownVersion:
    """A version with its author's name and what it changed in the one before."""

    body: schemas.SettingsVersion
    author: str
    changes: Sequence[Difference]


@dataclass(frozen=True)
class ShownVersions:
    """A page of versions, the newest first; `older` is the cursor of the next page."""

    items: Sequence[ShownVersion]
    older: str | None


async def list_versions(
    visit: Visit, session: Session, names: Names, cursor: str | None
) -> ShownVersions:
    """Return a page of the versions."""
    asked = ListRequest(cursor, SHOWN_VERSIONS, "newest")
    page = await settings.list_settings_versions(visit.account, session, asked)
    authors = await author_names(visit, session, names, {one.updated_by for one in page.data})
    values = {one.version: values_of_body(one.settings) for one in page.data}
    if page.data and page.data[-1].version > stored_settings.FIRST_VERSION:
        before = page.data[-1].version - 1
        values[before] = await load_values(visit, session, before)
    shown = [
        ShownVersion(
            one,
            authors[one.updated_by],
            differences(values[one.version - 1], values[one.version], names.fields)
            if one.version - 1 in values
            else [],
        )
        for one in page.data
    ]
    return ShownVersions(shown, page.next_cursor)


async def load_values(visit: Visit, session: Session, version: int) -> Values:
    """Return the values of a version that exists."""
    return values_of(await stored_settings.get_version(session, visit.account_id, version))


async def author_names(
    visit: Visit, session: Session, names: Names, user_ids: Collection[str | None]
) -> Mapping[str | None, str]:
    """Return the names of those who saved: users of the firm, and Success Managers who were in the console."""
    ids = {one for one in user_ids if one is not None}
    found = await console_sessions.list_names(session, visit.account_id)
    own = visit.console_session
    if own.user_name:
        found |= {own.user_id: own.user_name}
    known = {**found, **names.users}
    return {None: NOBODY, **{one: known.get(one, UNKNOWN) for one in ids}}
