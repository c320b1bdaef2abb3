"""Requests that the simulated Clio refuses. The HTTP layer turns each into a response in Clio's error format."""

FORBIDDEN = "User is forbidden from taking that action"


class Refusal(Exception):
    """A refused request: the HTTP status, Clio's error type and the message."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


class InvalidArgument(Refusal):
    """A parameter or attribute that Clio does not accept."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(status, "ArgumentError", message)


class InvalidFields(Refusal):
    """An unknown field, or a field of the second level; one of them fails the whole request."""

    def __init__(self, field: str) -> None:
        super().__init__(400, "InvalidFields", f"{field} is not a valid field")


def not_found(message: str = "The requested record could not be found") -> Refusal:
    """Return the refusal of an unknown address or of a record that the user cannot see."""
    return Refusal(404, "RecordNotFound", message)


def forbidden() -> Refusal:
    """Return the refusal of an action that the user or the app may not take."""
    return Refusal(403, "ForbiddenError", FORBIDDEN)
