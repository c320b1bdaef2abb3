"""Why a value or a record of Clio cannot be read, in plain words and without content. No I/O."""

from typing import Any

_REASONS = (  # the beginning of the validation error's type, and what it means
    ("missing", "is missing"),
    ("string_type", "is not a text"),
    ("string_too_long", "is too long"),
    ("too_long", "has too many parts"),
    ("bool", "is neither true nor false"),
    ("int", "is not a whole number"),
    ("greater_than", "is out of range"),
    ("less_than", "is out of range"),
    ("finite", "is not a finite number"),
    ("date_", "is not a date"),
    ("datetime", "is not a time"),
    ("timezone", "is a time without a time zone"),
    ("tuple", "is not a list"),
    ("model", "is not an object"),
    ("literal", "has a value that this service does not know"),
)
UNKNOWN_FORM = "has a form that this service does not know"


def reason_of(error: Any) -> str:
    """Return the reason of one error of pydantic. Our own validators say it in their message."""
    kind = error["type"]
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if (
        len(error["loc"]) > 1 and error["loc"][-2] == "value"
    ):  # one of the forms that a custom field value can have
        return UNKNOWN_FORM
    return next((text for start, text in _REASONS if kind.startswith(start)), UNKNOWN_FORM)
