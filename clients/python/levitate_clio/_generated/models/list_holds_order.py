from typing import Literal

ListHoldsOrder = Literal["newest", "oldest"]

LIST_HOLDS_ORDER_VALUES: set[ListHoldsOrder] = {
    "newest",
    "oldest",
}


def check_list_holds_order(value: str) -> ListHoldsOrder:
    if value in LIST_HOLDS_ORDER_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {LIST_HOLDS_ORDER_VALUES!r}")
