"""The end of a run: its slot, the decision about its new clients, and the events about it."""

from datetime import datetime

from app.db import cursors
from app.db.accounts import settings
from app.db.events import events
from app.db.events.events import Event, EventKind
from app.db.runs import slots
from app.db.runs.runs import Run
from app.db.session import Session
from app.sync.assess import announce_or_hold


async def record_run_end(session: Session, run: Run, *, now: datetime) -> None:
    """Settle the run's slot, announce or hold the new clients that waited for the run's end, and emit its events.

    Call it in the transaction that ends the run, whatever its status.
    """
    await slots.settle(session, [run.account_id])
    chosen = await settings.get_version(session, run.account_id, run.settings_version)
    await announce_or_hold(session, run.account_id, chosen.new_client, now=now)
    emitted: list[tuple[EventKind, dict[str, object]]] = []
    if run.feed_before is not None:
        cursor = cursors.encode_feed_cursor(run.account_id, run.feed_before)
        emitted.append((EventKind.CONTACTS_CHANGED, {"run_id": run.run_id, "cursor": cursor}))
    ended: dict[str, object] = {"run_id": run.run_id, "kind": run.kind, "status": run.status}
    emitted.append((EventKind.RUN_FINISHED, ended))
    found = [
        Event(events.event_id_of(run.account_id, kind, run.run_id), kind, "runs", data)
        for kind, data in emitted
    ]
    await events.record_events(session, run.account_id, found, now=now)
