"""Empties the outbox. Here the receiver calls another system, which a transaction of its own cannot include."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Protocol

from receiver.store import Mail, Store


class MailSystem(Protocol):
    """What sends mails. Put your own in the place of the fake one; it must accept an idempotency key."""

    async def send(self, mail: Mail) -> None:
        """Send a mail, once for each key. It has been taken when this returns."""
        ...

    async def forget(self, contact_id: str) -> None:
        """Delete what was sent to a person. Deleting it again does nothing."""
        ...


class FakeMailSystem:
    """Writes mails into a database of its own, as another system would."""

    def __init__(self, path: str | Path) -> None:
        self._db = sqlite3.connect(path, timeout=30)
        self._db.execute(
            "create table if not exists sent (key text primary key, contact_id text, address text, text text)"
        )

    async def send(self, mail: Mail) -> None:
        """Keep a mail, once for each key."""
        row = (mail.key, mail.contact_id, mail.address, mail.text)
        with self._db:
            self._db.execute("insert or ignore into sent values (?, ?, ?, ?)", row)

    async def forget(self, contact_id: str) -> None:
        """Delete the mails to a person."""
        with self._db:
            self._db.execute("delete from sent where contact_id = ?", (contact_id,))


async def send_due(store: Store, system: MailSystem) -> None:
    """Send what is due, then mark it. After a kill in between it is sent again, with the same key."""
    for mail in store.due_mails():
        await system.send(mail)
        store.mark_sent(mail)
    for contact_id in store.due_erasures():
        await system.forget(contact_id)
        store.mark_told(contact_id)


async def send_always(store: Store, system: MailSystem, changed: asyncio.Event) -> None:
    """Send what is due now, and again whenever `changed` is set."""
    while True:
        changed.clear()
        await send_due(store, system)
        await changed.wait()
