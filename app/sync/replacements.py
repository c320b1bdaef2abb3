"""The step of a run that finds out which new clients have taken the place of other ones [S6, row 46].

It comes between assessing and the end of the run. Assessing makes no requests to Clio, so a client who may be another
one under a new Clio id waits. This step asks Clio whether the other one exists, and decides, one client after another.
"""

from datetime import timedelta

import structlog

from app.clio.call_budget import BudgetSpent, CallBudget
from app.clio.errors import ClioError, ClioRateLimited
from app.db.accounts import settings
from app.db.runs.leases import Lease, fenced_transaction
from app.db.runs.runs import Run
from app.sync.assess import Suspected, decide_suspected, next_suspected
from app.sync.concurrency import Paused, check_pause
from app.sync.pull import find_first_gone
from app.sync.services import Services

# While Clio does not answer, a client waits so long for the proof; then it counts as not replaced.
WAIT_AT_MOST = timedelta(days=1)

log = structlog.get_logger(__name__)


async def decide_replacements(
    services: Services, lease: Lease, run: Run, budget: CallBudget
) -> bool:
    """Decide about the clients of the account that wait for Clio's answer; return whether contacts became stale by it.

    Those about whom Clio does not answer wait for the next run that reads Clio. Raises Paused, Stopping and
    RunTakenOver.
    """
    found_gone, after = False, 0
    async with fenced_transaction(services.database, lease) as session:
        version = await settings.get_version(session, run.account_id, run.settings_version)
    while True:
        async with fenced_transaction(services.database, lease) as session:
            one = await next_suspected(session, lease.account_id, after=after)
        if one is None:
            return found_gone
        after = one.row.clio_id
        try:
            gone = await _ask(services, lease, run, budget, one)
        except ClioError as error:
            log.warning("replacement_not_proven", reason=error.code)
            if services.now() - one.row.created_at < WAIT_AT_MOST:
                continue
            gone = None
        async with fenced_transaction(services.database, lease) as session:
            await decide_suspected(
                session, run, one, gone, chosen=version.new_client, now=services.now()
            )
        found_gone |= gone is not None
        check_pause(services.stopping, budget)


async def _ask(
    services: Services, lease: Lease, run: Run, budget: CallBudget, one: Suspected
) -> int | None:
    """Return which of the suspects is gone; raise Paused where the run must wait for a later slice."""
    ids = [suspect.clio_id for suspect in one.suspects]
    try:
        return await find_first_gone(services, lease, run, budget, ids) if ids else None
    except ClioRateLimited as limited:
        raise Paused(limited.after) from limited
    except BudgetSpent as spent:
        if isinstance(spent.failure, ClioError) and not isinstance(spent.failure, ClioRateLimited):
            raise spent.failure from spent
        raise Paused from spent
