"""Runs: ask for one, see how it goes."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.api import cursors, schemas
from app.api.deps import AccountDep, Cursor, Limit, OurId, ServicesDep, SessionDep
from app.api.problems import problems
from app.db.accounts import idempotency
from app.db.accounts.idempotency import IdempotencyKeyReused, IdempotentRequest, RequestInProgress
from app.db.contacts import contacts
from app.db.contacts.contacts import ContactNotFound
from app.db.runs import checkpoints, leases, listed_ids, runs
from app.db.runs.checkpoints import Pull
from app.db.runs.runs import Kind, Run, RunEnded, RunNotFound, RunRequest, Trigger
from app.db.session import Session, transaction
from app.errors import AppError
from app.sync.connections import IntegrationNotEnabled
from app.sync.run_events import record_run_end
from app.sync.services import Services

router = APIRouter(
    prefix="/v1/accounts/{account_id}/runs",
    tags=["runs"],
)

LOOK_AGAIN = 0.5  # seconds between two looks at a run whose progress somebody follows

IdempotencyKey = Annotated[
    str | None,
    Header(max_length=255, description="Any string of yours that is new for each new request"),
]


class IdempotencyKeyRequired(AppError):
    """A request that starts something must say which request it is."""

    status = 400
    code = "idempotency_key_required"
    title = "Send an Idempotency-Key header: any string of yours that is new for each new request"


@router.post(
    "",
    status_code=202,
    responses=problems(
        *(IdempotencyKeyRequired, IntegrationNotEnabled, IdempotencyKeyReused),
        *(RequestInProgress, ContactNotFound),
    ),
)
async def ask_for_run(
    body: schemas.RunIn,
    account: AccountDep,
    services: ServicesDep,
    session: SessionDep,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> schemas.Run:
    """Ask for a run. One in flight that covers the wish is the answer; else a new one queues."""
    if not idempotency_key:
        raise IdempotencyKeyRequired
    fingerprint = hashlib.sha256(body.model_dump_json().encode()).hexdigest()
    request = IdempotentRequest(account.account_id, "ask_for_run", idempotency_key, fingerprint)
    run_id = await idempotency.find_response(session, request)
    if run_id is None:
        if not account.fields.enabled:
            raise IntegrationNotEnabled
        wish = await _wish(session, account.account_id, body)
        asked = await runs.request_run(session, account.account_id, wish, now=services.now())
        run_id = asked.run_id
        await idempotency.store_response(session, request, run_id, now=services.now())
    response.headers["Location"] = f"/v1/accounts/{account.account_id}/runs/{run_id}"
    run = await runs.get_run(session, account.account_id, run_id)
    found = await checkpoints.list_pulls(session, account.account_id, [run_id])
    return run_out(run, found[run_id], now=services.now())


async def _wish(session: Session, account_id: str, body: schemas.RunIn) -> RunRequest:
    if body.contact_id is None:
        return RunRequest(Kind(body.kind), Trigger.MANUAL)
    found = await contacts.get_explained(session, account_id, body.contact_id)
    return RunRequest(Kind.CONTACT, Trigger.MANUAL, contact_clio_id=found.contact.clio_id)


@router.post("/{run_id}/cancel", responses=problems(RunNotFound, RunEnded))
async def cancel_run(
    run_id: OurId, account: AccountDep, services: ServicesDep, session: SessionDep
) -> schemas.Run:
    """End a run now. What it has read stays; a later run goes on from there."""
    run = await leases.cancel_run(session, account.account_id, run_id, now=services.now())
    await listed_ids.delete_pages(session, account.account_id, run_id)
    await record_run_end(session, run, now=services.now())
    found = await checkpoints.list_pulls(session, account.account_id, [run_id])
    return run_out(run, found[run_id], now=services.now())


@router.get("")
async def list_runs(
    account: AccountDep,
    services: ServicesDep,
    session: SessionDep,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> schemas.Page[schemas.Run]:
    """The account's runs, oldest first."""
    asked = ("runs", account.account_id)
    after = cursors.after_id(cursor, *asked)
    found = await runs.list_runs(session, account.account_id, after=after, limit=limit + 1)
    page, more = found[:limit], len(found) > limit
    pulled = await checkpoints.list_pulls(session, account.account_id, [run.run_id for run in page])
    return schemas.Page(
        data=[run_out(run, pulled[run.run_id], now=services.now()) for run in page],
        next_cursor=cursors.encode(page[-1].run_id, *asked) if more else None,
        has_more=more,
    )


@router.get("/{run_id}", responses=problems(RunNotFound))
async def get_run(
    run_id: OurId, account: AccountDep, services: ServicesDep, session: SessionDep
) -> schemas.Run:
    """One run, with its progress."""
    run = await runs.get_run(session, account.account_id, run_id)
    found = await checkpoints.list_pulls(session, account.account_id, [run_id])
    return run_out(run, found[run_id], now=services.now())


async def see_run(run_id: OurId, account: AccountDep, services: ServicesDep) -> None:
    """Raises RunNotFound while the answer can still be a problem: once events flow, it cannot."""
    async with transaction(services.database) as session:
        await runs.get_run(session, account.account_id, run_id)


@router.get(
    "/{run_id}/events",
    response_class=EventSourceResponse,
    dependencies=[Depends(see_run)],
    responses=problems(RunNotFound),
)
async def follow_run(
    run_id: OurId, account: AccountDep, services: ServicesDep
) -> AsyncIterator[ServerSentEvent]:
    """The run's progress as server-sent events named `run`, one for each change, until it has ended."""
    told = None
    while True:
        now = await _look(services, account.account_id, run_id)
        if now != told:
            yield ServerSentEvent(event="run", data=now)
            told = now
        if now.finished_at is not None or services.stopping.is_set():
            return
        await asyncio.sleep(LOOK_AGAIN)


async def _look(services: Services, account_id: str, run_id: str) -> schemas.Run:
    async with transaction(services.database) as session:
        run = await runs.get_run(session, account_id, run_id)
        found = await checkpoints.list_pulls(session, account_id, [run_id])
    return run_out(run, found[run_id], now=services.now())


def run_out(run: Run, known: Sequence[Pull], *, now: datetime) -> schemas.Run:
    """A run in the words of the contract."""
    return schemas.Run(
        id=run.run_id,
        kind=run.kind,
        trigger=run.trigger,
        status=run.status,
        slot=run.slot,
        settings_version=run.settings_version,
        queued_at=run.queued_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        progress=progress(run, known, now=now),
        counts=schemas.Counts(
            pulled=schemas.Pulled(
                **{
                    name: sum(pull.records for pull in known if pull.resource == name)
                    for name in schemas.Pulled.model_fields
                }
            ),
            changed=run.changed,
            quarantined=sum(pull.unreadable for pull in known),
            entered=run.entered,
            left=run.left_scope,
            new_clients=run.new_clients,
        ),
        clio=schemas.ClioUsage(
            requests=run.usage.requests,
            rate_limited=run.usage.rate_limited,
            waited_seconds=round(run.usage.waited_seconds, 1),
        ),
        problems=[schemas.RunProblem(**problem) for problem in run.problems],
    )


def progress(run: Run, known: Sequence[Pull], *, now: datetime) -> schemas.Progress:
    """How far a run is: records landed and contacts assessed, of those there are [IS-2].

    While lists land, the contacts among them stand for the assessments to come.
    """
    done = sum(pull.records for pull in known) + run.assessed
    total = _total(run, known)
    finished = run.status is runs.Status.SUCCEEDED
    eta = run.expected_end and max(0, round((run.expected_end - now).total_seconds()))
    return schemas.Progress(
        phase=run.phase,
        done=done,
        total=done if finished else total,
        percent=_percent(done, total, finished=finished),
        eta_seconds=0 if finished else eta,
    )


def _total(run: Run, known: Sequence[Pull]) -> int | None:
    lengths = [pull.records if pull.complete else pull.total for pull in known]
    if not lengths or None in lengths:
        return None
    landing = sum(length or 0 for length in lengths)
    if run.phase == "pulling":
        to_come = [pull.total or 0 for pull in known if pull.resource == "contacts"]
        return landing + sum(to_come)
    return landing + run.to_assess


def _percent(done: int, total: int | None, *, finished: bool) -> int | None:
    if finished:
        return 100
    return None if not total else min(99, done * 100 // total)
