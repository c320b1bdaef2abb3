from typing import Literal

ListRunsOrder = Literal["newest", "oldest"]

LIST_RUNS_ORDER_VALUES: set[ListRunsOrder] = {
    "newest",
    "oldest",
}


def check_list_runs_order(value: str) -> ListRunsOrder:
    if value in LIST_RUNS_ORDER_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {LIST_RUNS_ORDER_VALUES!r}")
