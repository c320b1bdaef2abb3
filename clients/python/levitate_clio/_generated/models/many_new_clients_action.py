from typing import Literal

ManyNewClientsAction = Literal["release", "suppress"]

MANY_NEW_CLIENTS_ACTION_VALUES: set[ManyNewClientsAction] = {
    "release",
    "suppress",
}


def check_many_new_clients_action(value: str) -> ManyNewClientsAction:
    if value in MANY_NEW_CLIENTS_ACTION_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {MANY_NEW_CLIENTS_ACTION_VALUES!r}"
    )
