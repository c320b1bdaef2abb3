"""What the receiver keeps, in SQLite. Every method that changes something is one transaction.

All code that uses a store runs in one thread, and no method awaits, so two transactions never mix.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from levitate_clio.models import Change, Contact, Event

SCHEMA = (Path(__file__).parent / "schema.sql").read_text("utf-8")

# The same change twice does no harm: a row is replaced only by a later change, or by a change of a later round.
_KEEP = """
insert into contacts (id, seq, round, contact) values (:id, :seq, :round, :contact)
on conflict (id) do update set seq = excluded.seq, round = excluded.round, contact = excluded.contact
where excluded.round > round or (excluded.round = round and excluded.seq > seq)
"""
_FORGET = (
    "insert or ignore into erased (contact_id) values (?)",
    "delete from contacts where id = ?",
    "delete from automations where contact_id = ?",
    "delete from mails where contact_id = ?",
    "update contacts set contact = json_set(contact, '$.merged_into', null)"
    " where json_extract(contact, '$.merged_into') = ?",
)
_START = """
insert into automations (contact_id) values (?) on conflict (contact_id) do update set starts = starts + 1
"""


@dataclass(frozen=True)
class Mail:
    """A mail that must be sent. A mail system that gets the same key twice sends it once."""

    key: str
    contact_id: str
    address: str
    text: str


class Store:
    """A database file. It can be killed at any time: what was not committed did not happen."""

    def __init__(self, path: str | Path) -> None:
        self._db = sqlite3.connect(path, timeout=30)
        self._db.execute("pragma journal_mode = wal")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def cursor(self, feed: str) -> str | None:
        """Return the cursor behind what was used of a feed, or None to read from the beginning."""
        row = self._db.execute("select cursor from feeds where name = ?", (feed,)).fetchone()
        return None if row[0] is None else str(row[0])

    def begin_again(self, feed: str) -> None:
        """Read a feed from its beginning next time."""
        with self._db:
            self._db.execute(
                "update feeds set cursor = null, round = round + 1, is_complete = 0 where name = ?",
                (feed,),
            )

    # --- contacts ---------------------------------------------------------------------------------

    def has_all_contacts(self) -> bool:
        """Return whether this round of the change feed has reached its end once."""
        query = "select is_complete from feeds where name = 'changes'"
        return bool(self._db.execute(query).fetchone()[0])

    def apply_changes(
        self, changes: Iterable[Change], cursor: str, *, is_end: bool = False
    ) -> None:
        """Use some changes and store the cursor behind them, or neither.

        At the end of a round, contacts that only an earlier round named are deleted: the service has them no more.
        """
        with self._db:
            query = "select round from feeds where name = 'changes'"
            (number,) = self._db.execute(query).fetchone()
            for change in changes:
                self._apply(change, number)
            self._db.execute("update feeds set cursor = ? where name = 'changes'", (cursor,))
            if is_end:
                self._db.execute("delete from contacts where round < ?", (number,))
                self._db.execute("update feeds set is_complete = 1 where name = 'changes'")

    def _apply(self, change: Change, number: int) -> None:
        if change.contact is None:
            for statement in _FORGET:
                self._db.execute(statement, (change.contact_id,))
        elif not self._is_erased(change.contact_id):
            # Out of scope and deleted contacts are kept with their `state`, as in the service.
            text = json.dumps(change.contact.to_dict())
            row = {"id": change.contact_id, "seq": change.seq, "round": number, "contact": text}
            self._db.execute(_KEEP, row)

    def _is_erased(self, contact_id: str) -> bool:
        query = "select 1 from erased where contact_id = ?"
        return self._db.execute(query, (contact_id,)).fetchone() is not None

    def contact(self, contact_id: str) -> Contact | None:
        """Return a contact, in any state."""
        query = "select contact from contacts where id = ?"
        row = self._db.execute(query, (contact_id,)).fetchone()
        return row and Contact.from_dict(json.loads(row[0]))

    def successor(self, contact_id: str) -> Contact | None:
        """Return the contact, or the one into which it was merged."""
        seen = set[str]()
        contact = self.contact(contact_id)
        while contact and contact.merged_into and contact.id not in seen:
            seen.add(contact.id)
            contact = self.contact(contact.merged_into)
        return contact

    # --- events and automations -------------------------------------------------------------------

    def apply_events(self, events: Iterable[Event], cursor: str) -> None:
        """Handle some events of the list and store the cursor behind them, or neither."""
        with self._db:
            for event in events:
                self._handle(event.id, event.type_, event.data)
            self._db.execute("update feeds set cursor = ? where name = 'events'", (cursor,))

    def apply_webhook(self, event: Event) -> None:
        """Handle an event that came by webhook. Its order and the cursor of the list do not matter."""
        with self._db:
            self._handle(event.id, event.type_, event.data)

    def apply_announcements(self, announced: Mapping[str, str]) -> None:
        """Handle announcements of the ledger of new clients: the ids of events, each with its contact."""
        with self._db:
            for event_id, contact_id in announced.items():
                self._handle(event_id, "client.new", {"contact_id": contact_id})

    def _handle(self, event_id: str, kind: str, data: Mapping[str, str]) -> None:
        """Handle an event once, whichever way it comes, and however often."""
        found = self._db.execute("insert or ignore into handled_events values (?)", (event_id,))
        if found.rowcount and kind == "client.new":  # other types have no effect here
            self._start_automation(event_id, data["contact_id"])

    def _start_automation(self, event_id: str, contact_id: str) -> None:
        """Start the automation of a person. A second event of one person has a new id: a person asked for it."""
        if self._is_erased(contact_id):
            return
        self._db.execute(_START, (contact_id,))
        key = f"new-client-{event_id}"
        self._db.execute("insert into mails (key, contact_id) values (?, ?)", (key, contact_id))

    # --- the outbox -------------------------------------------------------------------------------

    def due_mails(self) -> list[Mail]:
        """Return the mails to send. One waits until its person is known, in scope, and has an address."""
        due = []
        query = "select key, contact_id from mails where not is_sent order by rowid"
        for key, contact_id in self._db.execute(query).fetchall():
            contact = self.successor(contact_id)
            if contact and contact.state == "in_scope" and contact.emails:
                text = f"Welcome, {contact.first_name or 'dear client'}!"
                due.append(Mail(key, contact.id, contact.emails[0].address, text))
        return due

    def mark_sent(self, mail: Mail) -> None:
        """Note that the mail system has taken a mail."""
        with self._db:
            self._db.execute("update mails set is_sent = 1 where key = ?", (mail.key,))

    def due_erasures(self) -> list[str]:
        """Return the contacts whom the mail system must forget."""
        query = "select contact_id from erased where not told_mail_system"
        return [row[0] for row in self._db.execute(query)]

    def mark_told(self, contact_id: str) -> None:
        """Note that the mail system has forgotten a person."""
        with self._db:
            query = "update erased set told_mail_system = 1 where contact_id = ?"
            self._db.execute(query, (contact_id,))
