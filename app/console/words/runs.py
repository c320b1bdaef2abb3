"""Syncs in plain words. A run of the API is a sync for a person."""

from collections.abc import Mapping

from app.api import schemas

KINDS: Mapping[str, str] = {
    "initial": "First sync",
    "incremental": "Sync",
    "full": "Full sync",
    "coverage": "Sync of a new login",
    "rederive": "New evaluation, without Clio",
    "contact": "Look at one person",
}
CAUSES: Mapping[str, str] = {
    "schedule": "by schedule",
    "connect": "because a user connected",
    "manual": "because somebody asked for it",
    "settings": "because the settings changed",
    "users": "because users or attorneys changed",
    "webhook": "because Clio reported a change",
    "upgrade": "because this service was updated",
}
STATES: Mapping[str, tuple[str, str]] = {  # the kind of state, and its word
    "queued": ("wait", "Waiting"),
    "running": ("wait", "Running"),
    "succeeded": ("ok", "Finished"),
    "interrupted": ("warn", "Paused, goes on by itself"),
    "failed": ("bad", "Stopped"),
    "cancelled": ("off", "Ended by a person"),
}


def title(run: schemas.Run) -> str:
    """Return what a sync was: `Sync by schedule`."""
    return f"{KINDS.get(run.kind, 'Sync')} {CAUSES.get(run.trigger, '')}".strip()
