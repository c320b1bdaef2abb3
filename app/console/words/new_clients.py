"""The new-client automation of a person in words: whether it started, waits, or never starts, and why."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.api import schemas
from app.console.times import Times

WAITS_FOR: Mapping[str, str] = {
    "run": "The sync that found this client has not ended yet.",
    "initial_sync": "The settings say that the clients of the first sync wait for a decision.",
    "surge": "More new clients appeared within a day than the limit of the settings allows, so all of them wait.",
    "possible_duplicate": "This client may be a duplicate of another one, and the settings say that such clients wait.",
    "merge": "This client may have replaced another one in Clio. The next sync asks Clio.",
}
ORIGINS: Mapping[str, str] = {
    "initial_sync": "by the first sync",
    "incremental": "by a later sync",
    "visibility": "because a new login sees more",
    "settings": "because settings, users or a decision changed",
    "manual": "by a person",
}
STATES: Mapping[str, tuple[str, str]] = {
    "emitted": ("ok", "Started"),
    "held": ("wait", "Waits"),
    "suppressed": ("off", "Never starts"),
}


@dataclass(frozen=True)
class AutomationWords:
    """The banner of a person's automation: the kind of state, what is the case, and why."""

    kind: str
    title: str
    text: str


def short(row: schemas.NewClient, times: Times) -> str:
    """Return the state of an automation for a list: `Started Jan 12`."""
    if row.status == "emitted" and row.emitted_at is not None:
        return f"Started {times.stamp(row.emitted_at).text}"
    return "Waits for a decision" if row.status == "held" else "Never starts"


def automation(row: schemas.NewClient | None, waits: str | None, times: Times) -> AutomationWords:
    """Return whether a person's automation started, and why not."""
    if row is None:
        if waits:
            return AutomationWords(
                "wait", "The new-client automation has not started.", f"{waits}."
            )
        return AutomationWords(
            "off",
            "The new-client automation has not started.",
            "It starts when Clio says that this person is a client.",
        )
    found = f"Found {ORIGINS.get(row.origin, 'by a sync')} on {times.day(row.created_at).text}."
    if row.status == "emitted" and row.emitted_at is not None:
        replayed = len(row.event_ids) - 1
        again = f" It was started again {replayed} times." if replayed > 0 else ""
        return AutomationWords(
            "ok",
            f"The new-client automation started {times.moment(row.emitted_at).text}.",
            f"{found}{again}",
        )
    if row.status == "held":
        why = WAITS_FOR.get(row.held_for or "", "A person must decide.")
        return AutomationWords(
            "warn", "The new-client automation has not started.", f"{why} {found}"
        )
    return AutomationWords(
        "off",
        "The new-client automation never starts.",
        f"Somebody or the settings decided so. {found}",
    )
