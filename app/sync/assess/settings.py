"""Changing what a firm chose: checked against its own catalog, stored, audited, and a re-derivation asked for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.db.accounts import audit, settings
from app.db.accounts.audit import Actor, Deed
from app.db.accounts.settings import StoredSettings
from app.db.mirror import catalog
from app.db.runs import runs
from app.db.runs.runs import Kind, Trigger, Wish
from app.db.session import Session
from app.errors import InvalidRequest
from app.rules import settings_check
from app.rules.settings import Settings
from app.sync.services import Services


@dataclass(frozen=True)
class Saved:
    """The settings as they are now, and the run that judges everybody by them, if any must be."""

    stored: StoredSettings
    run_id: str | None


async def check(session: Session, account_id: str, new: Settings, before: Settings) -> None:
    """Raise Invalid where a setting names a custom field that cannot be chosen [CF-1, EN-3]."""
    fields = await catalog.custom_fields(session, account_id)
    mistakes = settings_check.invalid_references(new, before, fields)
    if mistakes:
        raise InvalidRequest(errors=mistakes)


async def change(
    services: Services, session: Session, account_id: str, new: Settings, actor: Actor
) -> Saved:
    """Make the next version, under `lock_current`; settings equal to those that hold make none."""
    before = await settings.current(session, account_id)
    await check(session, account_id, new, before.settings)
    if new == before.settings:
        return Saved(before, None)
    now = services.now()
    stored = StoredSettings(before.version + 1, new, now, actor.user_id)
    await settings.store(session, account_id, stored)
    run_id = None
    if not settings_check.have_same_results(before.settings, new) and await runs.has_initial(
        session, account_id
    ):
        wish = Wish(Kind.REDERIVE, Trigger.SETTINGS)
        run_id = (await runs.ask(session, account_id, wish, now=now)).run_id
    details = {
        "version": {"before": before.version, "after": stored.version},
        "pointers": changed_pointers(before.settings, new),
        "run_id": run_id,
    }
    await audit.record(
        session, account_id, actor, Deed("settings.changed", details=details), now=now
    )
    return Saved(stored, run_id)


def changed_pointers(before: Settings, after: Settings) -> list[str]:
    """Where two documents differ, as JSON pointers; a list is one place."""
    return list(_differing("", settings.document(before), settings.document(after)))


def _differing(pointer: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in before:
        old, new = before[name], after[name]
        if isinstance(old, dict):
            yield from _differing(f"{pointer}/{name}", old, new)
        elif old != new:
            yield f"{pointer}/{name}"
