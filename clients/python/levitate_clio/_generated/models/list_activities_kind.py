from typing import Literal

ListActivitiesKind = Literal["email", "handwritten_card", "note", "phone_call", "text_message"]

LIST_ACTIVITIES_KIND_VALUES: set[ListActivitiesKind] = {
    "email",
    "handwritten_card",
    "note",
    "phone_call",
    "text_message",
}


def check_list_activities_kind(value: str) -> ListActivitiesKind:
    if value in LIST_ACTIVITIES_KIND_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {LIST_ACTIVITIES_KIND_VALUES!r}")
