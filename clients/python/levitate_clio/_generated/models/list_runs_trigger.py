from typing import Literal

ListRunsTrigger = Literal[
    "connect", "manual", "schedule", "settings", "upgrade", "users", "webhook"
]

LIST_RUNS_TRIGGER_VALUES: set[ListRunsTrigger] = {
    "connect",
    "manual",
    "schedule",
    "settings",
    "upgrade",
    "users",
    "webhook",
}


def check_list_runs_trigger(value: str) -> ListRunsTrigger:
    if value in LIST_RUNS_TRIGGER_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {LIST_RUNS_TRIGGER_VALUES!r}")
