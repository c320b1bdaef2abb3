from typing import Literal

ListConnectionsOrder = Literal["newest", "oldest"]

LIST_CONNECTIONS_ORDER_VALUES: set[ListConnectionsOrder] = {
    "newest",
    "oldest",
}


def check_list_connections_order(value: str) -> ListConnectionsOrder:
    if value in LIST_CONNECTIONS_ORDER_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {LIST_CONNECTIONS_ORDER_VALUES!r}"
    )
