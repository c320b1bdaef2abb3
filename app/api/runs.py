"""Runs: request one, cancel one, follow its progress."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.api import idempotency, schemas
from app.api.account_access import AccountDep, AccountWithoutSession, SessionDep
from app.api.acting_user import RequireRole, RoleRequired
from app.api.audience import WriterAudience
from app.api.audit_log import AuditLogDep
from app.api.authentication import CallerDep
from app.api.deps import RunId, ServicesDep
from app.api.idempotency import IdempotencyKey
from app.api.pagination import ListDep
from app.api.problems import problems
from app.db.accounts.accounts import Account
from app.db.accounts.audit import AuditAction
from app.db.accounts.idempotency import SentAnswer
from app.db.contacts import contacts
from app.db.contacts.contacts import ContactNotFound
from app.db.mirror.audience import Audience
from app.db.notifications import key_of
from app.db.runs import checkpoints, followers, listed_ids, run_list, run_requests, runs, turns
from app.db.runs.checkpoints import Pull
from app.db.runs.run_list import RunFilter
from app.db.runs.run_requests import RunRequest
from app.db.runs.runs import Kind, Run, RunEnded, RunNotFound, Trigger
from app.db.session import Session, transaction
from app.shutdown import wait_for_stop
from app.sync.concurrency import comes_first
from app.sync.connections import IntegrationNotEnabled
from app.sync.run_events import record_run_end
from app.sync.services import Services
from app.sync.waits import TooManyWaiting

router = APIRouter(
    prefix="/v1/accounts/{account_id}/runs",
    tags=["runs"],
)

# While its progress is streamed a run is read when it has changed, not more often than LEAST_PAUSE, and after
# LONGEST_PAUSE in any case.
LEAST_PAUSE, LONGEST_PAUSE = 0.5, 5.0  # seconds


@dataclass(frozen=True)
class Asker:
    """Somebody who requests runs of an account, and whose contacts may be named."""

    account: Account
    session: Session
    audience: Audience

    async def run_request(self, body: schemas.RunIn) -> RunRequest:
        """Return the run that a body asks for; raises ContactNotFound."""
        if body.contact_id is None:
            return RunRequest(Kind(body.kind or Kind.INCREMENTAL), Trigger.MANUAL)
        found = await contacts.get_explained(
            self.session, self.account.account_id, body.contact_id, self.audience
        )
        return RunRequest(Kind.CONTACT, Trigger.MANUAL, contact_clio_id=found.contact.clio_id)


async def get_asker(account: AccountDep, session: SessionDep, audience: WriterAudience) -> Asker:
    """Return who requests a run."""
    return Asker(account, session, audience)


@router.post(
    "",
    status_code=202,
    response_model=schemas.Run,
    responses=problems(IntegrationNotEnabled, ContactNotFound, *idempotency.ERRORS),
)
async def create_run(
    body: schemas.RunIn,
    asker: Annotated[Asker, Depends(get_asker)],
    log: AuditLogDep,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Request a run. If a queued or running one already does the same, it is returned; if not, a new one is queued.

    The same key and body get the same answer again, which is older then: read the run at `Location`. If the request
    named a contact that was erased since, they get 410.
    """
    session, account_id, now = asker.session, asker.account.account_id, log.now
    request = idempotency.identify(account_id, "ask_for_run", idempotency_key, body)

    async def create() -> str:
        if not asker.account.fields.enabled:
            raise IntegrationNotEnabled
        run_request = await asker.run_request(body)
        run = await run_requests.request_run(session, account_id, run_request, now=now)
        action = AuditAction("run.requested", run.run_id, {"kind": run_request.kind})
        await log.add(session, action)
        return run.run_id

    async def answer(run_id: str) -> SentAnswer:
        run = await runs.get_run(session, account_id, run_id)
        place = f"/v1/accounts/{account_id}/runs/{run_id}"
        shown = await load_run_body(session, run, now=now)
        return idempotency.sent_answer(202, shown, place, about=about)

    about = [body.contact_id] if body.contact_id else []
    sent = await idempotency.answer_once(session, request, create, answer, now=now)
    return idempotency.response_of(sent)


@router.post(
    "/{run_id}/cancel",
    responses=problems(RunNotFound, RunEnded, RoleRequired),
    dependencies=[RequireRole],
)
async def cancel_run(
    run_id: RunId, account: AccountDep, log: AuditLogDep, session: SessionDep
) -> schemas.Run:
    """End a run now. What it has read is kept, and a later run continues from there."""
    now = log.now
    before = await runs.get_run(session, account.account_id, run_id)
    run = await turns.cancel_run(session, account.account_id, run_id, now=now)
    await listed_ids.delete_pages(session, account.account_id, run_id)
    await record_run_end(session, run, now=now)
    if before.finished_at is None:
        await log.add(session, AuditAction("run.cancelled", run_id))
    return await load_run_body(session, run, now=now)


async def get_filter(
    status: Annotated[
        Literal["queued", "running", "succeeded", "interrupted", "failed", "cancelled"] | None,
        Query(description="Only runs with this status."),
    ] = None,
    kind: Annotated[
        Literal["initial", "incremental", "full", "coverage", "rederive", "contact"] | None,
        Query(description="Only runs of this kind."),
    ] = None,
    trigger: Annotated[
        Literal["schedule", "connect", "manual", "settings", "users", "webhook", "upgrade"] | None,
        Query(description="Only runs with this cause."),
    ] = None,
) -> RunFilter:
    """Return the filter of the list of runs."""
    return RunFilter(status, kind, trigger)


@router.get("")
async def list_runs(
    account: AccountDep,
    services: ServicesDep,
    session: SessionDep,
    asked: ListDep,
    wanted: Annotated[RunFilter, Depends(get_filter)],
) -> schemas.Page[schemas.Run]:
    """Return the account's runs. Their time is `queued_at`."""
    query = asked.by_id("runs", account.account_id, chosen=wanted)
    found = await run_list.list_runs(session, account.account_id, wanted, query.page)
    rows = query.rows(found, key=lambda run: run.run_id)
    pulls = await checkpoints.list_pulls(
        session, account.account_id, [run.run_id for run in rows.items]
    )
    return rows.page(run_body(run, pulls[run.run_id], now=services.now()) for run in rows.items)


@router.get("/{run_id}", responses=problems(RunNotFound))
async def get_run(
    run_id: RunId, account: AccountDep, services: ServicesDep, session: SessionDep
) -> schemas.Run:
    """Return one run with its progress."""
    run = await runs.get_run(session, account.account_id, run_id)
    return await load_run_body(session, run, now=services.now())


async def require_run(run_id: RunId, account: AccountWithoutSession, services: ServicesDep) -> None:
    """Raise RunNotFound before a stream starts: a stream that has started cannot return a problem."""
    async with transaction(services.database, account.account_id) as session:
        await runs.get_run(session, account.account_id, run_id)


async def hold_place(caller: CallerDep, services: ServicesDep) -> AsyncIterator[asyncio.Event]:
    """Hold a place until the stream ends, because each stream reads the database. Raises TooManyWaiting before.

    Yields an event that is set when the token is no longer valid.
    """
    with services.run_readers.place(caller.token_id) as ended:
        yield ended


Ended = Annotated[asyncio.Event, Depends(hold_place)]


@router.get(
    "/{run_id}/events",
    response_class=EventSourceResponse,
    dependencies=[Depends(require_run)],
    responses=problems(RunNotFound, TooManyWaiting),
)
async def follow_run(
    run_id: RunId, account: AccountWithoutSession, services: ServicesDep, ended: Ended
) -> AsyncIterator[ServerSentEvent]:
    """Stream the run's progress as server-sent events named `run`, until the run has ended.

    There is an event when the run has changed, at most two a second.
    A token has at most 50 such streams at once in one process; the next one gets 429. A stream ends within 5 seconds
    after its token was revoked or has expired.
    """
    sent = None
    with services.run_readers.changes(key_of(account.account_id, run_id)) as changed:
        while not ended.is_set():
            changed.clear()
            current, heard = await _read_followed(services, account.account_id, run_id)
            if current != sent:
                yield ServerSentEvent(event="run", data=current)
                sent = current
            if current.finished_at is not None or services.stopping.is_set():
                return
            await wait_for_stop(services.stopping, LEAST_PAUSE)
            if heard:
                woken = (ended.wait(), services.stopping.wait())
                await comes_first(changed.wait(), *woken, seconds=LONGEST_PAUSE)


async def _read_followed(
    services: Services, account_id: str, run_id: str
) -> tuple[schemas.Run, bool]:
    """Return the run as it is, and whether its next change is heard."""
    async with transaction(services.database, account_id) as session:
        heard = await followers.follow(session, account_id, run_id)
        run = await runs.get_run(session, account_id, run_id)
        return await load_run_body(session, run, now=services.now()), heard


async def load_run_body(session: Session, run: Run, *, now: datetime) -> schemas.Run:
    """Return a run as the API shows it, with the pulls that are stored for it."""
    pulls = await checkpoints.list_pulls(session, run.account_id, [run.run_id])
    return run_body(run, pulls[run.run_id], now=now)


def run_body(run: Run, pulls: Sequence[Pull], *, now: datetime) -> schemas.Run:
    """Return a run with these pulls as the API shows it."""
    return schemas.Run(
        id=run.run_id,
        kind=run.kind,
        trigger=run.trigger,
        reads=run.reads,
        status=run.status,
        slot=run.slot,
        settings_version=run.settings_version,
        queued_at=run.queued_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        progress=_progress(run, pulls, now=now),
        counts=_counts(run, pulls),
        clio=schemas.ClioUsage(
            requests=run.usage.requests,
            rate_limited=run.usage.rate_limited,
            waited_seconds=round(run.usage.waited_seconds, 1),
        ),
        problems=[schemas.RunProblem(**problem) for problem in run.problems],
    )


def _counts(run: Run, pulls: Sequence[Pull]) -> schemas.RunCounts:
    pulled = {
        name: sum(pull.records for pull in pulls if pull.resource == name)
        for name in schemas.PulledRecords.model_fields
    }
    return schemas.RunCounts(
        pulled=schemas.PulledRecords(**pulled),
        changed=run.changed,
        quarantined=sum(pull.unreadable for pull in pulls),
        entered=run.entered,
        left=run.left_scope,
        new_clients=run.new_clients,
    )


def _progress(run: Run, pulls: Sequence[Pull], *, now: datetime) -> schemas.Progress:
    """Return how far a run is: the records that have landed and the contacts assessed, of their total [IS-2].

    During the pull the total counts each contact twice: once as a record, once for its assessment.
    """
    done = sum(pull.records for pull in pulls) + run.assessed
    total = _total(run, pulls)
    is_finished = run.status is runs.Status.SUCCEEDED
    eta = run.expected_end and max(0, round((run.expected_end - now).total_seconds()))
    return schemas.Progress(
        phase=run.phase,
        done=done,
        total=done if is_finished else total,
        percent=_percent(done, total, is_finished=is_finished),
        eta_seconds=0 if is_finished else eta,
    )


def _total(run: Run, pulls: Sequence[Pull]) -> int | None:
    lengths = [pull.records if pull.complete else pull.total for pull in pulls]
    if not lengths or None in lengths:
        return None
    records = sum(length or 0 for length in lengths)
    if run.phase == "pulling":
        return records + sum(pull.total or 0 for pull in pulls if pull.resource == "contacts")
    return records + run.to_assess


def _percent(done: int, total: int | None, *, is_finished: bool) -> int | None:
    if is_finished:
        return 100
    return None if not total else min(99, done * 100 // total)
