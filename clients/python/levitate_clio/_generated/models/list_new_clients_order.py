from typing import Literal

ListNewClientsOrder = Literal["newest", "oldest"]

LIST_NEW_CLIENTS_ORDER_VALUES: set[ListNewClientsOrder] = {
    "newest",
    "oldest",
}


def check_list_new_clients_order(value: str) -> ListNewClientsOrder:
    if value in LIST_NEW_CLIENTS_ORDER_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {LIST_NEW_CLIENTS_ORDER_VALUES!r}"
    )
