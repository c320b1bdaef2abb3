from typing import Literal

ListContactsState = Literal["deleted", "in_scope", "out_of_scope"]

LIST_CONTACTS_STATE_VALUES: set[ListContactsState] = {
    "deleted",
    "in_scope",
    "out_of_scope",
}


def check_list_contacts_state(value: str) -> ListContactsState:
    if value in LIST_CONTACTS_STATE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {LIST_CONTACTS_STATE_VALUES!r}")
