from typing import Literal

ListActivitiesOrder = Literal["newest", "oldest"]

LIST_ACTIVITIES_ORDER_VALUES: set[ListActivitiesOrder] = {
    "newest",
    "oldest",
}


def check_list_activities_order(value: str) -> ListActivitiesOrder:
    if value in LIST_ACTIVITIES_ORDER_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {LIST_ACTIVITIES_ORDER_VALUES!r}")
