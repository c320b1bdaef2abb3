from typing import Literal

ListAccountsOrder = Literal["health", "last_success", "name", "newest", "oldest"]

LIST_ACCOUNTS_ORDER_VALUES: set[ListAccountsOrder] = {
    "health",
    "last_success",
    "name",
    "newest",
    "oldest",
}


def check_list_accounts_order(value: str) -> ListAccountsOrder:
    if value in LIST_ACCOUNTS_ORDER_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {LIST_ACCOUNTS_ORDER_VALUES!r}")
