"""The errors of requests to Clio, one class for each reaction to them.

Only Clio's own answer decides anything. It is recognised by Clio's error object, and at the OAuth endpoints by OAuth's
(`responses.verdict_of`). Every other answer, such as the page of a proxy, means that the request may work later. A 429
needs no error object.

Success Managers read the messages. A message never contains a response body, a URL with its query, or a token.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import ClassVar

import httpx

MIN_WAIT = timedelta(seconds=1)
LONGEST_OUTAGE = timedelta(days=1)  # that a server can announce in Retry-After
A_MINUTE = timedelta(minutes=1)


class ClioError(Exception):
    """Any error of a request to Clio. The subclass says how to react; `code` names the error for people."""

    default_code: ClassVar[str] = "clio_error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code or self.default_code


class ClioRetryLater(ClioError):
    """The same request may work after `after`, a time between 1 second and `longest`.

    `asked` is how long the server asked to wait; zero if it did not.
    """

    default_code = "clio_unavailable"
    longest: ClassVar[timedelta] = LONGEST_OUTAGE

    def __init__(
        self,
        message: str,
        *,
        after: timedelta = A_MINUTE,
        asked: timedelta = timedelta(0),
        code: str | None = None,
    ) -> None:
        super().__init__(message, code=code)
        self.asked = asked
        self.after = min(max(after, asked, MIN_WAIT), self.longest)


class ClioRateLimited(ClioRetryLater):
    """Clio's rate limit allows the request after `after`. It was not sent, or Clio did not do it."""

    default_code = "clio_rate_limited"
    longest = timedelta(minutes=15)


class ClioUnreadable(ClioRetryLater):
    """A response that does not come from Clio, or has not the form that Clio documents. It decides nothing."""

    default_code = "clio_unreadable"


class RecordUnreadable(ClioUnreadable):
    """Clio returned the record, so it exists, but it cannot be read."""


class ClioReauthRequired(ClioError):
    """The user must connect again. Other connections are not affected."""

    default_code = "needs_reconnect"


class ClioMisconfigured(ClioError):
    """The app's registration, region or API version is wrong. Operators must act; connections stay as they are."""

    default_code = "clio_misconfigured"


class WriteNotAllowed(ClioMisconfigured):
    """A write that is not on the list of allowed writes; it was not sent [FQ-1]."""

    default_code = "write_not_allowed"


class WriteOutcomeUnknown(ClioError):
    """The response to a write was lost or is not Clio's, so Clio may have done it. Search before writing again.

    Do not ask Clio before `after`. Every other error of a write proves that nothing was created.
    """

    default_code = "clio_write_unsure"

    def __init__(self, message: str, *, after: timedelta = timedelta(0)) -> None:
        super().__init__(message)
        self.after = after


class ClioRefused(ClioError):
    """Clio refuses this request and always will. Record it and continue."""

    default_code = "clio_refused"

    def __init__(self, message: str, *, status: int, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.status = status


class UnknownField(ClioError):
    """Clio does not know a requested field. The request may work without it."""

    default_code = "clio_field_unknown"

    def __init__(self, field: str) -> None:
        super().__init__("Clio does not know a field that this service requests")
        self.field = field


_BY_STATUS: dict[int, Callable[[], ClioError]] = {
    400: lambda: ClioMisconfigured("Clio does not accept a parameter of this service's request"),
    401: lambda: ClioReauthRequired(
        "Clio no longer accepts this login. The user must connect to Clio again"
    ),
    403: lambda: ClioRefused(
        "This Clio user does not have permission for this", status=403, code="clio_forbidden"
    ),
    410: lambda: ClioMisconfigured(
        "Clio no longer supports the API version that this service uses",
        code="clio_api_version_gone",
    ),
}


def error_for(status: int, *, kind: str, message: str) -> ClioError:
    """Return what Clio says with a status from 400 to 499; `kind` and `message` come from Clio's error object."""
    if status == 400 and kind == "InvalidFields":
        return UnknownField(message.removesuffix(" is not a valid field").strip())
    if status == 422 and "page_token" in message:
        text = "Clio no longer accepts the cursor of this list"
        return ClioRefused(text, status=422, code="clio_cursor_refused")
    if status == 404:
        return ClioRefused(
            "Clio has no such record, or this Clio user cannot see it",
            status=404,
            code="clio_not_found",
        )
    known = _BY_STATUS.get(status)
    return known() if known else ClioRefused(f"Clio returned HTTP status {status}", status=status)


def network_error(error: httpx.HTTPError | TimeoutError) -> ClioRetryLater:
    """Return the error for a request without a response."""
    timed_out = isinstance(error, (TimeoutError, httpx.TimeoutException))
    text = "Clio did not respond in time" if timed_out else "Clio could not be reached"
    return ClioRetryLater(text)


def rate_limited(seconds: float) -> ClioRateLimited:
    """Return the error that says after what time Clio's rate limit allows the next request."""
    text = "Clio's rate limit is reached; the request is sent again later"
    return ClioRateLimited(text, after=timedelta(seconds=seconds))


def is_transient(error: Exception) -> bool:
    """Return whether an immediate retry may help. It does not help if Clio's rate limit is reached."""
    return isinstance(error, ClioRetryLater) and not isinstance(error, ClioRateLimited)
