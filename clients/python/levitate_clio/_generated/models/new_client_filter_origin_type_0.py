from typing import Literal

NewClientFilterOriginType0 = Literal[
    "incremental", "initial_sync", "manual", "settings", "visibility"
]

NEW_CLIENT_FILTER_ORIGIN_TYPE_0_VALUES: set[NewClientFilterOriginType0] = {
    "incremental",
    "initial_sync",
    "manual",
    "settings",
    "visibility",
}


def check_new_client_filter_origin_type_0(value: str) -> NewClientFilterOriginType0:
    if value in NEW_CLIENT_FILTER_ORIGIN_TYPE_0_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {NEW_CLIENT_FILTER_ORIGIN_TYPE_0_VALUES!r}"
    )
