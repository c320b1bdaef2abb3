"""What a call can raise. The class says what to do next, `code` says what happened.

Codes are open: an unknown code gets the class of its status. No message contains a token, a secret or the address of a
request.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

MOST_NAMED = 5  # parts of a request that the text of an error names; `errors` has all


class ClioError(Exception):
    """Everything that this package raises on purpose."""


class Unreachable(ClioError):
    """No response came. The request may have had an effect. Send it again later, with the same idempotency key."""


class Unreadable(ClioError):
    """What came is not what the document promises, for example from a proxy in between."""


class InvalidSignature(ClioError):
    """A webhook that the service did not sign with one of these secrets, or not lately. Answer it with 400."""


@dataclass(frozen=True)
class FieldError:
    """One part of a request that is not valid."""

    pointer: str
    """A JSON pointer into the body, such as `/users/0/email`, or a parameter, such as `query:limit`."""
    detail: str


class ApiError(ClioError):
    """The service refused. Decide by the class or by `code`; show `detail`, which has the next step, to people."""

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after: float | None) -> None:
        self.status = status
        self.code = str(problem.get("code") or f"http_{status}")
        self.title = str(problem.get("title") or "The service gave no reason")
        self.detail = str(problem.get("detail") or self.title)
        self.request_id = str(problem.get("request_id") or "")
        self.errors = field_errors(problem.get("errors"))
        self.retry_after = retry_after
        """The seconds after which the service wants the request again, or None."""
        parts = "".join(f"; {one.pointer} {one.detail}" for one in self.errors[:MOST_NAMED])
        text = f"{status} {self.code}: {self.detail}{parts} (request {self.request_id or '?'})"
        super().__init__(text)


class Invalid(ApiError):
    """The request is wrong. Change it: `errors` names the parts. The same request fails again."""


class Unauthorized(ApiError):
    """The token is missing, unknown, revoked or has expired. Use another one."""


class Forbidden(ApiError):
    """The scope of the token or the role of the acting user does not allow it."""


class NotFound(ApiError):
    """There is no such thing for this token, account or acting user."""


class Conflict(ApiError):
    """The state does not allow it, or somebody was faster. Read again, then decide."""


class InProgress(Conflict):
    """The same request, with the same idempotency key, is still being processed. Send it again in a moment."""


class Gone(ApiError):
    """It existed, and is erased."""


class CursorExpired(Gone):
    """The cursor of a feed points at nothing since the service was restored. Begin again without a cursor."""


class RateLimited(ApiError):
    """Too many requests. Send it again after `retry_after` seconds."""


class ServerError(ApiError):
    """A fault in the service. Give `request_id` to its support."""


class Unavailable(ServerError):
    """The service cannot answer now. Send it again later, with the same idempotency key."""


BY_CODE: dict[str, type[ApiError]] = {
    "cursor_expired": CursorExpired,
    "request_in_progress": InProgress,
}
BY_STATUS: dict[int, type[ApiError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    412: Conflict,
    413: Invalid,
    415: Invalid,
    422: Invalid,
    428: Invalid,
    429: RateLimited,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def error_of(response: httpx.Response) -> ApiError:
    """Return the error that a response is. It never fails, whatever a proxy sent."""
    problem = problem_of(response)
    otherwise = ServerError if response.is_server_error else ApiError
    kind = BY_CODE.get(str(problem.get("code"))) or BY_STATUS.get(response.status_code, otherwise)
    return kind(response.status_code, problem, retry_after(response.headers, datetime.now(UTC)))


def problem_of(response: httpx.Response) -> Mapping[str, Any]:
    """Return the problem document of a response, or an empty one."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def field_errors(listed: Any) -> tuple[FieldError, ...]:
    """Return the parts of a request that a problem document names."""
    if not isinstance(listed, list):
        return ()
    named = [one for one in listed if isinstance(one, dict)]
    return tuple(FieldError(str(one.get("pointer")), str(one.get("detail"))) for one in named)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds of `Retry-After`, which may be a number or an HTTP date. None without a valid one."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
