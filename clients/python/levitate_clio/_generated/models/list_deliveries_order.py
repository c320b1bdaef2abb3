from typing import Literal

ListDeliveriesOrder = Literal["newest", "oldest"]

LIST_DELIVERIES_ORDER_VALUES: set[ListDeliveriesOrder] = {
    "newest",
    "oldest",
}


def check_list_deliveries_order(value: str) -> ListDeliveriesOrder:
    if value in LIST_DELIVERIES_ORDER_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {LIST_DELIVERIES_ORDER_VALUES!r}")
