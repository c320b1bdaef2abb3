from typing import Literal

ListActivitiesStatus = Literal[
    "blocked", "cancelled", "failed", "queued", "sending", "skipped", "written"
]

LIST_ACTIVITIES_STATUS_VALUES: set[ListActivitiesStatus] = {
    "blocked",
    "cancelled",
    "failed",
    "queued",
    "sending",
    "skipped",
    "written",
}


def check_list_activities_status(value: str) -> ListActivitiesStatus:
    if value in LIST_ACTIVITIES_STATUS_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {LIST_ACTIVITIES_STATUS_VALUES!r}"
    )
