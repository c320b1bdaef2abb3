"""New clients at the end of a run: announce those that waited for it, or hold them if they are a surge [NC-7].

What runs announced by themselves in the last 24 hours counts too: an import that arrives slowly is split into many
small runs [row 54].
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import structlog

from app.db import issues
from app.db.contacts import announcements, new_clients, scope_changes
from app.db.contacts.holds import HoldKind
from app.db.contacts.new_clients import NewClient
from app.db.contacts.scope_changes import ScopeChange
from app.db.issues import Finding, Subject
from app.db.session import Session
from app.rules.new_clients import HeldFor, is_surge
from app.rules.settings import NewClientSettings
from app.sync.assess import new_client_holds
from app.sync.assess.hold_issues import NEW_CLIENT_SURGE

log = structlog.get_logger(__name__)


async def announce_or_hold(
    session: Session, account_id: str, chosen: NewClientSettings, *, now: datetime
) -> None:
    """Announce the new clients that waited for the end of a run, or open a hold for a surge [NC-7].

    This includes the rows that an earlier run of the account left when it was ended from outside. Those that wait for
    Clio's answer about another client stay.
    """
    by_run: dict[str, list[NewClient]] = defaultdict(list)
    for row in await new_clients.lock_held(session, account_id, HeldFor.RUN):
        by_run[row.run_id].append(row)
    kind = HoldKind.NEW_CLIENTS
    for _, rows in sorted(by_run.items()):
        before = await scope_changes.count_by_itself(session, account_id, kind, now=now)
        if is_surge(before + len(rows), chosen.surge_threshold):
            await _open_hold(session, account_id, rows, before, now=now)
        else:
            await _announce(session, account_id, rows, now=now)


async def _announce(
    session: Session, account_id: str, rows: Sequence[NewClient], *, now: datetime
) -> None:
    """Announce new clients of one run and count them."""
    await announcements.announce(session, account_id, rows, now=now)
    announced = ScopeChange(announced=len(rows))
    await scope_changes.record(session, account_id, rows[0].run_id, announced, now=now)


async def _open_hold(
    session: Session, account_id: str, rows: Sequence[NewClient], before: int, *, now: datetime
) -> None:
    """Hold a surge, the new clients of one run, and report it as an issue [NC-7]."""
    run_id, clio_ids = rows[0].run_id, [row.clio_id for row in rows]
    log.warning("new_client_surge_held", account_id=account_id, run_id=run_id, count=len(clio_ids))
    await new_clients.set_held_for(session, account_id, clio_ids, HeldFor.SURGE)
    (hold_id,) = await new_client_holds.hold_rows(session, account_id, rows, now=now)
    await new_client_holds.report(session, account_id, [hold_id], now=now)
    earlier = f", after {before} that were announced in the 24 hours before" if before else ""
    text = (
        f"One run found {len(clio_ids)} new clients{earlier}. None of them is announced until somebody"
        " releases or discards this hold"
    )
    finding = Finding(NEW_CLIENT_SURGE, text, Subject("hold", hold_id))
    await issues.open_issue(session, account_id, finding, now=now)
