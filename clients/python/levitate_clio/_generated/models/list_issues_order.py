from typing import Literal

ListIssuesOrder = Literal["newest", "oldest"]

LIST_ISSUES_ORDER_VALUES: set[ListIssuesOrder] = {
    "newest",
    "oldest",
}


def check_list_issues_order(value: str) -> ListIssuesOrder:
    if value in LIST_ISSUES_ORDER_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {LIST_ISSUES_ORDER_VALUES!r}")
