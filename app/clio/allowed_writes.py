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
from app.clio.errors import (
    ClioError,
    ClioRefused,
    ClioUnreadable,
    WriteNotAllowed,
    WriteOutcomeUnknown,
    network_error,
)
from app.clio.responses import ClioResponse, retry_after, verdict_of

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
LOST = (httpx.HTTPError, TimeoutError, ClioUnreadable)  # the response did not come, or breaks off
# Statuses with which Clio says that nothing was created. Without Clio's error object they prove nothing.
NOTHING_CREATED = (400, 401, 403, 404, 410, 412, 422)


def check_allowed(method: str, path: str) -> None:
    """Raise WriteNotAllowed unless the request is a read or an allowed write."""
    listed = any(method == verb and pattern.fullmatch(path) for verb, pattern in ALLOWED_WRITES)
    if method != "GET" and not listed:
        raise WriteNotAllowed(
            "This service may write only notes, communications and webhook subscriptions to Clio"
        )


def no_response(method: str, error: BaseException) -> ClioError | None:
    """Return what it means that no response was read; None for an error that is not about the response, or says it."""
    if method != "GET" and isinstance(error, LOST) and not isinstance(error, NOT_SENT):
        return WriteOutcomeUnknown("Clio's response to a write was lost")
    return network_error(error) if isinstance(error, httpx.HTTPError | TimeoutError) else None


def check_written(method: str, response: ClioResponse) -> dict[str, Any]:
    """Return the record in the response to a successful write, an empty one for a DELETE.

    Raise WriteOutcomeUnknown if Clio may have done it, or another ClioError that proves that nothing was created.
    """
    if method == "DELETE" and response.status == 204:
        return {}
    if method != "DELETE" and response.status in (200, 201):
        return _record(response)
    verdict = verdict_of(response) if response.status in NOTHING_CREATED else None
    if verdict is None:
        text = f"Clio returned HTTP status {response.status} to a write"
        raise WriteOutcomeUnknown(text, after=retry_after(response.headers))
    if response.status == 400:
        raise ClioRefused("Clio does not accept the content of this activity", status=400)
    raise verdict


def _record(response: ClioResponse) -> dict[str, Any]:
    try:
        return pagination.parse_data(response.body)
    except ClioUnreadable as error:
        text = "Clio's response to a write cannot be read"
        raise WriteOutcomeUnknown(text, after=retry_after(response.headers)) from error


def written_id(record: dict[str, Any]) -> int:
    """Return the id of the written record. Raise WriteOutcomeUnknown if the response contains none."""
    record_id = record.get("id")
    if type(record_id) is not int:
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
