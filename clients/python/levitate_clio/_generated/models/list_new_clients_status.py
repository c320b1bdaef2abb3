from typing import Literal

ListNewClientsStatus = Literal["emitted", "held", "suppressed"]

LIST_NEW_CLIENTS_STATUS_VALUES: set[ListNewClientsStatus] = {
    "emitted",
    "held",
    "suppressed",
}


def check_list_new_clients_status(value: str) -> ListNewClientsStatus:
    if value in LIST_NEW_CLIENTS_STATUS_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {LIST_NEW_CLIENTS_STATUS_VALUES!r}"
    )
