"""The author of an activity: the Clio login that writes it [WB-5]."""

from dataclasses import dataclass

from app.db.accounts import accounts
from app.db.accounts import settings as stored_settings
from app.db.connections import connections
from app.db.connections.connections import Connection
from app.db.outbox.activities import Activity
from app.db.session import Session
from app.rules.settings import FallbackAuthor, WritebackSettings


@dataclass(frozen=True)
class Author:
    """The login that writes. `by` is the user's name if the login is another user's [WB-5]."""

    connection: Connection
    by: str | None = None


async def load_settings(session: Session, account_id: str) -> WritebackSettings:
    """Return the account's current settings of write-back."""
    return (await stored_settings.get_current(session, account_id)).settings.writeback


async def find_author(
    session: Session, account_id: str, user_id: str, settings: WritebackSettings
) -> Author | None:
    """Return the user's own login, or the fallback that the settings choose; None if there is neither [WB-5]."""
    working = await connections.list_connected(session, account_id)
    own = next((login for login in working if login.user_id == user_id), None)
    if own is not None:
        return Author(own)
    if settings.fallback_author is not FallbackAuthor.PRIMARY_CONNECTION or not working:
        return None
    account = await accounts.get_account(session, account_id)
    primary = account.fields.primary_user_id
    login = next((login for login in working if login.user_id == primary), working[0])
    users = {user.user_id: user.name for user in await accounts.list_users(session, account_id)}
    return Author(login, by=users.get(user_id, user_id))


async def find_author_of(session: Session, activity: Activity) -> Author | None:
    """Return the author of the next attempt.

    If the outcome of an attempt is unknown, it is the login that made the attempt: only that login can find the
    record in Clio.
    """
    settings = await load_settings(session, activity.account_id)
    author = await find_author(session, activity.account_id, activity.user_id, settings)
    if not activity.unsure or activity.connection_id is None:
        return author
    working = await connections.list_connected(session, activity.account_id)
    made = next((c for c in working if c.connection_id == activity.connection_id), None)
    if made is None:
        return None
    own = author is not None and author.connection.connection_id == made.connection_id
    return author if own else Author(made)
