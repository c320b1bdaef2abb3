from typing import Literal

ListNewClientsOrigin = Literal["incremental", "initial_sync", "manual", "settings", "visibility"]

LIST_NEW_CLIENTS_ORIGIN_VALUES: set[ListNewClientsOrigin] = {
    "incremental",
    "initial_sync",
    "manual",
    "settings",
    "visibility",
}


def check_list_new_clients_origin(value: str) -> ListNewClientsOrigin:
    if value in LIST_NEW_CLIENTS_ORIGIN_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {LIST_NEW_CLIENTS_ORIGIN_VALUES!r}"
    )
