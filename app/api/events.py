"""The events as a list, for who receives no webhooks, and for what an endpoint has missed."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from app.api import cursors, schemas
from app.api.authentication import Caller, CallerDep, InvalidToken
from app.api.changes import disconnected
from app.api.cursors import InvalidCursor
from app.api.deps import ACCOUNT_ID, ServicesDep
from app.api.pagination import Cursor, Limit
from app.api.problems import problems
from app.db.accounts import accounts
from app.db.accounts.accounts import AccountNotFound
from app.db.events import event_list
from app.db.events.event_list import EventFilter, EventPage, ListedEvent, Place
from app.db.events.events import EventKind
from app.db.session import Session
from app.db.system import system_transaction
from app.errors import AppError
from app.sync.concurrency import comes_first
from app.sync.services import Services
from app.sync.waits import TooManyWaiting

router = APIRouter(prefix="/v1", tags=["events"])

# A commit that notifies waits for all others that do, so storing an event does not: who waits reads this often.
PAUSE = 1.0  # seconds
_BEGINNING = Place(0, 0, "", datetime.max.replace(tzinfo=UTC))


class CursorExpired(AppError):
    """The cursor points before what is kept, or at an event that is not the same any more."""

    status = 410
    code = "cursor_expired"
    title = "The cursor is too old, or the database was restored since"
    next_step = "begin again without a cursor, and skip events whose id you know"


@dataclass(frozen=True)
class EventRequest:
    """The events that a request asks for."""

    type: Annotated[
        EventKind | None, Query(description="Only events of this type, for example `client.new`.")
    ] = None
    account_id: Annotated[
        str | None, Query(pattern=ACCOUNT_ID, description="Only events of this account.")
    ] = None
    cursor: Cursor = None
    limit: Limit = 50

    @property
    def _name(self) -> tuple[str | None, ...]:
        return ("events", self.type, self.account_id)

    def place(self) -> Place:
        """Return the place at which reading goes on; raises InvalidCursor or CursorMismatch."""
        match cursors.after_values(self.cursor, *self._name):
            case []:
                return _BEGINNING
            case [int(transaction), int(position), str(event_id), str(at)] if (
                transaction in range(cursors.MAX_NUMBER + 1)
                and position in range(cursors.MAX_NUMBER + 1)
                and event_id.isprintable()
            ):
                return Place(transaction, position, event_id, cursors.moment(at))
            case _:
                raise InvalidCursor

    def cursor_at(self, place: Place) -> str:
        """Return the cursor with which reading goes on there."""
        at = place.at.isoformat()
        return cursors.encode(
            [place.transaction_id, place.position, place.event_id, at], *self._name
        )


@dataclass(frozen=True)
class EventReader:
    """A caller who reads events."""

    services: Services
    caller: Caller
    request: Request
    asked: EventRequest

    @property
    def _wanted(self) -> EventFilter:
        own = self.caller.account_ids
        chosen = self.asked.account_id
        return EventFilter(self.asked.type, own if chosen is None else {chosen})

    async def read(self, after: Place) -> EventPage:
        """Return the page after a place as it is now; raises AccountNotFound and CursorExpired."""
        async with system_transaction(self.services.database) as session:
            if self.asked.account_id is not None:
                await self._check_account(session, self.asked.account_id)
            if after is not _BEGINNING:
                await self._check_place(session, after)
            return await event_list.read_events(
                session, self._wanted, after=after, limit=self.asked.limit
            )

    async def wait_and_read(self, after: Place, *, seconds: float) -> EventPage:
        """Return the page when it has events, without events after so many seconds. Raises TooManyWaiting.

        No connection is held during the wait. It also ends when the process must stop or the caller has gone. Raises
        InvalidToken when the token is revoked or expires meanwhile.
        """
        now = asyncio.get_running_loop().time
        deadline = now() + seconds
        with self.services.feed_waits.place(self.caller.token_id) as ended:
            page = await self.read(after)
            while _is_bare(page) and now() < deadline:
                woken = await comes_first(
                    ended.wait(),
                    self.services.stopping.wait(),
                    disconnected(self.request),
                    seconds=min(PAUSE, deadline - now()),
                )
                if woken:
                    break
                page = await self.read(after)
            if ended.is_set():
                raise InvalidToken
            return page

    async def _check_account(self, session: Session, account_id: str) -> None:
        if not self.caller.may_see(account_id):
            raise AccountNotFound
        await accounts.get_account(session, account_id)

    async def _check_place(self, session: Session, place: Place) -> None:
        """Raise CursorExpired if an event between the place and the next one that is kept may have been deleted."""
        if place.event_id and await event_list.is_known(session, place):
            return
        kept_since = self.services.now() - self.services.retention.events
        if place.at < kept_since or await event_list.is_of_another_server(session, place):
            raise CursorExpired


@router.get("/events", responses=problems(AccountNotFound, CursorExpired, TooManyWaiting))
async def list_events(
    request: Request,
    caller: CallerDep,
    services: ServicesDep,
    asked: Annotated[EventRequest, Depends()],
    wait: Annotated[
        int,
        Query(
            ge=0, le=30, description="The seconds to wait for an event if there is none, 0 to 30."
        ),
    ] = 0,
) -> schemas.EventPage:
    """Return the events of the token's accounts after the cursor; without a cursor from the oldest that is kept.

    Events are kept for 30 days, unless the service is configured otherwise. They are the same that webhook endpoints
    get. Store `next_cursor` after each page: you then see every event at least once, in an order that does not change.
    An event is shown when all transactions that began before its own have ended, as a rule within a second. A page can
    be empty although `has_more` is true: continue at once. With `wait` the response to an empty page is delayed until
    there is an event. A cursor that points before what is kept gets 410.
    """
    reader = EventReader(services, caller, request, asked)
    after = asked.place()
    page = await reader.read(after)
    if wait and _is_bare(page):
        page = await reader.wait_and_read(after, seconds=wait)
    return schemas.EventPage(
        data=[_body(event) for event in page.events],
        next_cursor=asked.cursor_at(_end(page, after, now=services.now())),
        has_more=page.has_more,
    )


def _is_bare(page: EventPage) -> bool:
    """Return whether there is no event now, and none may follow at once."""
    return not page.events and not page.has_more


def _end(page: EventPage, after: Place, *, now: datetime) -> Place:
    """Return the place at which reading goes on. Who has read everything is up to date now, however old that event."""
    end = page.end or after
    at = end.at if page.has_more else now
    return Place(end.transaction_id, end.position, end.event_id, at)


def _body(event: ListedEvent) -> schemas.Event:
    return schemas.Event(
        id=event.place.event_id, type=event.kind, timestamp=event.place.at, data=dict(event.data)
    )
