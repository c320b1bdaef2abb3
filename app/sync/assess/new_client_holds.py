"""Holds of new clients: what waits for a person's decision, with one issue for each hold [NC-2, NC-6, NC-7, row 45].

Each hold has new clients that one run found. A surge is added at the end of the run (`surges.py`). The clients of the
first sync and possible duplicates wait in their rows from the start, and `hold_waiting_clients` adds them when all
contacts are assessed.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from app.clio.call_budget import CallBudget
from app.db import issues
from app.db.contacts import announcements, holds, new_client_holds, new_clients
from app.db.contacts.holds import HoldKind
from app.db.contacts.new_client_holds import Summary
from app.db.contacts.new_clients import NewClient
from app.db.issues import Finding, Subject
from app.db.runs.leases import Lease, fenced_transaction
from app.db.session import Session
from app.rules.new_clients import HeldFor
from app.sync.assess import hold_issues
from app.sync.assess.hold_issues import NEW_CLIENT_SURGE, NEW_CLIENTS_HELD
from app.sync.batches import do_in_batches
from app.sync.services import Services

_GATHERED = (HeldFor.SETTING, HeldFor.DUPLICATE)
ROWS_PER_TRANSACTION = 500

_REASONS = {
    HeldFor.SETTING: "of the first sync, whom the settings hold",
    HeldFor.DUPLICATE: "who have the address of another client, whom the settings hold",
}


async def hold_waiting_clients(services: Services, lease: Lease, budget: CallBudget) -> None:
    """Put the new clients that wait for a person into holds, also those whom an earlier run left [row 45].

    Raises Paused between two steps when the slice is over, Stopping and RunTakenOver.
    """
    account_id, now = lease.account_id, services.now
    for held_for in _GATHERED:
        gather = partial(_gather, account_id, held_for, now())
        await do_in_batches(services, lease, budget, f"held/{held_for}", gather)
    async with fenced_transaction(services.database, lease) as session:
        found = await new_client_holds.list_open(session, account_id)
        await report(session, account_id, found, now=now())


async def _gather(
    account_id: str, held_for: HeldFor, now: datetime, session: Session, after: int
) -> int | None:
    """Add the next rows that wait for this reason to the holds of their runs, if they are in none.

    Return the Clio id after which to go on, None after the last ones.
    """
    page = await new_client_holds.list_unheld(
        session, account_id, held_for, after=after, limit=ROWS_PER_TRANSACTION
    )
    waiting = await new_clients.lock_waiting(session, account_id, page.clio_ids)
    await hold_rows(session, account_id, waiting, now=now)
    return page.last


async def hold_rows(
    session: Session, account_id: str, rows: Sequence[NewClient], *, now: datetime
) -> list[str]:
    """Add locked rows to the open holds of their runs; return the holds' ids."""
    by_run: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        by_run[row.run_id].append(row.clio_id)
    return [
        await new_client_holds.add_new_clients(session, account_id, run_id, clio_ids, now=now)
        for run_id, clio_ids in sorted(by_run.items())
    ]


async def report(
    session: Session, account_id: str, hold_ids: Sequence[str], *, now: datetime
) -> None:
    """Open or update the issue of each of these open holds; a surge has an issue of its own code."""
    summaries = await new_client_holds.summarize(session, account_id, hold_ids)
    for hold_id, summary in summaries.items():
        subject = Subject("hold", hold_id)
        if summary.by_held_for[HeldFor.SURGE]:
            await issues.resolve_issues(session, account_id, NEW_CLIENTS_HELD, subject, now=now)
            continue
        await issues.resolve_issues(session, account_id, NEW_CLIENT_SURGE, subject, now=now)
        finding = Finding(NEW_CLIENTS_HELD, _text(summary), subject)
        await issues.open_issue(session, account_id, finding, now=now)


def _text(summary: Summary) -> str:
    """Return how many wait, why, and what to do."""
    reasons = [
        f"{count} {why}"
        for held_for, why in _REASONS.items()
        if (count := summary.by_held_for[held_for])
    ]
    return (
        f"{summary.count} new clients wait: {', '.join(reasons)}. None of them is announced until somebody releases"
        " or discards this hold, for all or for some of them"
    )


async def release(
    session: Session, account_id: str, rows: Sequence[NewClient], *, now: datetime
) -> None:
    """Announce locked rows that a hold has."""
    await announcements.announce(session, account_id, rows, now=now)


async def discard(
    session: Session, account_id: str, rows: Sequence[NewClient], *, now: datetime
) -> None:
    """Suppress locked rows that a hold has: they are never announced."""
    await new_clients.suppress(session, account_id, [row.clio_id for row in rows])


async def stop_waiting(
    session: Session, account_id: str, clio_ids: Sequence[int], *, now: datetime
) -> None:
    """Remove decided rows from their holds; delete a hold that is empty now, and resolve its issue."""
    left = await hold_issues.stop_waiting(
        session, account_id, HoldKind.NEW_CLIENTS, clio_ids, now=now
    )
    still_open = [one for one in left if await holds.is_open(session, account_id, one)]
    await report(session, account_id, still_open, now=now)
