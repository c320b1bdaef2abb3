from typing import Literal

ListSettingsVersionsOrder = Literal["newest", "oldest"]

LIST_SETTINGS_VERSIONS_ORDER_VALUES: set[ListSettingsVersionsOrder] = {
    "newest",
    "oldest",
}


def check_list_settings_versions_order(value: str) -> ListSettingsVersionsOrder:
    if value in LIST_SETTINGS_VERSIONS_ORDER_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {LIST_SETTINGS_VERSIONS_ORDER_VALUES!r}"
    )
