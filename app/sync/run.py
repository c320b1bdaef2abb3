"""One run of one account, from its lease to its closed row.

Only this module turns a failure into an outcome [row 35]: an `interrupted` run continues by itself; a `failed` run does
not, and its problems say who must act.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import partial

import structlog

from app.clio.errors import ClioError, ClioRetryLater
from app.db.accounts import settings
from app.db.connections import connections
from app.db.mirror import catalog, records, staleness
from app.db.runs import (
    checkpoints,
    leases,
    list_failures,
    listed_ids,
    lookups,
    run_logins,
    runs,
)
from app.db.runs.leases import Lease, fenced_transaction
from app.db.runs.runs import Kind, Run, Status
from app.db.session import Session, transaction
from app.errors import AppError, DatabaseUnavailable, Problem, RunTakenOver
from app.rules import settings_check
from app.sync import issues, run_events
from app.sync.assess import assess_stale
from app.sync.concurrency import Stopping, run_while_renewing
from app.sync.pull import Problems, PullPaused, PullPostponed, read_clio, read_contact
from app.sync.services import Services

RETRY_WHEN_BUSY = timedelta(seconds=1)  # while another run or worker is busy with the account
MARKED_AT_ONCE = 5000  # contacts that one transaction marks stale

log = structlog.get_logger(__name__)


class RunKeepsCrashing(AppError):
    """The run ended its worker again and again without progress."""

    code = "run_keeps_crashing"
    title = "The run ended its worker again and again without progress"


class Ready(Enum):
    """The contacts that a run may assess."""

    EVERYBODY = "everybody"
    UNTOUCHED = "untouched"  # those that an unfinished pull has not touched
    NOBODY = "nobody"


@dataclass(frozen=True)
class Outcome:
    """The result of a run. `retry_after` is set exactly when it was interrupted and continues after that time."""

    status: Status
    problems: Problems
    retry_after: timedelta | None = None


async def execute_run(services: Services, account_id: str, run_id: str) -> timedelta | None:
    """Work on a run until it ends or must wait.

    Returns after what time to try again; None when the run has ended. Raises DatabaseUnavailable.
    """
    async with transaction(services.database) as session:
        lease = await leases.acquire(
            session, account_id, run_id, length=services.timing.lease, now=services.now()
        )
        if lease is not None:
            await settings.set_run_version(session, account_id, run_id)
        run = await runs.find_run(session, account_id, run_id)
    if run is None:  # the account was erased
        return None
    if lease is None:
        return RETRY_WHEN_BUSY if run.status in runs.UNFINISHED else None
    structlog.contextvars.bind_contextvars(account_id=account_id, run_id=run_id)
    log.info("run_started", kind=run.kind, fence=lease.fence)
    try:
        outcome = await _outcome(services, lease, run)
        await _close(services, lease, outcome)
    except RunTakenOver:
        log.warning("run_taken_over", fence=lease.fence)
        return None
    log.info("run_ended", kind=run.kind, status=outcome.status)
    return outcome.retry_after


async def _outcome(services: Services, lease: Lease, run: Run) -> Outcome:
    """Do the work. Every failure becomes an outcome, except the loss of the lease or of the database."""
    problems: Problems = []
    try:
        await _check_crashes(services, lease)
        await run_while_renewing(
            _work(services, lease, run, problems),
            partial(_renew_lease, services, lease),
            lease=services.timing.lease,
        )
    except (RunTakenOver, DatabaseUnavailable):
        raise
    except Exception as error:  # noqa: BLE001  # the one place that turns failures into outcomes
        return _failure(error, problems)
    if problems and all(problem["code"] == "needs_reconnect" for problem in problems):
        return await _no_login_worked(services, lease, run, problems)
    return Outcome(Status.SUCCEEDED, problems)


def _failure(error: Exception, problems: Problems) -> Outcome:
    """Return the outcome of a failure."""
    match error:
        case Stopping():
            return Outcome(Status.INTERRUPTED, problems, retry_after=timedelta(0))
        case PullPaused():
            return Outcome(Status.INTERRUPTED, problems, retry_after=error.after)
        case PullPostponed():
            rows = [*problems, *error.problems]
            return Outcome(Status.INTERRUPTED, rows, retry_after=error.after)
        case ClioRetryLater():
            row = runs.problem_row(Problem(error.code, str(error)), None)
            return Outcome(Status.INTERRUPTED, [*problems, row], retry_after=error.after)
        case ClioError() | RunKeepsCrashing():
            problem = Problem(error.code, str(error))
        case _:  # a bug: the run must not stay "running"
            log.error("run_broke", exc_info=error)
            problem = Problem(
                "internal_error", "An error in this service ended the run. It was logged"
            )
    return Outcome(Status.FAILED, [*problems, runs.problem_row(problem, None)])


async def _check_crashes(services: Services, lease: Lease) -> None:
    """Give up a run that ended its worker again and again without progress.

    pgqueuer does not count a job as failed when its worker is killed, so the run's row counts its starts [I8].
    """
    async with fenced_transaction(services.database, lease) as session:
        crashes = await leases.count_crashes(session, lease)
    if crashes >= leases.MAX_STARTS_WITHOUT_PROGRESS:
        raise RunKeepsCrashing


async def _work(services: Services, lease: Lease, run: Run, problems: Problems) -> None:
    """Read what the run's kind asks for, then assess the contacts that changed.

    While the account's last pull is incomplete, the contacts that it has touched are not assessed, because its
    records belong together [row 53].
    """
    if run.kind is Kind.REDERIVE:
        await _mark_all_stale(services, lease)
    elif run.kind is Kind.CONTACT:
        await read_contact(services, lease, run, problems)
    else:
        await read_clio(services, lease, run, problems)
    ready = await _ready(services, lease, run, problems)
    if ready is Ready.NOBODY:
        return
    problems += await _missing_fields(services, lease, run)
    await assess_stale(services, lease, run, touched=ready is Ready.EVERYBODY)


async def _ready(services: Services, lease: Lease, run: Run, problems: Problems) -> Ready:
    """Return whose records are complete, and add to `problems` how many contacts wait for the end of a pull.

    Before the first complete pull nobody's records are.
    """
    if run.kind not in (Kind.REDERIVE, Kind.CONTACT):
        return Ready.EVERYBODY
    async with fenced_transaction(services.database, lease) as session:
        began = await runs.has_complete_pull(session, lease.account_id)
        if began and not await runs.is_incomplete(session, lease.account_id):
            return Ready.EVERYBODY
        stale = await records.count_stale(session, lease.account_id)
    ready = Ready.UNTOUCHED if began and run.kind is Kind.REDERIVE else Ready.NOBODY
    waiting = stale.touched if ready is Ready.UNTOUCHED else stale.total
    if waiting:
        text = f"{waiting} contacts wait: their changes take effect when the next pull is complete"
        problems.append(runs.problem_row(Problem("waiting_for_pull", text), None))
    return ready


async def _missing_fields(services: Services, lease: Lease, run: Run) -> Problems:
    """Return a problem for each setting that refers to a missing custom field; this is no failure [EN-3]."""
    async with fenced_transaction(services.database, lease) as session:
        chosen = await settings.get_version(session, run.account_id, run.settings_version)
        fields = await catalog.load_custom_fields(session, run.account_id)
    return [
        runs.problem_row(Problem(issues.MISSING_FIELD, issues.missing_field_text(reference)), None)
        for reference in settings_check.unusable_references(chosen, fields)
    ]


async def _mark_all_stale(services: Services, lease: Lease) -> None:
    """Mark all contacts stale when a rederive run starts, in batches; a run that continues marks nobody again."""
    async with fenced_transaction(services.database, lease) as session:
        run = await runs.get_run(session, lease.account_id, lease.run_id)
    after: int | None = 0 if run.phase is None else None
    while after is not None:
        async with fenced_transaction(services.database, lease) as session:
            after = await staleness.mark_all_stale(
                session, lease.account_id, after=after, limit=MARKED_AT_ONCE
            )
        if after is not None and services.stopping.is_set():
            raise Stopping


async def _close(services: Services, lease: Lease, outcome: Outcome) -> None:
    """Close the run's row; if the run succeeded, move the checkpoints in the same transaction."""
    async with fenced_transaction(services.database, lease) as session:
        await leases.close_run(
            session, lease, outcome.status, problems=outcome.problems, now=services.now()
        )
        if outcome.status is Status.SUCCEEDED:
            await checkpoints.move_checkpoints(session, lease)
        if outcome.retry_after is None:
            await _after_end(session, lease, outcome, now=services.now())


async def _after_end(session: Session, lease: Lease, outcome: Outcome, *, now: datetime) -> None:
    """Delete what only the run needed; update issues, new clients and events."""
    account_id = lease.account_id
    await listed_ids.delete_pages(session, account_id, lease.run_id)
    await list_failures.delete_failures(session, account_id, lease.run_id)
    await run_logins.delete_logins(session, account_id, lease.run_id)
    await lookups.delete_lookups(session, account_id, lease.run_id)
    if outcome.status is Status.FAILED:
        await issues.open_for_failed_run(session, account_id, outcome.problems, now=now)
    else:
        await issues.update_account(session, account_id, now=now)
    run = await runs.get_run(session, account_id, lease.run_id)
    if outcome.status is Status.SUCCEEDED and run.reads_lists:
        await issues.sync_works(session, account_id, now=now)
    await run_events.record_run_end(session, run, now=now)


async def _renew_lease(services: Services, lease: Lease) -> None:
    """Renew the lease; raise RunTakenOver when another worker has it."""
    async with fenced_transaction(services.database, lease):
        pass


async def _no_login_worked(
    services: Services, lease: Lease, run: Run, problems: Problems
) -> Outcome:
    """Return the outcome of a run whose only problem is logins that must be renewed.

    It failed if no login works now. If one was connected after the run found none, the run continues with it.
    """
    async with fenced_transaction(services.database, lease) as session:
        working = await connections.list_connected(session, run.account_id)
    if not working:
        return Outcome(Status.FAILED, problems)
    found_none = any(problem["connection_id"] is None for problem in problems)
    if found_none and run.connection_id is None:
        return Outcome(Status.INTERRUPTED, [], retry_after=timedelta(0))
    return Outcome(Status.SUCCEEDED, problems)
