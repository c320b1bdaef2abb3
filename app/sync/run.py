"""One slice of a run, from its lease to its last transaction.

Only this module turns a failure into an outcome [row 35]: an `interrupted` run continues by itself; a `failed` run does
not, and its problems say who must act.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from functools import partial

import structlog

from app.clio.call_budget import CallBudget
from app.clio.errors import ClioError, ClioRetryLater
from app.db import job_queue
from app.db.accounts import settings, upgrades
from app.db.connections import connections
from app.db.contacts import first_publications
from app.db.mirror import catalog, records
from app.db.runs import checkpoints, leases, runs, turns, work_data
from app.db.runs.leases import Lease, fenced_transaction
from app.db.runs.runs import ASSESSING, Kind, Reads, Run, Status
from app.db.session import Session, transaction
from app.errors import AppError, DatabaseUnavailable, Problem, RunTakenOver
from app.lanes import RUN_LANES, Lane
from app.rules import settings_check
from app.sync import issues, run_events
from app.sync.assess import (
    FirstPullPublisher,
    assess_stale,
    hold_waiting_clients,
    open_or_report_review,
)
from app.sync.concurrency import Paused, Stopping, run_while_renewing
from app.sync.pull import Problems, PullPostponed, read_clio
from app.sync.rederiving import mark_everybody
from app.sync.replacements import decide_replacements
from app.sync.services import Services
from app.sync.slices import Ending

RETRY_WHEN_BUSY = timedelta(seconds=1)  # when another transaction had the account or the run locked

log = structlog.get_logger(__name__)


class RunKeepsCrashing(AppError):
    """The run ended its worker again and again without progress."""

    code = "run_keeps_crashing"
    title = "The run ended its worker again and again without progress"
    next_step = "look for the kernel's out-of-memory killer, and report it"


class Ready(Enum):
    """The contacts that a run may assess."""

    EVERYBODY = "everybody"
    UNCHANGED = "unchanged"  # those that an incomplete pull has not changed
    NOBODY = "nobody"


@dataclass(frozen=True)
class Outcome:
    """The result of a slice: the run has ended, was interrupted by a failure, or is still running.

    If it has not ended, it continues after `retry_after`.
    """

    status: Status
    problems: Problems
    retry_after: timedelta = timedelta(0)


async def work_on_runs(lane: Lane, services: Services, account_id: str) -> Ending:
    """Work on the account's next run of a lane for one slice; return how the slice ends. Raises DatabaseUnavailable."""
    lock = partial(turns.lock_turns, account_id=account_id)
    async with transaction(services.database, account_id) as session:
        lease = await turns.take_turn(
            session, account_id, lane, length=services.timing.lease, now=services.now()
        )
        if lease is None:
            return Ending(account_id, partial(_what_is_left, services, lane, account_id), lock)
        await settings.set_run_version(session, account_id, lease.run_id)
        run = await runs.get_run(session, account_id, lease.run_id)
        if lease.is_first and run.kind is Kind.INITIAL:
            await first_publications.begin_review(
                session, account_id, run.run_id, now=services.now()
            )
    structlog.contextvars.bind_contextvars(account_id=account_id, run_id=run.run_id)
    if lease.is_first:
        log.info("run_started", kind=run.kind)
    outcome = await _outcome(services, lease, run)
    end = partial(_end, services, lane, lease, run, outcome)
    return Ending(account_id, end, partial(lock, of_run=lease.run_id))


async def _what_is_left(
    services: Services, lane: Lane, account_id: str, session: Session
) -> timedelta | None:
    """Return after what time the lane's next run of the account can be worked on, None if there is none.

    One that has not begun is queued here. It would go behind the later slices of all other firms otherwise, only
    because another transaction had its account locked.
    """
    chosen = await turns.next_turn(session, account_id, lane, now=services.now())
    if chosen is None:
        return None
    after = max(chosen.after, RETRY_WHEN_BUSY)
    if not chosen.begun:
        await job_queue.want_later(session, lane, account_id, after=after, is_new=True)
    return after


async def _end(
    services: Services, lane: Lane, lease: Lease, run: Run, outcome: Outcome, session: Session
) -> timedelta | None:
    """Store the outcome of a slice if it still has the lease; wake what waited for it; return what is left."""
    now, account_id = services.now(), lease.account_id
    if not await leases.still_holds(session, lease):
        log.warning("run_taken_over", fence=lease.fence)
    elif outcome.status is Status.RUNNING:
        await _pause(session, lease, outcome, now=now)
    else:
        await _close(session, lease, run, outcome, now=now)
        log.info("run_ended", kind=run.kind, status=outcome.status)
    others = [other for other in RUN_LANES if other is not lane]
    await turns.wake_lanes(session, account_id, others, now=now)
    chosen = await turns.next_turn(session, account_id, lane, now=now)
    return chosen.after if chosen else None


async def _outcome(services: Services, lease: Lease, run: Run) -> Outcome:
    """Do the work of one slice. Every failure becomes an outcome, except the loss of the database."""
    problems: Problems = list(run.problems) if run.phase == ASSESSING else []
    budget = services.open_budget()
    try:
        await _check_crashes(services, lease)
        await run_while_renewing(
            _work(services, lease, run, budget, problems),
            partial(_renew_lease, services, lease),
            lease=services.timing.lease,
        )
        if problems and all(problem["code"] == "needs_reconnect" for problem in problems):
            return await _no_login_worked(services, lease, run, problems)
    except DatabaseUnavailable:
        raise
    except Exception as error:  # noqa: BLE001  # the one place that turns failures into outcomes
        return _failure(error, problems)
    return Outcome(Status.SUCCEEDED, problems)


def _failure(error: Exception, problems: Problems) -> Outcome:
    """Return the outcome of what ended the slice."""
    match error:
        case RunTakenOver() | Stopping():
            return Outcome(Status.RUNNING, problems)
        case Paused():
            is_short = error.after <= job_queue.LONGEST_DELAY
            status = Status.RUNNING if is_short else Status.INTERRUPTED
            return Outcome(status, problems, retry_after=error.after)
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
                "internal_error",
                "An error in this service ended the run. It was logged; report it with the id of the run",
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


async def _work(
    services: Services, lease: Lease, run: Run, budget: CallBudget, problems: Problems
) -> None:
    """Read what the run's kind asks for, assess the contacts that changed, then find out who replaced whom.

    While the account's last pull is incomplete, the contacts that it has changed are not assessed, because its
    records belong together [row 53].
    """
    if run.phase != ASSESSING:
        await _read(services, lease, run, budget, problems)
    ready = await _ready(services, lease, run)
    if run.phase != ASSESSING:
        problems += await _waiting_contacts(services, lease, ready)
        problems += await _missing_fields(services, lease, run)
        async with fenced_transaction(services.database, lease, problems=problems):
            pass  # a slice that continues does not find them again
    if ready is not Ready.NOBODY:
        beside = run.run_id if ready is Ready.UNCHANGED else None
        await assess_stale(services, lease, run, budget, beside=beside)
        if run.reads is not Reads.NOTHING and await decide_replacements(
            services, lease, run, budget
        ):
            again = replace(run, phase=ASSESSING)
            await assess_stale(services, lease, again, budget, beside=beside)
        await hold_waiting_clients(services, lease, budget)


async def _read(
    services: Services, lease: Lease, run: Run, budget: CallBudget, problems: Problems
) -> None:
    """Read Clio; a rederive run marks contacts stale instead, because the rules or their other input changed."""
    if run.reads is not Reads.NOTHING:
        is_first = run.kind is Kind.INITIAL
        publish = FirstPullPublisher(services, lease, run) if is_first else None
        await read_clio(services, lease, run, problems, budget, publish=publish)
        return
    await mark_everybody(services, lease, run, budget)


async def _ready(services: Services, lease: Lease, run: Run) -> Ready:
    """Return whose records are complete. Before the first complete pull nobody's are."""
    if run.reads is Reads.LISTS:
        return Ready.EVERYBODY
    account_id, run_id = lease.account_id, lease.run_id
    async with fenced_transaction(services.database, lease) as session:
        if not await runs.has_complete_pull(session, account_id):
            return Ready.NOBODY
        incomplete = await runs.is_incomplete(session, account_id, beside=run_id)
    return Ready.UNCHANGED if incomplete else Ready.EVERYBODY


async def _waiting_contacts(services: Services, lease: Lease, ready: Ready) -> Problems:
    """Return a problem that says how many contacts wait for the end of a pull, if any do."""
    if ready is Ready.EVERYBODY:
        return []
    async with fenced_transaction(services.database, lease) as session:
        stale = await records.count_stale(session, lease.account_id, lease.run_id)
    waiting = stale.waiting if ready is Ready.UNCHANGED else stale.total
    text = f"{waiting} contacts wait: their changes take effect when the next pull is complete"
    return [runs.problem_row(Problem("waiting_for_pull", text), None)] if waiting else []


async def _missing_fields(services: Services, lease: Lease, run: Run) -> Problems:
    """Return a problem for each setting that refers to a missing custom field; this is no failure [EN-3]."""
    async with fenced_transaction(services.database, lease) as session:
        chosen = await settings.get_version(session, run.account_id, run.settings_version)
        fields = await catalog.load_custom_fields(session, run.account_id)
    return [
        runs.problem_row(Problem(issues.MISSING_FIELD, issues.missing_field_text(reference)), None)
        for reference in settings_check.unusable_references(chosen, fields)
    ]


async def _pause(session: Session, lease: Lease, outcome: Outcome, *, now: datetime) -> None:
    """Let the run continue in its next slice."""
    await leases.pause_run(session, lease, after=outcome.retry_after, now=now)


async def _close(
    session: Session, lease: Lease, run: Run, outcome: Outcome, *, now: datetime
) -> None:
    """Close the run's row, or interrupt it; if it succeeded, move the checkpoints in the same transaction."""
    resume_at = now + outcome.retry_after if outcome.retry_after else None
    await leases.close_run(
        session, lease, outcome.status, problems=outcome.problems, resume_at=resume_at, now=now
    )
    if outcome.status is Status.SUCCEEDED:
        await checkpoints.move_checkpoints(session, lease)
        if run.kind is Kind.REDERIVE:  # it has assessed everybody
            await upgrades.mark_upgraded(session, lease.account_id)
    if outcome.status is not Status.INTERRUPTED:
        await _after_end(session, lease, outcome, now=now)


async def _after_end(session: Session, lease: Lease, outcome: Outcome, *, now: datetime) -> None:
    """Delete what only the run needed; update issues, new clients and events."""
    account_id = lease.account_id
    await work_data.delete_all(session, account_id, lease.run_id)
    if outcome.status is Status.FAILED:
        await issues.open_for_failed_run(session, account_id, outcome.problems, now=now)
    else:
        await issues.update_account(session, account_id, now=now)
    run = await runs.get_run(session, account_id, lease.run_id)
    if outcome.status is Status.SUCCEEDED and run.reads_firm:
        await issues.sync_works(session, account_id, now=now)
    if outcome.status is Status.SUCCEEDED:
        await open_or_report_review(session, account_id, lease.run_id, now=now)
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
        return Outcome(Status.INTERRUPTED, [])
    return Outcome(Status.SUCCEEDED, problems)
