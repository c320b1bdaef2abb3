"""The mapping from Clio users to Levitate users [OW-9, rows 6, 48]."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from app.rules.texts import compared, usable_address

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ClioUser:
    """A user of the firm's Clio account: an attorney or other staff."""

    clio_user_id: int
    name: str | None = None
    email: str | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class LevitateUser:
    """A user of the firm's Levitate account."""

    user_id: str
    name: str
    email: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class Login:
    """A Clio user whom a Levitate user has connected; `works` is false if the user must connect again.

    Logins that were disconnected or declined are none [row 48].
    """

    clio_user_id: int
    user_id: str
    works: bool
    connected_at: datetime | None


@dataclass(frozen=True, slots=True)
class Mapped:
    """The Levitate user of a Clio user, and the source. `None` by `manual` means that somebody chose nobody."""

    user_id: str | None
    by: Literal["manual", "connection", "email"]


def map_attorneys(
    clio_users: Iterable[ClioUser],
    users: Collection[LevitateUser],
    *,
    logins: Iterable[Login],
    manual: Mapping[int, str | None],
) -> dict[int, Mapped]:
    """Map Clio users to Levitate users: by hand, else by connection, else by equal e-mail address.

    Only the logins of active users map. Nobody is mapped by hand to a user who has left the directory. An address that
    two Levitate users share matches nobody. A Clio user without a match is absent.
    """
    by_email = _unique_addresses(users)
    mapped: dict[int, Mapped] = {
        clio_user.clio_user_id: Mapped(by_email[_folded(clio_user.email)], "email")
        for clio_user in clio_users
        if _folded(clio_user.email) in by_email
    }
    active = {user.user_id for user in users if user.active}
    mapped |= {
        login.clio_user_id: Mapped(login.user_id, "connection")
        for login in sorted(logins, key=_strength)
        if login.user_id in active
    }
    listed = {user.user_id for user in users} | {None}
    mapped |= {
        clio_id: Mapped(user_id, "manual")
        for clio_id, user_id in manual.items()
        if user_id in listed
    }
    return mapped


def _strength(login: Login) -> tuple[bool, datetime, str]:
    """Return the order of the logins of one Clio user: one that works wins, then the latest connected [row 48]."""
    return login.works, login.connected_at or _NEVER, login.user_id


def _unique_addresses(users: Iterable[LevitateUser]) -> dict[str, str]:
    pairs = [(_folded(user.email), user.user_id) for user in users if _folded(user.email)]
    count = Counter(address for address, _ in pairs)
    return {address: user_id for address, user_id in pairs if count[address] == 1}


def _folded(address: str | None) -> str:
    return compared(usable_address(address) or "")
