"""One run of one account, from lease to closed row; the table from failure to outcome.

The only place that turns a failure into an outcome: `interrupted` goes on by itself, `failed` does not, and its
problems say who must act [row 35].
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from app.clio.errors import ClioError, ClioRetryLater
from app.db.accounts import settings
from app.db.connections import connections
from app.db.connections.connections import Problem
from app.db.mirror import catalog, records
from app.db.runs import checkpoints, leases, listed_ids, runs
from app.db.runs.leases import Lease
from app.db.runs.runs import Kind, Run, Status
from app.db.session import Session, transaction
from app.errors import AppError, DatabaseUnavailable, Fenced
from app.rules import settings_check
from app.sync import issues
from app.sync.assess import new_clients
from app.sync.assess.assess import assess_stale
from app.sync.concurrency import Stopping, during
from app.sync.pull.all_connections import Problems, read_clio, read_contact
from app.sync.services import Services

BUSY = timedelta(seconds=1)  # how soon to look again while another run or worker is at the account
MISSING_FIELD = "setting_refers_to_missing_field"

log = structlog.get_logger(__name__)


class KeepsCrashing(AppError):
    """The run ended its worker again and again."""

    code = "run_keeps_crashing"
    title = "The run ended its worker again and again without getting on"


@dataclass(frozen=True)
class Outcome:
    """How a run ended, or was laid down: then `again` says how soon to take it up."""

    status: Status
    problems: Problems
    again: timedelta | None = None  # set exactly when the run was laid down


async def run(services: Services, account_id: str, run_id: str) -> timedelta | None:
    """Work on a run until it ends or must wait; answers after how long to try again, None when it has ended."""
    async with transaction(services.database) as session:
        lease = await leases.acquire(
            session, account_id, run_id, length=services.timing.lease, now=services.now()
        )
        if lease is not None:
            await settings.begin_run(session, account_id, run_id)
        found = await runs.find_run(session, account_id, run_id)
    if found is None:  # the account was erased
        return None
    if lease is None:
        return BUSY if found.status in runs.UNFINISHED else None
    structlog.contextvars.bind_contextvars(account_id=account_id, run_id=run_id)
    log.info("run_started", kind=found.kind, fence=lease.fence)
    try:
        outcome = await _outcome(services, lease, found)
        await _close(services, lease, outcome)
    except Fenced:
        log.warning("run_taken_over", fence=lease.fence)
        return None
    log.info("run_ended", kind=found.kind, status=outcome.status)
    return outcome.again


async def _outcome(services: Services, lease: Lease, found: Run) -> Outcome:
    """Do the work; every failure but the loss of lease or database becomes an outcome."""
    problems: Problems = []
    try:
        await _check_crashes(services, lease)
        await during(_work(services, lease, found, problems), _keep(services, lease))
    except (Fenced, DatabaseUnavailable):
        raise
    except Exception as error:  # noqa: BLE001  # the one place that turns failures into outcomes
        return _failure(error, problems)
    if problems and all(problem["code"] == "needs_reconnect" for problem in problems):
        return await _unless_one_works(services, found, problems)
    return Outcome(Status.SUCCEEDED, problems)


def _failure(error: Exception, problems: Problems) -> Outcome:
    """The table from failure to outcome."""
    match error:
        case Stopping():
            return Outcome(Status.INTERRUPTED, problems, again=timedelta(0))
        case ClioRetryLater():
            row = runs.problem_row(Problem(error.code, str(error)), None)
            return Outcome(Status.INTERRUPTED, [*problems, row], again=error.after)
        case ClioError() | KeepsCrashing():
            problem = Problem(error.code, str(error))
        case _:  # a fault of ours: said plainly, and nothing stays "running"
            log.error("run_broke", exc_info=error)
            problem = Problem(
                "internal_error", "The run met a fault in this service; it was logged"
            )
    return Outcome(Status.FAILED, [*problems, runs.problem_row(problem, None)])


async def _check_crashes(services: Services, lease: Lease) -> None:
    """A run that ends its worker again and again without moving is given up [I8]."""
    async with transaction(services.database) as session:
        crashes = await leases.crashes_without_progress(session, lease)
    if crashes >= leases.STARTS_WITHOUT_PROGRESS:
        raise KeepsCrashing


async def _work(services: Services, lease: Lease, found: Run, problems: Problems) -> None:
    if found.kind is Kind.REDERIVE:
        await _mark_all_stale(services, lease)
    elif found.kind is Kind.CONTACT:
        await read_contact(services, lease, found, problems)
    else:
        await read_clio(services, lease, found, problems)
    async with transaction(services.database) as session:
        torn = await runs.is_torn(session, lease.account_id)
    if found.kind in (Kind.REDERIVE, Kind.CONTACT) and torn:
        text = "The last pull was cut short; what changed takes effect when the next has come to its end"
        problems.append(runs.problem_row(Problem("waiting_for_pull", text), None))
        return
    problems += await _missing_fields(services, found)
    await assess_stale(services, lease, found)


async def _missing_fields(services: Services, found: Run) -> Problems:
    """Settings that refer to custom fields which are no longer there: reported, never a failure [EN-3]."""
    async with transaction(services.database) as session:
        chosen = await settings.at_version(session, found.account_id, found.settings_version)
        fields = await catalog.custom_fields(session, found.account_id)
    return [
        runs.problem_row(
            Problem(
                MISSING_FIELD,
                f"The setting {reference.pointer} refers to the custom field {reference.field_id},"
                " which is no longer there or no longer usable; choose another or take it out",
            ),
            None,
        )
        for reference in settings_check.gone(chosen, fields)
    ]


async def _mark_all_stale(services: Services, lease: Lease) -> None:
    """A rederive run begins by doubting everybody; taken up again, it goes on where it was."""
    async with transaction(services.database) as session:
        await leases.hold(session, lease)
        if (await runs.get_run(session, lease.account_id, lease.run_id)).phase is None:
            await records.mark_all_stale(session, lease.account_id)


async def _close(services: Services, lease: Lease, outcome: Outcome) -> None:
    """Close the run's row; only a run that succeeded moves the checkpoints, in the same transaction."""
    async with transaction(services.database) as session:
        await leases.close(
            session, lease, outcome.status, problems=outcome.problems, now=services.now()
        )
        if outcome.status is Status.SUCCEEDED:
            await checkpoints.move_checkpoints(session, lease)
        if outcome.again is None:
            await _ended(session, lease, outcome, now=services.now())


async def _ended(session: Session, lease: Lease, outcome: Outcome, *, now: datetime) -> None:
    """Whatever the run remembered for itself is forgotten; what it came to is told."""
    account_id = lease.account_id
    await listed_ids.forget_pages(session, account_id, lease.run_id)
    if outcome.status is Status.FAILED:
        await issues.note_failed(session, account_id, outcome.problems, now=now)
    else:
        await issues.note_firm(session, account_id, now=now)
    await new_clients.run_ended(
        session, await runs.get_run(session, account_id, lease.run_id), now=now
    )


async def _keep(services: Services, lease: Lease) -> None:
    """Prolong the lease while the work goes on, also through long waits; losing it ends the work."""
    while True:
        await asyncio.sleep(services.timing.lease.total_seconds() / 3)
        async with transaction(services.database) as session:
            await leases.hold(session, lease)


async def _unless_one_works(services: Services, found: Run, problems: Problems) -> Outcome:
    """Logins are to be renewed: no failure while one works. One that came since the run found none is read now."""
    async with transaction(services.database) as session:
        working = await connections.connected(session, found.account_id)
    if not working:
        return Outcome(Status.FAILED, problems)
    found_none = any(problem["connection_id"] is None for problem in problems)
    if found_none and found.connection_id is None:
        return Outcome(Status.INTERRUPTED, [], again=timedelta(0))
    return Outcome(Status.SUCCEEDED, problems)
