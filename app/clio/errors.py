"""Failures of calls to Clio, sorted by what to do about them.

A message never holds an answer's body, an address with its query, or a token.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import ClassVar

import httpx

MIN_WAIT = timedelta(seconds=1)
MAX_WAIT = timedelta(minutes=15)


class ClioError(Exception):
    """Any failure of a call to Clio. The subclass says what to do about it, `code` names it for people."""

    default_code: ClassVar[str] = "clio_error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code or self.default_code


class ClioRetryLater(ClioError):
    """The same call may work after a while."""

    default_code = "clio_unavailable"

    def __init__(self, message: str, *, after: timedelta, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.after = min(max(after, MIN_WAIT), MAX_WAIT)


class ClioReauthRequired(ClioError):
    """The user must connect again; the other connections go on."""

    default_code = "needs_reconnect"


class ClioMisconfigured(ClioError):
    """Our registration, region or version is wrong; tell the operators, disconnect nobody."""

    default_code = "clio_misconfigured"


class WriteNotAllowed(ClioMisconfigured):
    """A write that is not on the short list; refused before the network [FQ-1]."""

    default_code = "write_not_allowed"


class WriteOutcomeUnknown(ClioError):
    """The answer to a write was lost or makes no sense: Clio may have done it. Look before writing again.

    Every other failure of a write proves that nothing was created.
    """

    default_code = "clio_write_unsure"


class ClioRefused(ClioError):
    """Will never work like this; record it and go on."""

    default_code = "clio_refused"

    def __init__(self, message: str, *, status: int, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.status = status


class ClioUnreadable(ClioError):
    """Not the shape that Clio promises; stop and look."""

    default_code = "clio_unreadable"


class UnknownField(ClioError):
    """Clio does not know a field that was asked for; asking without it may work."""

    default_code = "clio_field_unknown"

    def __init__(self, field: str) -> None:
        super().__init__("Clio does not know a field that we ask for")
        self.field = field


_BY_STATUS: dict[int, Callable[[], ClioError]] = {
    400: lambda: ClioMisconfigured("Clio does not accept a parameter that this service sends"),
    401: lambda: ClioReauthRequired(
        "Clio no longer accepts this login; the user must connect again"
    ),
    403: lambda: ClioRefused("Clio forbids this to the user", status=403, code="clio_forbidden"),
    410: lambda: ClioMisconfigured(
        "Clio refuses the API version that this service speaks", code="clio_api_version_gone"
    ),
}


def error_for(status: int, *, kind: str, message: str) -> ClioError:
    """The failure that an answer's status means; `kind` and `message` are those of Clio's error object."""
    if status == 400 and kind == "InvalidFields":
        return UnknownField(message.removesuffix(" is not a valid field").strip())
    if status == 422 and "page_token" in message:
        text = "Clio no longer knows where the list was left"
        return ClioRefused(text, status=422, code="clio_cursor_refused")
    if status == 404 and kind:  # Clio's own word: one without it came from something in between
        return ClioRefused(
            "Clio has no such record for this user", status=404, code="clio_not_found"
        )
    if status >= 500:
        return ClioRetryLater(f"Clio answered {status}", after=timedelta(minutes=1))
    known = _BY_STATUS.get(status)
    return known() if known else ClioRefused(f"Clio answered {status}", status=status)


def network_error(error: httpx.HTTPError | TimeoutError) -> ClioRetryLater:
    """The failure of a call that got no answer."""
    kind = "in time" if isinstance(error, (TimeoutError, httpx.TimeoutException)) else "at all"
    return ClioRetryLater(f"Clio did not answer {kind}", after=timedelta(minutes=1))
