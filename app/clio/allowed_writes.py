"""The list of allowed writes to Clio, their request bodies, and what the response to a write proves. No I/O.

The list is short because Clio is the source of truth for contact data [FQ-1].
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
DEADLINE = 30.0  # seconds for one write, from connecting to the last byte of the response
ALLOWED_WRITES = (
    ("POST", re.compile(re.escape(NOTES_PATH))),
    ("POST", re.compile(re.escape(COMMUNICATIONS_PATH))),
    ("PATCH", re.compile(r"/api/v4/communications/\d+\.json")),
    ("POST", re.compile(r"/api/v4/webhooks\.json")),
    ("PATCH", re.compile(r"/api/v4/webhooks/\d+\.json")),
    ("DELETE", re.compile(r"/api/v4/webhooks/\d+\.json")),
)
# No byte of the request was sent: connecting was refused, timed out or failed in TLS, or no connection was free.
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
NOTHING_CREATED = (
    400,
    401,
    403,
    404,
    410,
    412,
    422,
)  # statuses that prove that nothing was created


def check_allowed(method: str, path: str) -> None:
    """Raise WriteNotAllowed unless the request is a read or an allowed write."""
    listed = any(method == verb and pattern.fullmatch(path) for verb, pattern in ALLOWED_WRITES)
    if method != "GET" and not listed:
        raise WriteNotAllowed(
            "This service may write only notes, communications and webhook subscriptions to Clio"
        )


def check_written(response: ClioResponse) -> ClioResponse:
    """Return the response to a successful write.

    Raise WriteOutcomeUnknown if Clio may have done it, or another ClioError that proves that nothing was created.
    """
    if response.status in NOTHING_CREATED:
        if response.status == 400:
            raise ClioRefused("Clio does not accept the content of this activity", status=400)
        raise error_of(response)
    if response.status not in (200, 201, 204):
        raise WriteOutcomeUnknown(f"Clio returned HTTP status {response.status} to a write")
    return response


def written_id(response: ClioResponse) -> int:
    """Return the id of the written record. Raise WriteOutcomeUnknown if the response contains none."""
    try:
        data = pagination.parse_object(response.body).get("data")
    except ClioUnreadable as error:
        raise WriteOutcomeUnknown("Clio's response to a write cannot be read") from error
    record_id = data.get("id") if isinstance(data, dict) else None
    if not isinstance(record_id, int):
        raise WriteOutcomeUnknown("Clio's response to a write contains no record id")
    return record_id


@dataclass(frozen=True)
class NewNote:
    """A note on a contact, in plain text."""

    contact_id: int
    subject: str
    detail: str
    date: date

    def document(self) -> dict[str, Any]:
        """Return the note as Clio's request body."""
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
    """A sender or receiver of a communication; `type` is `Contact` or `User`."""

    type: str
    id: int


@dataclass(frozen=True)
class NewCommunication:
    """A text conversation. Clio has no type for it, so it is written as a phone communication [WB-3]."""

    subject: str
    body: str
    received_at: datetime
    senders: Sequence[Party]
    receivers: Sequence[Party]
    external_properties: Sequence[tuple[str, str]]

    def document(self) -> dict[str, Any]:
        """Return the communication as Clio's request body."""
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
