"""The response body of an erasure."""

from datetime import datetime
from typing import Literal

from app.api.schemas.base import CodeDetail, Schema


class ErasureSubject(Schema):
    """What was erased."""

    kind: str
    """`account` or `contact`. New kinds can be added."""

    id: str
    """Its id: Levitate's id of the account, or our id of the contact."""


class Erasure(Schema):
    """The receipt of an erasure. It contains ids only, and is kept for a year after the erasure has ended."""

    id: str
    """The id of the erasure (`era_…`)."""

    subject: ErasureSubject
    """The account or the person that was erased."""

    status: Literal["running", "done", "incomplete"]
    """`running`: data is being deleted, or Clio must still be told that logins have ended. `done`: nothing is left.
    `incomplete`: nothing is left here, but `remaining` says what a person must end in Clio."""

    requested_by: str | None
    """Levitate's id of the user who requested the erasure. Null if the request named no user."""

    requested_at: datetime
    """When the erasure was requested (RFC 3339, UTC)."""

    finished_at: datetime | None
    """When the erasure ended (RFC 3339, UTC). Null while it is running."""

    remaining: list[CodeDetail]
    """What is left. Of an account what is left to do: `data`: rows are being deleted. `deauthorization`: Clio has not
    confirmed the end of a login; it is told again. `deauthorization_failed`: a person must end this login's access in
    Clio. At most 100 logins are listed; empty when the erasure is done. Of a contact what is kept for a reason:
    `kept_hash`, `kept_feed_line`, `kept_audit`, `kept_matters`."""
