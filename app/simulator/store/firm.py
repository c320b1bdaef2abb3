"""A simulated law firm: its records, and what each of its users may see. It knows no HTTP.

Records are dicts with Clio's field names. References to other records are stored by id (`company_id`, `client_id`, …).
"""

from bisect import insort
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone, tzinfo
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

Record = dict[str, Any]

KINDS = (
    "contact", "matter", "relationship", "user", "custom_field", "practice_area", "matter_stage", "group",
    "note", "communication",
)  # fmt: skip
DOCUMENT_KINDS = frozenset(
    {"note", "communication"}
)  # written by apps; they do not change what a user sees


class Firm:
    """One firm in one region. Every change moves a version, the record's `updated_at` and its etag."""

    def __init__(
        self,
        *,
        account_id: int,
        name: str,
        region: str,
        now: Callable[[], datetime],
        offset: timedelta = timedelta(hours=-5),
    ) -> None:
        self.account: Record = {"id": account_id, "name": name, "state": "paying"}
        self.region = region
        self.version = 0  # of all records but documents
        self.document_version = 0
        self.watchers: list[Callable[[str, str, Record], None]] = []  # called on each change
        self.fields_unreadable: set[int] = set()  # users who see custom values without content
        self.emails_hidden: set[int] = set()  # users who see contacts without e-mail addresses
        self._now = now
        self._zone = timezone(offset)
        self._records: dict[str, dict[int, Record]] = {kind: {} for kind in KINDS}
        self._ids: dict[str, list[int]] = {kind: [] for kind in KINDS}
        first_id = account_id * 1_000_000  # ids are unique within a region
        self._highest_ids = {"note": first_id, "communication": first_id + 500_000}
        self._visible: dict[tuple[str, int], tuple[int, frozenset[int]]] = {}

    # --- reading -----------------------------------------------------------------------------

    def find(self, kind: str, record_id: int | None) -> Record | None:
        """Return the record, or None."""
        return self._records[kind].get(record_id) if record_id is not None else None

    def ids(self, kind: str) -> list[int]:
        """Return the ids of a kind in ascending order."""
        return self._ids[kind]

    def time_zone_of(self, user_id: int) -> tzinfo:
        """Return the time zone for the times that a user sees: the user's, else the firm's."""
        name = self._records["user"][user_id].get("time_zone")
        return ZoneInfo(name) if name else self._zone

    def format_time(self, moment: datetime) -> str:
        """Return a time in the firm's time zone, as records store it."""
        return moment.astimezone(self._zone).isoformat(timespec="seconds")

    def next_id(self, kind: str) -> int:
        """Return an id for a new record, above all ids in use."""
        self._highest_ids[kind] = max([self._highest_ids.get(kind, 0), *self._ids[kind][-1:]]) + 1
        return self._highest_ids[kind]

    def sees(self, user_id: int, kind: str, record_id: int) -> bool:
        """Return whether a user may see a record that exists."""
        if kind == "contact" and not self._is_restricted(user_id):
            return True
        if kind in ("contact", "matter"):
            return record_id in self._seen(user_id, kind)
        if kind == "relationship":
            return self.sees(user_id, "matter", self._records[kind][record_id]["matter_id"])
        if kind in DOCUMENT_KINDS:
            return self._sees_document(user_id, self._records[kind][record_id])
        return True

    def _sees_document(self, user_id: int, document: Record) -> bool:
        """A user must see each contact and each matter that a document names."""
        people = [*document.get("senders", []), *document.get("receivers", [])]
        named = [("contact", person["id"]) for person in people if person["type"] != "User"]
        named += [
            (kind, document[f"{kind}_id"])
            for kind in ("contact", "matter")
            if document.get(f"{kind}_id")
        ]
        return all(
            record_id in self._records[kind] and self.sees(user_id, kind, record_id)
            for kind, record_id in named
        )

    def _is_restricted(self, user_id: int) -> bool:
        """Return whether the user sees some contacts only; Clio restricts users without roles only."""
        user = self._records["user"][user_id]
        return bool(user.get("restricted")) and not user["roles"]

    def _seen(self, user_id: int, kind: str) -> frozenset[int]:
        version, seen = self._visible.get((kind, user_id), (-1, frozenset()))
        if version != self.version:
            found = (
                self._seen_matters(user_id) if kind == "matter" else self._seen_contacts(user_id)
            )
            seen = frozenset(found)
            self._visible[kind, user_id] = (self.version, seen)
        return seen

    def _seen_matters(self, user_id: int) -> Iterable[int]:
        for matter in self._records["matter"].values():
            if matter["only_users"] is None or user_id in matter["only_users"]:
                yield matter["id"]

    def _seen_contacts(self, user_id: int) -> Iterable[int]:
        """Yield the contacts that the user created, and those of the matters that the user sees.

        The latter are clients, related contacts, and contacts in a matter's custom field.
        """
        matters = self._seen(user_id, "matter")
        fields = self._records["custom_field"]
        links = {field for field in fields if fields[field]["field_type"] == "contact"}
        for matter_id in matters:
            matter = self._records["matter"][matter_id]
            yield matter["client_id"]
            for value in matter.get("custom_field_values") or []:
                if value["custom_field_id"] in links and value["value"] is not None:
                    yield int(value["value"])
        for link in self._records["relationship"].values():
            if link["matter_id"] in matters:
                yield link["contact_id"]
        for contact in self._records["contact"].values():
            if contact.get("created_by") == user_id:
                yield contact["id"]

    # --- changing ----------------------------------------------------------------------------

    def put(self, kind: str, record: Record, *, at: datetime | None = None) -> Record:
        """Add or change a record; fields that are not given stay. The times of parent records do not move."""
        moment = self.format_time(at or self._now())
        record_id = record["id"]
        known = self._records[kind].get(record_id)
        was_known = known is not None
        if known is None:
            insort(self._ids[kind], record_id)
            known = {"created_at": moment, **({"only_users": None} if kind == "matter" else {})}
        merged = {**known, **record}
        merged["updated_at"] = moment if at is None else record.get("updated_at", moment)
        merged["etag"] = etag(kind, record_id, f"{moment}/{self.version}/{self.document_version}")
        self._records[kind][record_id] = merged
        self._count_change(kind)
        self._notify("updated" if was_known else "created", kind, merged)
        return merged

    def delete(self, kind: str, record_id: int) -> None:
        """Delete a record and leave no trace. Deleting a matter deletes its relationships."""
        deleted = self._records[kind].pop(record_id)
        self._ids[kind].remove(record_id)
        if kind == "matter":
            for link in list(self._records["relationship"].values()):
                if link["matter_id"] == record_id:
                    self.delete("relationship", link["id"])
        self._count_change(kind)
        self._notify("deleted", kind, deleted)

    def _count_change(self, kind: str) -> None:
        """Move a version. Documents have their own, so that a note does not discard what was computed from records."""
        if kind in DOCUMENT_KINDS:
            self.document_version += 1
        else:
            self.version += 1

    def _notify(self, event: str, kind: str, record: Record) -> None:
        for watcher in self.watchers:
            watcher(event, kind, record)

    def restrict_matter(self, matter_id: int, users: Iterable[int] | None) -> None:
        """Limit a matter to some users, or open it to all (None). Its `updated_at` does not change."""
        self._records["matter"][matter_id]["only_users"] = (
            None if users is None else frozenset(users)
        )
        self.version += 1


def etag(kind: str, record_id: int | str, state: str) -> str:
    """Return an etag as Clio sends it, with quotes."""
    return f'"{blake2b(f"{kind}/{record_id}/{state}".encode(), digest_size=16).hexdigest()}"'
