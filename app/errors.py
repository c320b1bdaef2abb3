"""Our own failures, one tree. Each carries the HTTP status and the stable code that a caller acts on."""

from collections.abc import Sequence
from typing import ClassVar


class AppError(Exception):
    """A failure that is an answer. `detail` says in plain words what to do; it never holds client data."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str = "", *, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.headers = headers


class Invalid(AppError):
    """A body that has the right form but says what cannot be; `errors` pairs JSON pointers with what is wrong."""

    status = 422
    code = "invalid_request"
    title = "The request is not valid; `errors` says where"

    def __init__(self, *, errors: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.errors = tuple(errors)

    def below(self, pointer: str) -> "Invalid":
        """The same, where what was judged stands below a pointer of the body."""
        return Invalid(errors=[(pointer + where, detail) for where, detail in self.errors])


class DatabaseUnavailable(AppError):
    """The database cannot be reached; the same call will work when it is back."""

    status = 503
    code = "database_unavailable"
    title = "The database is not available; try again in a moment"


class Fenced(AppError):
    """Another worker took this run over; whoever is told so must write no more."""

    status = 409
    code = "run_taken_over"
    title = "Another worker has taken this run over"
