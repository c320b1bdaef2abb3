from typing import Literal

GetContactHistoryOrder = Literal["newest", "oldest"]

GET_CONTACT_HISTORY_ORDER_VALUES: set[GetContactHistoryOrder] = {
    "newest",
    "oldest",
}


def check_get_contact_history_order(value: str) -> GetContactHistoryOrder:
    if value in GET_CONTACT_HISTORY_ORDER_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {GET_CONTACT_HISTORY_ORDER_VALUES!r}"
    )
