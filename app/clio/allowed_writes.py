"""All that may ever be written to Clio, and what the answer to a write proves. Pure.

The list is short by promise: Clio is the source of truth for contact data [FQ-1].
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import httpx

from app.clio import pagination
from app.clio.errors import ClioRefused, ClioUnreadable, WriteNotAllowed, WriteOutcomeUnknown
from app.clio.responses import ClioResponse, error_of

NOTES_PATH = "/api/v4/notes.json"
COMMUNICATIONS_PATH = "/api/v4/communications.json"
DEADLINE = 30.0  # seconds for one write, from connecting to the last byte of its answer
ALLOWED_WRITES = (
    ("POST", re.compile(re.escape(NOTES_PATH))),
    ("POST", re.compile(re.escape(COMMUNICATIONS_PATH))),
    ("PATCH", re.compile(r"/api/v4/communications/\d+\.json")),
    ("POST", re.compile(r"/api/v4/webhooks\.json")),
    ("PATCH", re.compile(r"/api/v4/webhooks/\d+\.json")),
    ("DELETE", re.compile(r"/api/v4/webhooks/\d+\.json")),
)
# No byte of the request has left: a connection that was refused, timed out or failed TLS, or none was free.
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
NOTHING_CREATED = (400, 401, 403, 404, 410, 412, 422)  # answers that say that nothing was created


def check_allowed(method: str, path: str) -> None:
    """Raises WriteNotAllowed for every call but reads and the few writes of the list."""
    listed = any(method == verb and pattern.fullmatch(path) for verb, pattern in ALLOWED_WRITES)
    if method != "GET" and not listed:
        raise WriteNotAllowed(
            "This service writes only notes, communications and webhook subscriptions to Clio"
        )


def check_written(answer: ClioResponse) -> ClioResponse:
    """The answer to a write that arrived; raises WriteUnsure, or the failure that proves that it did not."""
    if answer.status in NOTHING_CREATED:
        if answer.status == 400:
            raise ClioRefused("Clio does not accept this text", status=400)
        raise error_of(answer)
    if answer.status not in (200, 201, 204):
        raise WriteOutcomeUnknown(f"Clio answered {answer.status}")
    return answer


def written_id(answer: ClioResponse) -> int:
    """The id of what was written; raises WriteUnsure where the answer names none."""
    try:
        data = pagination.parse_object(answer.body).get("data")
    except ClioUnreadable as error:
        raise WriteOutcomeUnknown("Clio's answer cannot be read") from error
    found = data.get("id") if isinstance(data, dict) else None
    if not isinstance(found, int):
        raise WriteOutcomeUnknown("Clio's answer names no record")
    return found


@dataclass(frozen=True)
class NewNote:
    """A note on a contact, in plain text."""

    contact_id: int
    subject: str
    detail: str
    date: date

    def document(self) -> dict[str, Any]:
        """The note in Clio's words."""
        return {
            "type": "Contact",
            "contact": {"id": self.contact_id},
            "subject": self.subject,
            "detail": self.detail,
            "detail_text_type": "plain_text",
            "date": self.date.isoformat(),
        }


@dataclass(frozen=True)
class Party:
    """Who sends or receives a communication: `Contact` or `User`."""

    type: str
    id: int


@dataclass(frozen=True)
class NewCommunication:
    """A text conversation; Clio has no type for it, so it is written as a phone communication [WB-3]."""

    subject: str
    body: str
    received_at: datetime
    senders: Sequence[Party]
    receivers: Sequence[Party]
    external_properties: Sequence[tuple[str, str]]

    def document(self) -> dict[str, Any]:
        """The communication in Clio's words."""
        return {
            "type": "PhoneCommunication",
            "subject": self.subject,
            "body": self.body,
            "received_at": self.received_at.isoformat(),
            "senders": [{"id": party.id, "type": party.type} for party in self.senders],
            "receivers": [{"id": party.id, "type": party.type} for party in self.receivers],
            "external_properties": [
                {"name": name, "value": value} for name, value in self.external_properties
            ],
        }
