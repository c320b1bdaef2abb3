"""The errors of requests to Clio, one class for each reaction to them.

Success Managers read the messages. A message never contains a response body, a URL with its query, or a token.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import ClassVar

import httpx

MIN_WAIT = timedelta(seconds=1)
MAX_WAIT = timedelta(minutes=15)


class ClioError(Exception):
    """Any error of a request to Clio. The subclass says how to react; `code` names the error for people."""

    default_code: ClassVar[str] = "clio_error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code or self.default_code


class ClioRetryLater(ClioError):
    """The same request may work after `after`, a time between 1 second and 15 minutes."""

    default_code = "clio_unavailable"

    def __init__(self, message: str, *, after: timedelta, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.after = min(max(after, MIN_WAIT), MAX_WAIT)


class ClioRateLimited(ClioRetryLater):
    """Clio's rate limit allows the request after `after`. It was not sent, or Clio did not do it."""

    default_code = "clio_rate_limited"


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
    """The response to a write was lost or is not valid, so Clio may have done it. Search before writing again.

    Every other error of a write proves that nothing was created.
    """

    default_code = "clio_write_unsure"


class ClioRefused(ClioError):
    """Clio refuses this request and always will. Record it and continue."""

    default_code = "clio_refused"

    def __init__(self, message: str, *, status: int, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.status = status


class ClioUnreadable(ClioError):
    """A response without the form that Clio documents. Stop and investigate."""

    default_code = "clio_unreadable"


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
    """Return the error for a response's status; `kind` and `message` come from Clio's error object."""
    if status == 400 and kind == "InvalidFields":
        return UnknownField(message.removesuffix(" is not a valid field").strip())
    if status == 422 and "page_token" in message:
        text = "Clio no longer accepts the cursor of this list"
        return ClioRefused(text, status=422, code="clio_cursor_refused")
    if status == 404 and kind:  # a 404 without Clio's error type comes from a proxy
        return ClioRefused(
            "Clio has no such record, or this Clio user cannot see it",
            status=404,
            code="clio_not_found",
        )
    if status >= 500:
        return ClioRetryLater(f"Clio returned HTTP status {status}", after=timedelta(minutes=1))
    known = _BY_STATUS.get(status)
    return known() if known else ClioRefused(f"Clio returned HTTP status {status}", status=status)


def network_error(error: httpx.HTTPError | TimeoutError) -> ClioRetryLater:
    """Return the error for a request without a response."""
    timed_out = isinstance(error, (TimeoutError, httpx.TimeoutException))
    text = "Clio did not respond in time" if timed_out else "Clio could not be reached"
    return ClioRetryLater(text, after=timedelta(minutes=1))


def rate_limited(seconds: float) -> ClioRateLimited:
    """Return the error that says after what time Clio's rate limit allows the next request."""
    text = "Clio's rate limit is reached; the request is sent again later"
    return ClioRateLimited(text, after=timedelta(seconds=seconds))


def is_transient(error: Exception) -> bool:
    """Return whether an immediate retry may help. It does not help if Clio's rate limit is reached."""
    if isinstance(error, ClioRateLimited):
        return False
    return isinstance(error, ClioRetryLater | ClioUnreadable)
