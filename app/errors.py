"""The exceptions of this service, and `Problem`, the stored form of what is wrong.

An `AppError` becomes a problem document of the API: it has the HTTP status and the stable code that a caller acts on,
and possibly members of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar


@dataclass(frozen=True)
class Problem:
    """A problem of a connection, run or webhook endpoint: a stable code, and a sentence for people."""

    code: str
    detail: str


class AppError(Exception):
    """An error that the API returns: `title` says what is wrong, `next_step` what to do about it.

    `detail` says both, and never contains client data.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "This service had an internal error"
    next_step: ClassVar[str] = "try again later, and give `request_id` to support"

    def __init__(
        self,
        detail: str = "",
        *,
        headers: dict[str, str] | None = None,
        members: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        super().__init__(detail or self.usual_detail())
        self.detail = detail or self.usual_detail()
        self.headers = headers
        self.members = members

    @classmethod
    def usual_detail(cls) -> str:
        """Return what is wrong and what to do next, if there is nothing more exact to say."""
        return f"{cls.title}; {cls.next_step}"


class InvalidRequest(AppError):
    """A well-formed body with values that are not allowed; `errors` pairs JSON pointers with messages."""

    status = 422
    code = "invalid_request"
    title = "The request is not valid"
    next_step = "read `errors`, which says where, and what must be sent"

    def __init__(self, *, errors: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.errors = tuple(errors)

    def below(self, pointer: str) -> "InvalidRequest":
        """Return the same error with every pointer prefixed, for a document that is part of a larger body."""
        return InvalidRequest(errors=[(pointer + where, detail) for where, detail in self.errors])


class DatabaseUnavailable(AppError):
    """The database cannot be used now. The same call works later, or at once if `retry_now`."""

    status = 503
    code = "database_unavailable"
    title = "The database is not available"
    next_step = "try again in a moment, or after the time in Retry-After"

    def __init__(self, *, retry_now: bool = False) -> None:
        super().__init__(headers={"Retry-After": "1" if retry_now else "5"})
        self.retry_now = retry_now


class RunTakenOver(AppError):
    """Another worker has taken this run over. The caller must not write anything more."""

    status = 409
    code = "run_taken_over"
    title = "Another worker has taken this run over"
    next_step = "this one must stop"


class CannotStart(Exception):
    """The process cannot work with this database or configuration; the text says what to do."""
