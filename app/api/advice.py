"""Describes each error that pydantic finds in our own words: what is wrong with a value, and what to send instead.

Nothing here repeats the value.
"""

from collections.abc import Mapping
from typing import Any

_OBJECT = "must be a JSON object; send it with `Content-Type: application/json`"
_TIME = "must be a time with its offset; send it like 2026-03-02T23:30:00-05:00"
_DATE = "must be a date; send it like 2026-03-02"
_WHOLE_NUMBER = "must be a whole number; send it without quotes and without a fraction"
_NUMBER = "must be a number; send it without quotes"
_YES_OR_NO = "must be true or false; send it without quotes"
_TEXT = "must be a text; send it in quotes"
_LIST = "must be a list; send it in square brackets"
_OTHER = "must be as /openapi.json describes it; send a value that its schema allows"

# By pydantic's type of error. Names in braces are in its context.
_WORDS: Mapping[str, str] = {
    "missing": "is missing; send it",
    "extra_forbidden": "is not known here; leave it out",
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type", "mapping_type"), _OBJECT),
    **dict.fromkeys(("string_type", "string_sub_type"), _TEXT),
    "string_unicode": "must be UTF-8 text; send no halves of characters",
    "string_too_short": "is too short; send at least {min_length} characters",
    "string_too_long": "is too long; send at most {max_length} characters",
    "string_pattern_mismatch": "has not the form of such a value; send one that matches {pattern}",
    **dict.fromkeys(("literal_error", "enum"), "is not one of the known values; send {expected}"),
    **dict.fromkeys(("bool_type", "bool_parsing"), _YES_OR_NO),
    **dict.fromkeys(
        ("int_type", "int_parsing", "int_parsing_size", "int_from_float"), _WHOLE_NUMBER
    ),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), _NUMBER),
    "greater_than": "is too small; send more than {gt}",
    "greater_than_equal": "is too small; send {ge} or more",
    "less_than": "is too large; send less than {lt}",
    "less_than_equal": "is too large; send {le} or less",
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "iterable_type"), _LIST),
    "too_short": "has too few entries; send at least {min_length}",
    "too_long": "has too many entries; send at most {max_length}",
    **dict.fromkeys(
        (
            *("datetime_type", "datetime_parsing", "datetime_object_invalid"),
            *("datetime_from_date_parsing", "timezone_naive", "timezone_offset"),
        ),
        _TIME,
    ),
    **dict.fromkeys(
        ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"),
        _DATE,
    ),
    "too_many_errors": "has very many errors; send a body as /openapi.json describes it",
    "none_required": "must be null; send null or leave it out",
}


def of(error: Mapping[str, Any]) -> str:
    """Return what is wrong and what to send, for an error as pydantic lists it.

    Errors that validators of this service raise have their own words.
    """
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    words = _WORDS.get(kind, _OTHER)
    for name, limit in context.items():
        words = words.replace(f"{{{name}}}", str(limit))
    return words
