from typing import Literal

ActivityInDirectionType0 = Literal["inbound", "outbound"]

ACTIVITY_IN_DIRECTION_TYPE_0_VALUES: set[ActivityInDirectionType0] = {
    "inbound",
    "outbound",
}


def check_activity_in_direction_type_0(value: str) -> ActivityInDirectionType0:
    if value in ACTIVITY_IN_DIRECTION_TYPE_0_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {ACTIVITY_IN_DIRECTION_TYPE_0_VALUES!r}"
    )
