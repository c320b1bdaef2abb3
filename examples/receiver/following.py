"""Reads the change feed and the events from the stored cursors, without end. Whatever is read again does no harm."""

import asyncio
from dataclasses import dataclass

from levitate_clio import AsyncClio, CursorExpired
from levitate_clio.models import UNSET

from receiver.store import Store

LARGEST_PAGE = 1000


@dataclass(frozen=True)
class Follower:
    """Follows one firm until its tasks are cancelled. It sets `changed` after each transaction."""

    clio: AsyncClio
    account: str
    store: Store
    changed: asyncio.Event

    async def follow_changes(self) -> None:
        """Keep the contacts. After `cursor_expired` the feed is read from its beginning."""
        while True:
            try:
                await self._read_to_the_end()
                start = self.store.cursor("changes")
                async for batch in self.clio.follow.change_batches(self.account, start):
                    self.store.apply_changes(batch.items, batch.cursor)
                    self.changed.set()
            except CursorExpired:
                self.store.begin_again("changes")

    async def _read_to_the_end(self) -> None:
        """Read a new round of the feed to its end. Only there it is known who is not in the service any more."""
        while not self.store.has_all_contacts():
            page = await self.clio.changes.list_changes(
                self.account, cursor=self.store.cursor("changes") or UNSET, limit=LARGEST_PAGE
            )
            self.store.apply_changes(page.data, page.next_cursor, is_end=not page.has_more)
            self.changed.set()

    async def follow_events(self) -> None:
        """Handle the events that no webhook brought. After `cursor_expired` the ledger says what was missed."""
        while True:
            try:
                start = self.store.cursor("events")
                events = self.clio.follow.event_batches(start, account_id=self.account)
                async for batch in events:
                    self.store.apply_events(batch.items, batch.cursor)
                    self.changed.set()
            except CursorExpired:
                await self._read_ledger()
                self.store.begin_again("events")

    async def _read_ledger(self) -> None:
        """Handle announcements that are older than the events that the service keeps."""
        rows = self.clio.pages(
            self.clio.new_clients.list_new_clients, self.account, status="emitted", limit=200
        )
        async for row in rows:
            self.store.apply_announcements(dict.fromkeys(row.event_ids, row.contact_id))
            self.changed.set()
