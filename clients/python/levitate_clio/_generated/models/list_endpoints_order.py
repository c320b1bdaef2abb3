from typing import Literal

ListEndpointsOrder = Literal["newest", "oldest"]

LIST_ENDPOINTS_ORDER_VALUES: set[ListEndpointsOrder] = {
    "newest",
    "oldest",
}


def check_list_endpoints_order(value: str) -> ListEndpointsOrder:
    if value in LIST_ENDPOINTS_ORDER_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {LIST_ENDPOINTS_ORDER_VALUES!r}")
