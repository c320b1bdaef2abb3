"""The end of a slice: a kill at any statement loses nothing, and an owner that comes too late changes nothing."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from app import main
from app.clio import webhooks
from app.clio.call_budget import CallBudget
from app.clio.oauth import Tokens
from app.db import job_queue
from app.db.accounts.audit import Actor
from app.db.connections import clio_subscriptions, connections, revocations
from app.lanes import DEAUTHORISATION, ERASURE, SUBSCRIPTIONS, Lane, housekeeping_key
from app.sync import account_erasure
from app.sync.account_erasure import start_account_erasure
from app.sync.connections.tokens import seal_tokens
from app.sync.lost_work import queue_due_work
from app.sync.services import Services
from app.sync.slices import end_slice
from tests.e2e.writeback.test_writeback import EMAIL, notes, post
from tests.support.account_copies import copy_account, rows_of
from tests.support.harlow_pike import clio
from tests.support.sessions import as_owner, listen, unlisten
from tests.support.slices import OTHER_MANAGER, pick, work_on
from tests.support.world import World


def services_of(world: World) -> Services:
    services: Services = world.app.state.services
    return services


# --- five kinds of work ------------------------------------------------------------------------------


async def start_run(world: World) -> str:
    """Change a contact in Clio, and request a run that must publish the change."""
    firm = clio(world)
    firm.put("contact", {"id": 1001, "title": f"Judge {uuid4()}"})
    body, key = {"kind": "full"}, {"Idempotency-Key": f"{uuid4()}"}
    asked = await world.api.post("/v1/accounts/hp/runs", json=body, headers=key)
    assert asked.status_code == 202, asked.text
    return "hp"


async def start_note(world: World) -> str:
    await post(world, EMAIL)
    return "hp"


async def start_erasure(world: World) -> str:
    """Start to erase a copy of the account. Its login has no tokens, because they are sealed for the original."""
    short = partial(CallBudget, monotonic, seconds=0.05)  # for several slices
    object.__setattr__(services_of(world), "open_budget", short)
    copy = f"copy-{uuid4().hex}"
    await copy_account(world.dsn, "hp", copy)
    async with as_owner(services_of(world).database) as session:
        cleared = "update connections set sealed_tokens = null where account_id = :copy"
        await session.execute(text(cleared), {"copy": copy})
    await start_account_erasure(services_of(world), copy, actor=Actor("success_manager", None))
    return housekeeping_key(ERASURE, copy)


async def start_revocation(world: World) -> str:
    """Owe Clio the revocation of tokens that it does not know: they are revoked, but not those of the login."""
    services, unknown = (
        services_of(world),
        Tokens(SecretStr("a"), SecretStr(f"{uuid4()}"), main.now()),
    )
    async with as_owner(services.database) as session:
        (login,) = await connections.list_connected(session, "hp")
        sealed = seal_tokens(services.cipher, login, unknown)
        await revocations.owe(session, login, sealed, now=main.now())
    return housekeeping_key(DEAUTHORISATION, "hp")


async def start_subscriptions(world: World) -> str:
    """Request the subscriptions of the login anew."""
    services = services_of(world)
    object.__setattr__(services, "public_url", "https://service.test")
    world.simulator.webhooks.transport = httpx.ASGITransport(world.app)
    async with as_owner(services.database) as session:
        (login,) = await connections.list_connected(session, "hp")
        models = tuple(webhooks.WATCHED_FIELDS)
        await clio_subscriptions.request_subscriptions(
            session, "hp", login.connection_id, models, now=main.now()
        )
    return housekeeping_key(SUBSCRIPTIONS, "hp")


async def published(world: World) -> dict[str, int]:
    """Return how much of everything was applied, that a slice applied twice would have twice."""
    counts = {
        "feed lines": "select count(*) from changes where account_id = 'hp'",
        "events": "select count(*) from events where account_id = 'hp'",
        "ended runs": "select count(*) from runs where account_id = 'hp' and status = 'succeeded'",
        "attempts": "select count(*) from activity_attempts where account_id = 'hp'",
        "receipts": "select count(*) from erasures where finished_at is not null",
    }
    async with as_owner(services_of(world).database) as session:
        found = {
            name: int((await session.execute(text(count))).scalar_one())
            for name, count in counts.items()
        }
    told = len(world.simulator.requests("/oauth/deauthorize"))
    hooks = [entry.method for entry in world.simulator.requests("/api/v4/webhooks.json")]
    return {**found, "notes": len(notes(world)), "told": told, "hooks": hooks.count("POST")}


UNFINISHED = (
    "select (select count(*) from runs where finished_at is null)"
    " + (select count(*) from activities where status in ('queued', 'sending'))"
    " + (select count(*) from erasures where finished_at is null)"
    " + (select count(*) from revocations)"
    " + (select count(*) from subscriptions where due_at <= now())"
)


@dataclass(frozen=True)
class Work:
    """A kind of work: its lane, how it is started, and what it changes once."""

    lane: Lane
    start: Callable[[World], Awaitable[str]]
    changes: dict[str, int]


WORK = {
    "run": Work(Lane.RECONCILE, start_run, {"feed lines": 1, "events": 2, "ended runs": 1}),
    "note": Work(Lane.WRITE_BACK, start_note, {"notes": 1, "attempts": 1, "events": 1}),
    "erasure": Work(Lane.HOUSEKEEPING, start_erasure, {"receipts": 1}),
    "revocation": Work(Lane.HOUSEKEEPING, start_revocation, {"told": 1}),
    "subscriptions": Work(Lane.HOUSEKEEPING, start_subscriptions, {"hooks": 2}),
}


@pytest.fixture(params=WORK)
def work(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Work:
    monkeypatch.setattr(account_erasure, "ROWS_IN_A_STEP", 100)
    return WORK[request.param]


async def finish(world: World) -> None:
    """Do what is left as another process: what has a job, and what the clock finds after the leases have ended."""
    services = services_of(world)
    ended = (
        "update runs set leased_until = clock_timestamp() where leased_until is not null",
        "update activity_turns set leased_until = clock_timestamp() where leased_until is not null",
    )
    async with as_owner(services.database) as session:
        for statement in ended:
            await session.execute(text(statement))
    await queue_due_work(services)
    while job := await first_job(world):
        await do_slice_as_other(services, *job)


async def do_slice_as_other(services: Services, lane: Lane, key: str) -> None:
    job = await pick(services.database, lane, key, manager=OTHER_MANAGER)
    await end_slice(services.database, lane, key, job, await work_on(services, lane, key))


async def first_job(world: World) -> tuple[Lane, str] | None:
    """Return the lane and key of a job; there is at most one of each."""
    query = text("select dedupe_key from pgqueuer where status in ('queued', 'picked') order by id")
    async with as_owner(services_of(world).database) as session:
        keys = list((await session.execute(query)).scalars())
    assert len(keys) == len(set(keys))
    if not keys:
        return None
    label, _, key = keys[0].partition(":")
    return Lane[label.upper()], key


async def unfinished(world: World) -> int:
    async with as_owner(services_of(world).database) as session:
        return int((await session.execute(text(UNFINISHED))).scalar_one())


def changes(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


# --- kills -------------------------------------------------------------------------------------------


class Killed(Exception):
    """The process was killed."""


class Kill:
    """Kills the process before a statement or a commit, counted from 1."""

    def __init__(self, number: int) -> None:
        self.left = number

    def count(self, *_: Any) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed


@contextmanager
def killed_at(services: Services, number: int) -> Iterator[Kill]:
    """Kill the process at a statement; the jobs that are queued count too, although they have their own driver."""
    kill, engine = Kill(number), services.database
    enqueue = job_queue._enqueue

    async def counted(*given: Any, **named: Any) -> None:
        kill.count()
        await enqueue(*given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job_queue, "_enqueue", counted)
        for name in ("before_cursor_execute", "commit"):
            listen(engine, name, kill.count)
        try:
            yield kill
        finally:
            for name in ("before_cursor_execute", "commit"):
                unlisten(engine, name, kill.count)


async def ended_or_killed(world: World, work: Work, key: str, number: int) -> bool:
    """Do a slice, and kill the process at a statement of its end; return False if it has no such statement."""
    services = services_of(world)
    job = await pick(services.database, work.lane, key)
    ending = await work_on(services, work.lane, key)
    with killed_at(services, number) as kill:
        try:
            await end_slice(services.database, work.lane, key, job, ending)
        except Killed:
            return True
    assert kill.left > 0
    return False


async def test_a_process_that_is_killed_at_any_statement_of_the_end_of_a_slice_loses_nothing(
    idle: World, work: Work
):
    # its job is picked by another manager, or is lost with the queue, in turn
    number, was_killed = 0, True
    while was_killed:
        number += 1
        before = await published(idle)
        key = await work.start(idle)
        was_killed = await ended_or_killed(idle, work, key, number)
        if was_killed and number % 2:
            async with as_owner(services_of(idle).database) as session:
                await session.execute(text("delete from pgqueuer"))
        await finish(idle)
        assert await unfinished(idle) == 0, number
        assert changes(before, await published(idle)) == work.changes, number
    assert number > 2


# --- owners that come too late -----------------------------------------------------------------------


async def everything(world: World, key: str) -> tuple[dict[str, list[str]], list[str]]:
    """Return all rows of the account and all jobs."""
    rows = await rows_of(world.dsn, key.rpartition(":")[2])
    query = text("select row(id, status, queue_manager_id, execute_after)::text from pgqueuer")
    async with as_owner(services_of(world).database) as session:
        return rows, sorted((await session.execute(query)).scalars())


@pytest.mark.parametrize("other_ends", [True, False], ids=["other_ended", "other_works"])
async def test_an_owner_whose_job_was_picked_by_another_manager_changes_nothing(
    idle: World, work: Work, other_ends: bool
):
    services, before = services_of(idle), await published(idle)
    key = await work.start(idle)
    late = await pick(services.database, work.lane, key)
    ending = await work_on(services, work.lane, key)
    if other_ends:
        await finish(idle)
    else:
        await pick(services.database, work.lane, key, manager=OTHER_MANAGER)
    there = await everything(idle, key)
    assert await end_slice(services.database, work.lane, key, late, ending) is None
    assert await everything(idle, key) == there
    await finish(idle)
    assert await unfinished(idle) == 0
    assert changes(before, await published(idle)) == work.changes


async def test_an_owner_whose_run_was_taken_over_leaves_the_run_as_it_is(idle: World):
    services = services_of(idle)
    key = await start_run(idle)
    job = await pick(services.database, Lane.RECONCILE, key)
    ending = await work_on(services, Lane.RECONCILE, key)
    async with as_owner(services.database) as session:
        taken = "update runs set fence = fence + 1 where finished_at is null"
        await session.execute(text(taken))
    rows = (await everything(idle, key))[0]
    after = await end_slice(services.database, Lane.RECONCILE, key, job, ending)
    assert (await everything(idle, key))[0] == rows
    assert after is not None, "the run has not ended"
    assert after > timedelta(0), "another worker has it"
