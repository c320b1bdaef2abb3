"""Slices of an account's write-back: contacts side by side, and no login or contact holds up the others."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app import main
from app.clio.call_budget import CallBudget
from app.db.connections import rate_limits
from app.db.connections.rate_limits import StoredWindow
from app.db.outbox.activities import Activity
from app.db.session import Session
from app.lanes import Lane
from app.sync import worker
from app.sync.services import Services
from app.sync.slices import Ending
from app.sync.writeback import authors, send
from app.sync.writeback.authors import Author
from app.sync.writeback.send import CONTACTS_AT_ONCE
from tests.e2e.writeback.test_writeback import EMAIL, get, notes, post, until
from tests.support.harlow_pike import clio
from tests.support.sessions import as_owner
from tests.support.slices import do_slice, do_slices
from tests.support.world import PATIENCE, World


def services_of(world: World) -> Services:
    services: Services = world.app.state.services
    return services


async def one(world: World, query: str) -> Any:
    """Return the value that a query finds."""
    async with as_owner(services_of(world).database) as session:
        return (await session.execute(text(query))).scalar_one()


# --- a login without requests ------------------------------------------------------------------------


async def close_login(world: World, user_id: str) -> None:
    """Let a login have no request left for most of a minute."""
    query = text("select connection_id from connections where user_id = :user")
    async with as_owner(services_of(world).database) as session:
        found = await session.execute(query, {"user": user_id})
        connection_id = found.scalar_one()
        closed = StoredWindow(limit=50, given=50, ends=main.now().timestamp() + 58)
        await rate_limits.update_window(session, "hp", connection_id, lambda _, __: (closed, None))


@pytest.fixture
def slices(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The slices of write-back that the workers did."""
    done: list[str] = []
    write_back = worker.WORK[Lane.WRITE_BACK]

    async def counted(services: Services, key: str) -> Ending:
        done.append(key)
        return await write_back(services, key)

    monkeypatch.setitem(worker.WORK, Lane.WRITE_BACK, counted)
    return done


async def test_a_login_without_requests_does_not_hold_up_the_note_of_a_colleague(
    pulled: World, slices: list[str]
):
    await pulled.connect("u_ben", 502)
    await pulled.settled()
    await close_login(pulled, "u_ann")
    flood = [
        await post(pulled, {**EMAIL, "clio_contact_id": str(1001 + number % 2)})
        for number in range(20)
    ]
    delayed = "select execute_after > now() + interval '30 seconds' from pgqueuer"
    assert await one(pulled, delayed) is True
    assert slices == [], "nobody tries what Clio would refuse"
    bens = await post(pulled, {**EMAIL, "user_id": "u_ben", "clio_contact_id": "1003"})
    bens = await until(pulled, bens, "written")
    await pulled.idle()
    assert bens["attempts"] == 1
    assert [note["author_id"] for note in notes(pulled)] == [502]
    assert await one(pulled, "select count(*) from activity_attempts") == 1
    assert len(pulled.simulator.requests("/api/v4/notes")) == 1
    assert {(await get(pulled, each))["status"] for each in flood} == {"queued"}
    assert await one(pulled, delayed) is True
    done = len(slices)
    await post(pulled, EMAIL)
    assert await one(pulled, delayed) is True
    assert len(slices) == done


async def test_a_contact_whose_first_note_must_wait_does_not_hold_up_other_contacts(pulled: World):
    # the colleague's note to the same contact waits behind it, one to another contact does not
    await pulled.connect("u_ben", 502)
    await pulled.settled()
    await close_login(pulled, "u_ann")
    first = await post(pulled, EMAIL)
    behind = await post(pulled, {**EMAIL, "user_id": "u_ben"})
    beside = await post(pulled, {**EMAIL, "user_id": "u_ben", "clio_contact_id": "1002"})
    await until(pulled, beside, "written")
    await pulled.idle()
    assert {(await get(pulled, each))["status"] for each in (first, behind)} == {"queued"}
    assert await one(pulled, "select count(*) from activity_attempts") == 1


# --- side by side ------------------------------------------------------------------------------------


class Watch:
    """The writes of notes that are under way: how many at once, and how many at once of a contact."""

    def __init__(self) -> None:
        self.now, self.peak = Counter[int](), Counter[int]()
        self.most = 0
        self.changed = asyncio.Event()

    @asynccontextmanager
    async def write(self, contact_id: int) -> AsyncIterator[None]:
        self.now[contact_id] += 1
        self.peak[contact_id] = max(self.peak[contact_id], self.now[contact_id])
        self.most = max(self.most, self.now.total())
        self.changed.set()
        yield
        self.now[contact_id] -= 1


@pytest.fixture
def watch(idle: World, monkeypatch: pytest.MonkeyPatch) -> Watch:
    made, answer = Watch(), idle.clio_transport.handle_async_request

    async def watched(request: httpx.Request) -> httpx.Response:
        if request.method != "POST" or "/notes" not in request.url.path:
            return await answer(request)
        contact_id = json.loads(request.content)["data"]["contact"]["id"]
        async with made.write(contact_id):
            return await answer(request)

    monkeypatch.setattr(idle.clio_transport, "handle_async_request", watched)
    return made


async def test_a_slice_writes_to_eight_contacts_side_by_side_and_in_order_at_each(
    idle: World, watch: Watch
):
    contacts = clio(idle).ids("contact")[: CONTACTS_AT_ONCE + 2]
    await post(idle, EMAIL)
    await do_slices(services_of(idle), Lane.WRITE_BACK)  # from its response the limit is known
    for subject in ("first", "second", "third"):
        for contact_id in contacts:
            await post(idle, {**EMAIL, "subject": subject, "clio_contact_id": str(contact_id)})
    async with (
        asyncio.TaskGroup() as group,
        asyncio.timeout(PATIENCE),
        idle.clio_transport.paused("/api/v4/notes"),
    ):
        group.create_task(do_slice(services_of(idle), Lane.WRITE_BACK))
        while watch.now.total() < CONTACTS_AT_ONCE:
            watch.changed.clear()
            await watch.changed.wait()
    await do_slices(services_of(idle), Lane.WRITE_BACK)
    assert watch.most == CONTACTS_AT_ONCE
    assert set(watch.peak.values()) == {1}
    written = notes(idle)[1:]
    assert len(written) == 3 * len(contacts)
    for contact_id in contacts:
        subjects = [note["subject"] for note in written if note["contact_id"] == contact_id]
        assert subjects == ["Email: first", "Email: second", "Email: third"]


async def test_a_contact_that_crashes_stops_no_other_and_is_tried_again_after_its_lease(
    idle: World, monkeypatch: pytest.MonkeyPatch
):
    broken = await post(idle, EMAIL)
    others = [
        await post(idle, {**EMAIL, "clio_contact_id": str(contact_id)})
        for contact_id in (1002, 1003, 1004)
    ]
    find_author_of = authors.find_author_of

    async def crash_at_one(session: Session, activity: Activity) -> Author | None:
        if activity.activity_id == broken["id"]:
            raise LookupError
        return await find_author_of(session, activity)

    with monkeypatch.context() as patch:
        patch.setattr(send, "find_author_of", crash_at_one)
        after = await do_slice(services_of(idle), Lane.WRITE_BACK)
    assert {(await get(idle, each))["status"] for each in others} == {"written"}
    assert (await get(idle, broken))["status"] == "queued"
    lease = services_of(idle).timing.lease
    assert after is not None
    assert timedelta(0) < after <= lease, "not at once, and not never"
    async with as_owner(services_of(idle).database) as session:
        await session.execute(text("update activity_turns set leased_until = null"))
    await do_slices(services_of(idle), Lane.WRITE_BACK)
    assert (await get(idle, broken))["status"] == "written"
    assert len(notes(idle)) == 4


async def test_a_slice_stops_when_its_budget_is_spent_and_the_next_one_goes_on(idle: World):
    for number in range(5):
        await post(idle, {**EMAIL, "subject": f"note {number}"})
    services = replace(services_of(idle), open_budget=partial(CallBudget, lambda: 0.0, calls=2))
    assert await do_slice(services, Lane.WRITE_BACK) == timedelta(0)
    assert len(notes(idle)) == 2
    assert await do_slices(services, Lane.WRITE_BACK) <= 3
    assert [note["subject"] for note in notes(idle)] == [f"Email: note {n}" for n in range(5)]
    assert await one(idle, "select count(*) from activity_attempts") == 5
