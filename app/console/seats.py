"""Lists who of a firm has connected Clio: a seat is a Levitate user, with the login if there is one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.api import connections, schemas
from app.api.pagination import ListRequest
from app.console.visit import Visit
from app.db.session import Session

STATES: Mapping[str, tuple[str, str]] = {  # the kind of state, and its words
    "connected": ("ok", "Connected"),
    "needs_reconnect": ("bad", "Must connect again"),
    "pending": ("wait", "Has not finished"),
    "disconnected": ("warn", "Disconnected"),
    "declined": ("warn", "Declined"),
}
NOT_CONNECTED = ("off", "Not connected")


@dataclass(frozen=True)
class Seat:
    """A Levitate user of the firm, and the user's Clio login, if there is one."""

    user: schemas.User
    login: schemas.Connection | None

    @property
    def works(self) -> bool:
        """True if the login works."""
        return self.login is not None and self.login.status == "connected"

    @property
    def state(self) -> tuple[str, str]:
        """The kind of state, and its words."""
        return STATES.get(self.login.status, NOT_CONNECTED) if self.login else NOT_CONNECTED

    def holds_up(self, blocked: Mapping[str, int]) -> bool:
        """Return whether activities wait for a login that never was or was ended; a lost one has an issue."""
        is_lost = self.login is not None and self.login.status == "needs_reconnect"
        return bool(blocked.get(self.user.id)) and not self.works and not is_lost


async def list_seats(visit: Visit, session: Session, users: Sequence[schemas.User]) -> list[Seat]:
    """Return the active users, and others who have a login; who is connected comes first."""
    by_user: dict[str, schemas.Connection] = {}
    cursor = None
    while True:
        asked = ListRequest(cursor, 200)
        page = await connections.list_connections(visit.account, session, asked)
        by_user |= {one.user_id: one for one in page.data}
        cursor = page.next_cursor
        if cursor is None:
            break
    found = [
        Seat(user, by_user.get(user.id)) for user in users if user.active or user.id in by_user
    ]
    return sorted(found, key=lambda seat: (not seat.works, seat.user.name.casefold()))
