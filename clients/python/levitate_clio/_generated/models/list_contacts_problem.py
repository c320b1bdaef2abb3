from typing import Literal

ListContactsProblem = Literal["duplicate", "no_email", "quarantined"]

LIST_CONTACTS_PROBLEM_VALUES: set[ListContactsProblem] = {
    "duplicate",
    "no_email",
    "quarantined",
}


def check_list_contacts_problem(value: str) -> ListContactsProblem:
    if value in LIST_CONTACTS_PROBLEM_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {LIST_CONTACTS_PROBLEM_VALUES!r}")
