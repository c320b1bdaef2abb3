from typing import Literal

AccountConsoleLinkInRole = Literal["account_admin", "success_manager", "user"]

ACCOUNT_CONSOLE_LINK_IN_ROLE_VALUES: set[AccountConsoleLinkInRole] = {
    "account_admin",
    "success_manager",
    "user",
}


def check_account_console_link_in_role(value: str) -> AccountConsoleLinkInRole:
    if value in ACCOUNT_CONSOLE_LINK_IN_ROLE_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {ACCOUNT_CONSOLE_LINK_IN_ROLE_VALUES!r}"
    )
