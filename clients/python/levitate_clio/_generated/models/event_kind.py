from typing import Literal

EventKind = Literal[
    "activity.failed",
    "activity.written",
    "client.new",
    "connection.connected",
    "connection.needs_reconnect",
    "contacts.changed",
    "issue.opened",
    "issue.resolved",
    "run.finished",
]

EVENT_KIND_VALUES: set[EventKind] = {
    "activity.failed",
    "activity.written",
    "client.new",
    "connection.connected",
    "connection.needs_reconnect",
    "contacts.changed",
    "issue.opened",
    "issue.resolved",
    "run.finished",
}


def check_event_kind(value: str) -> EventKind:
    if value in EVENT_KIND_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {EVENT_KIND_VALUES!r}")
