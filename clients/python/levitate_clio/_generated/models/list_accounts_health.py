from typing import Literal

ListAccountsHealth = Literal["degraded", "disabled", "needs_attention", "ok"]

LIST_ACCOUNTS_HEALTH_VALUES: set[ListAccountsHealth] = {
    "degraded",
    "disabled",
    "needs_attention",
    "ok",
}


def check_list_accounts_health(value: str) -> ListAccountsHealth:
    if value in LIST_ACCOUNTS_HEALTH_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {LIST_ACCOUNTS_HEALTH_VALUES!r}")
