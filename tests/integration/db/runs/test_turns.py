"""Turns of runs: two transactions that meet do not wait for each other in a circle, and no run lacks a job.

One transaction interrupts another one after each of its statements. `INTERRUPTED_SHARE` says after which part of them,
by default every third: the nine others begin at different ones, so each statement is followed by some of them. With 1,
as `make nightly` sets it, all of them follow each statement.
"""

import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import asyncpg
import pytest
from fastapi import Response
from sqlalchemy import text

from app.api.account_changes import AccountChange, put_account
from app.api.schemas import AccountIn
from app.db import lost_work
from app.db.accounts import accounts
from app.db.accounts.audit import Actor
from app.db.accounts.receipts import ErasureInProgress
from app.db.contacts import change_feed
from app.db.contacts.change_feed import FeedLine
from app.db.job_queue import FIRST_SLICE, OwnJob
from app.db.json_codec import json_text
from app.db.runs import run_requests, runs, turns
from app.db.runs.leases import Lease, fenced_transaction
from app.db.runs.run_requests import RunRequest
from app.db.runs.runs import Kind, Run, Status, Trigger
from app.db.session import Database
from app.errors import RunTakenOver
from app.lanes import Lane
from app.main import now
from app.sync import run as run_module
from app.sync.account_erasure import start_account_erasure
from app.sync.run import Outcome
from app.sync.services import Services
from app.sync.slices import Ending, end_slice
from tests.integration.db.contacts.test_change_feed import make_account
from tests.support.interleaving import interrupt, steps_of
from tests.support.sessions import as_owner
from tests.support.slices import pick

SERVICES = cast(Services, SimpleNamespace(now=now))
ACTOR = Actor("success_manager", None)
MINUTE = timedelta(minutes=1)
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Scene:
    """An account with a run at work, a run of webhooks that is delayed behind it, and the jobs of both at work."""

    database: Database
    account_id: str
    lease: Lease
    delayed: Run
    own: OwnJob
    other: OwnJob


async def scene(database: Database) -> Scene:
    account_id = f"a{next(_numbers)}"
    await make_account(database, account_id)
    async with as_owner(database) as session:
        request = partial(run_requests.request_run, session, account_id, now=now())
        await request(RunRequest(Kind.FULL, Trigger.MANUAL))
        lane = Lane.INITIAL  # it is the first run that reads the firm
        lease = await turns.take_turn(session, account_id, lane, length=MINUTE, now=now())
        assert lease is not None
        nudge = RunRequest(Kind.FULL, Trigger.WEBHOOK, after=timedelta(seconds=45))
        delayed = await request(nudge)
        assert lease.run_id != delayed.run_id
    own = await pick(database, Lane.INITIAL, account_id)
    other = await pick(database, Lane.RECONCILE, account_id)
    return Scene(database, account_id, lease, delayed, own, other)


async def assess_batch(given: Scene) -> None:
    """Publish a change, as a batch of the run does."""
    try:
        async with fenced_transaction(given.database, given.lease) as session:
            await change_feed.append(session, given.account_id, [FeedLine("con_1", json_text({}))])
    except RunTakenOver:
        pass  # it was cancelled, or has ended


async def end_of_slice(given: Scene, status: Status) -> None:
    """End the slice of the run at work."""
    async with as_owner(given.database) as session:
        run = await runs.get_run(session, given.account_id, given.lease.run_id)
    outcome = Outcome(status, [])
    end = partial(run_module._end, SERVICES, Lane.INITIAL, given.lease, run, outcome)
    lock = partial(turns.lock_turns, account_id=given.account_id, of_run=run.run_id)
    ending = Ending(given.account_id, end, lock)
    await end_slice(given.database, Lane.INITIAL, given.account_id, given.own, ending)


async def end_of_blocked_slice(given: Scene) -> None:
    """End the slice of another lane, whose run must wait."""
    async with as_owner(given.database) as session:
        taken = await turns.take_turn(
            session, given.account_id, Lane.RECONCILE, length=MINUTE, now=now()
        )
    if taken is not None:
        return  # its run could begin: the job stays with its worker
    end = partial(run_module._what_is_left, SERVICES, Lane.RECONCILE, given.account_id)
    ending = Ending(given.account_id, end, partial(turns.lock_turns, account_id=given.account_id))
    await end_slice(given.database, Lane.RECONCILE, given.account_id, given.other, ending)


async def request(given: Scene) -> None:
    async with as_owner(given.database) as session:
        asked = RunRequest(Kind.INCREMENTAL, Trigger.MANUAL)
        await run_requests.request_run(session, given.account_id, asked, now=now())


async def start_slot(given: Scene) -> None:
    async with as_owner(given.database) as session:
        await accounts.lock_account(session, given.account_id)
        await run_requests.serve_slot(
            session, given.account_id, Kind.FULL, "2026-03-02 06:00", now=now()
        )


async def cancel(given: Scene, *, delayed: bool) -> None:
    run_id = given.delayed.run_id if delayed else given.lease.run_id
    try:
        async with as_owner(given.database) as session:
            await turns.cancel_run(session, given.account_id, run_id, now=now())
    except runs.RunEnded:
        pass


async def disable(given: Scene) -> None:
    """Disable the account, as `PUT /v1/accounts/{id}` does."""
    body = AccountIn(name="Firm", time_zone="UTC", country="US", enabled=False)
    with suppress(ErasureInProgress):
        async with as_owner(given.database) as session:
            change = AccountChange(session, given.account_id, ACTOR, now())
            await put_account(body, change, Response())


async def erase(given: Scene) -> None:
    services = cast(Services, SimpleNamespace(now=now, database=given.database))
    await start_account_erasure(services, given.account_id, actor=ACTOR)


SIDES: dict[str, Callable[[Scene], Awaitable[None]]] = {
    "batch": assess_batch,
    "pause": lambda given: end_of_slice(given, Status.RUNNING),
    "end": lambda given: end_of_slice(given, Status.SUCCEEDED),
    "blocked": end_of_blocked_slice,
    "request": request,
    "slot": start_slot,
    "cancel": lambda given: cancel(given, delayed=False),
    "disable": disable,
    "erase": erase,
    "cancel_waiting": lambda given: cancel(given, delayed=True),
}
OF_ONE_WORKER = {"batch", "pause", "end"}  # it does them one after another
OTHERS_OF_END = ["blocked", "request", "cancel", "erase"]  # it has many statements
SHARE = int(os.environ.get("INTERRUPTED_SHARE", "3"))  # noqa: TID251  # size of a test, not configuration


@pytest.fixture
async def looker(dsn: str, database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A connection that sees who waits for a lock; each statement is a step."""
    steps_of(database)
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


@pytest.mark.parametrize("first", SIDES)
async def test_two_transactions_of_an_account_s_runs_can_meet_anywhere(
    database: Database, looker: asyncpg.Connection, first: str
):
    others = OTHERS_OF_END if first == "end" else SIDES
    seconds = [one for one in others if one != first and not {first, one} <= OF_ONE_WORKER]
    assert len(seconds) >= SHARE
    for nth, second in enumerate(seconds):
        await check_that_they_can_meet(database, looker, first, second, nth % SHARE)


async def check_that_they_can_meet(
    database: Database, looker: asyncpg.Connection, first: str, second: str, after: int
) -> None:
    """Let the second side interrupt the first one after so many statements, and after its share of the later ones."""
    had_more, places = True, 0
    while had_more:
        given = await scene(database)
        sides: list[Any] = [partial(SIDES[name], given) for name in (first, second)]
        had_more = await interrupt(looker, *sides, after=after)
        await check_that_nothing_is_lost(given, (first, second, after))
        after += SHARE
        places += 1
    assert places > 1


async def check_that_nothing_is_lost(given: Scene, where: object) -> None:
    """Check that each lane that could work has a job, whose worker is none of the two that have ended."""
    async with as_owner(given.database) as session:
        found = await lost_work.list_accounts_with_lost_runs(session, now=now(), limit=100)
        assert given.account_id not in found, where
        query = text("select count(*), count(distinct dedupe_key) from pgqueuer")
        row = (await session.execute(query)).one()
    assert row[0] == row[1], where


async def test_a_new_run_keeps_its_place_although_its_account_was_locked(database: Database):
    # It went behind the later slices of all other firms: one of 45 waited for six minutes.
    await make_account(database, "a")
    async with as_owner(database) as session:
        asked = RunRequest(Kind.FULL, Trigger.MANUAL)
        await run_requests.request_run(session, "a", asked, now=now())
    own = await pick(database, Lane.INITIAL, "a")
    services = cast(
        Services, SimpleNamespace(now=now, database=database, timing=SimpleNamespace(lease=MINUTE))
    )
    async with as_owner(database) as session:
        await turns.lock_turns(session, "a")
        ending = await run_module.work_on_runs(Lane.INITIAL, services, "a")
    await end_slice(database, Lane.INITIAL, "a", own, ending)
    async with as_owner(database) as session:
        found = await session.execute(text("select priority, status from pgqueuer"))
    assert [tuple(job) for job in found] == [(FIRST_SLICE, "queued")]
