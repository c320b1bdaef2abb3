from typing import Literal

ActivityInBodyFormat = Literal["html", "text"]

ACTIVITY_IN_BODY_FORMAT_VALUES: set[ActivityInBodyFormat] = {
    "html",
    "text",
}


def check_activity_in_body_format(value: str) -> ActivityInBodyFormat:
    if value in ACTIVITY_IN_BODY_FORMAT_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {ACTIVITY_IN_BODY_FORMAT_VALUES!r}"
    )
