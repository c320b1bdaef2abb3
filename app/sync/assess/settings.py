"""A change of an account's settings: check it, store and audit it, and request a run that applies it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.db.accounts import audit, looks, settings
from app.db.accounts.audit import Actor, AuditAction
from app.db.accounts.settings import StoredSettings
from app.db.mirror import catalog
from app.db.runs import run_requests, runs
from app.db.runs.run_requests import RunRequest
from app.db.runs.runs import Kind, Trigger
from app.db.session import Session
from app.errors import InvalidRequest
from app.rules import settings_check
from app.rules.settings import Settings
from app.sync.services import Services


@dataclass(frozen=True)
class SavedSettings:
    """The settings that hold now, and the run that assesses all contacts by them, if one is needed."""

    stored: StoredSettings
    run_id: str | None


async def check_settings(
    session: Session, account_id: str, new: Settings, before: Settings
) -> None:
    """Raise InvalidRequest if a setting names a custom field that cannot be used [CF-1, EN-3]."""
    fields = await catalog.load_custom_fields(session, account_id)
    mistakes = settings_check.invalid_references(new, before, fields)
    if mistakes:
        raise InvalidRequest(errors=mistakes)


async def change_settings(
    services: Services,
    session: Session,
    account_id: str,
    new: Settings,
    actor: Actor,
    note: str | None = None,
) -> SavedSettings:
    """Store the next version of the settings and return it; settings equal to the current ones make no version.

    `note` says why, in the author's words; it is in no log. The caller holds the lock of `settings.lock_current`.
    Raises InvalidRequest.
    """
    before = await settings.get_current(session, account_id)
    await check_settings(session, account_id, new, before.settings)
    if new == before.settings:
        return SavedSettings(before, None)
    now = services.now()
    stored = StoredSettings(before.version + 1, new, now, actor.user_id, note)
    await settings.store_version(session, account_id, stored)
    await looks.look_now(session, looks.Task.OUTBOX, account_id, now=now)  # another may write now
    run_id = None
    if not settings_check.have_same_results(before.settings, new) and await runs.has_initial(
        session, account_id
    ):
        request = RunRequest(Kind.REDERIVE, Trigger.SETTINGS)
        run_id = (await run_requests.request_run(session, account_id, request, now=now)).run_id
    details = {
        "version": {"before": before.version, "after": stored.version},
        "pointers": changed_pointers(before.settings, new),
        "run_id": run_id,
    }
    await audit.record(
        session, account_id, actor, AuditAction("settings.changed", details=details), now=now
    )
    return SavedSettings(stored, run_id)


def changed_pointers(before: Settings, after: Settings) -> list[str]:
    """Return the JSON pointers at which two documents differ; a list counts as one value."""
    return list(_differing("", settings.to_document(before), settings.to_document(after)))


def _differing(pointer: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in before:
        old, new = before[name], after[name]
        if isinstance(old, dict):
            yield from _differing(f"{pointer}/{name}", old, new)
        elif old != new:
            yield f"{pointer}/{name}"
