"""Maintenance of the outbox, contact leases, and the author of an activity."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from pgqueuer.queries import Queries
from sqlalchemy import delete, select, text, update

from app import main
from app.db import job_queue
from app.db.accounts import audit, looks
from app.db.accounts.looks import Task
from app.db.events import tables as event_tables
from app.db.outbox import contact_leases, maintenance, outbox
from app.db.outbox import tables as outbox_tables
from app.db.outbox.activities import Outcome, Status
from app.db.outbox.contact_leases import ContactLease
from app.db.session import Session
from app.errors import DatabaseUnavailable, RunTakenOver
from app.lanes import Lane
from app.rules.settings import FallbackAuthor, WritebackSettings
from app.simulator.faults.faults import Fault
from app.sync.lost_work import queue_due_work
from app.sync.services import Services
from app.sync.writeback import maintain_outbox, outcomes
from app.sync.writeback.authors import find_author
from tests.e2e.writeback.test_writeback import EMAIL, TEXT, communications, get, notes, post, until
from tests.support.postgres import until_waiting_for_lock
from tests.support.retention import delete_expired
from tests.support.sessions import as_owner
from tests.support.slices import do_slice, do_slices
from tests.support.world import PATIENCE, World

activities = outbox_tables.activities


def services_of(world: World) -> Services:
    services: Services = world.app.state.services
    return services


async def body_of(world: World, activity_id: str) -> str:
    async with as_owner(services_of(world).database) as session:
        kept = await outbox.get_activity(session, "hp", activity_id)
    return kept.body


async def sent(services: Services) -> None:
    """Send the waiting activities; the last worker may still have the lease of their contact."""
    async with asyncio.timeout(PATIENCE):
        while await do_slice(services, Lane.WRITE_BACK) is not None:
            await asyncio.sleep(0.02)


async def test_a_day_later_each_marker_is_found_once_and_the_text_is_deleted(pulled: World):
    # W8
    sent = [await until(pulled, await post(pulled, body)) for body in (EMAIL, TEXT)]
    assert await body_of(pulled, sent[0]["id"])
    await do_slice(services_of(pulled), Lane.WRITE_BACK)
    assert await body_of(pulled, sent[0]["id"])  # not yet
    with time_machine.travel(main.now() + timedelta(hours=25), tick=True):
        await do_slices(services_of(pulled), Lane.WRITE_BACK)
    for activity in sent:
        assert await get(pulled, activity) == activity
        assert await body_of(pulled, activity["id"]) == ""


async def test_the_verification_is_queued_a_day_after_the_write_and_not_before(
    pulled: World, monkeypatch: pytest.MonkeyPatch
):
    # W8
    await until(pulled, await post(pulled, EMAIL))
    queued: list[str] = []

    async def want(_: Session, lane: Lane, account_id: str) -> None:
        assert lane is Lane.WRITE_BACK
        queued.append(account_id)

    monkeypatch.setattr(job_queue, "want", want)
    for hours, accounts in ((23, []), (25, ["hp"])):
        with time_machine.travel(main.now() + timedelta(hours=hours), tick=True):
            await maintain_outbox(services_of(pulled))
            assert queued == accounts


async def test_a_day_later_a_duplicate_and_a_missing_record_are_reported(pulled: World):
    # W8, F4: Clio created one record late, and a person removed another
    doubled, missing = [await until(pulled, await post(pulled, EMAIL)) for _ in range(2)]
    firm = pulled.simulator.firms[0]
    first, second = notes(pulled)
    doubled_id = first["id"] + 99
    firm.put("note", {**first, "id": doubled_id})
    firm.delete("note", second["id"])
    with time_machine.travel(main.now() + timedelta(hours=25), tick=True):
        await maintain_outbox(services_of(pulled))
        async with asyncio.timeout(PATIENCE):
            while (gone := await get(pulled, missing))["reason"] is None:
                await asyncio.sleep(0.02)
        found = await get(pulled, doubled)
    assert (gone["status"], gone["reason"]) == ("written", "missing_in_clio")
    assert (found["status"], found["reason"]) == ("written", "doubled_in_clio")
    assert str(doubled_id) in found["problem"]["detail"]


async def test_an_activity_that_is_blocked_for_two_weeks_fails(pulled: World):
    # WB-5
    activity = await post(pulled, {**EMAIL, "user_id": "u_ben"})
    with time_machine.travel(main.now() + timedelta(days=13, hours=23), tick=True):
        await maintain_outbox(services_of(pulled))
        assert (await get(pulled, activity))["status"] == "blocked"
    with time_machine.travel(main.now() + timedelta(days=14, hours=1), tick=True):
        await maintain_outbox(services_of(pulled))
        failed = await get(pulled, activity)
    assert (failed["status"], failed["reason"]) == ("failed", "needs_connection")


async def test_the_next_attempt_is_due_after_the_pause_of_the_outcome(pulled: World):
    # WB-6
    posted = await post(pulled, {**EMAIL, "user_id": "u_ben"})
    now = main.now()
    async with as_owner(services_of(pulled).database) as session:
        activity = await outbox.get_activity(session, "hp", posted["id"])
        outcome = Outcome(Status.QUEUED, after=timedelta(minutes=5))
        await outbox.record_outcome(session, activity, outcome, now=now)
        later = await outbox.get_activity(session, "hp", posted["id"])
    assert later.due_at == now + timedelta(minutes=5)


async def test_every_final_status_of_an_activity_emits_an_event_even_if_repeated(pulled: World):
    # WB-8, API-27: failed, retried by a person, failed again without an attempt, and finally written
    table = event_tables.events

    async def told() -> list[tuple[str, str, int]]:
        async with as_owner(services_of(pulled).database) as session:
            query = select(table.c.event_id, table.c.kind, table.c.data).order_by(table.c.at)
            rows = (await session.execute(query.where(table.c.kind.like("activity.%")))).all()
        assert {row.data["activity_id"] for row in rows} <= {activity["id"]}
        return [(row.event_id, row.kind, row.data["attempts"]) for row in rows]

    activity = await post(pulled, {**EMAIL, "user_id": "u_ben"})
    retry = f"/v1/accounts/hp/activities/{activity['id']}/retry"
    for weeks in (2, 4):
        with time_machine.travel(main.now() + timedelta(weeks=weeks, hours=1), tick=True):
            await maintain_outbox(services_of(pulled))
            assert (await get(pulled, activity))["status"] == "failed"
        assert (await pulled.api.post(retry)).status_code == 202
        await until(pulled, activity, "blocked")
    await pulled.connect("u_ben", 502)
    await until(pulled, activity, "written")
    found = await told()
    assert len({event_id for event_id, _, _ in found}) == 3
    assert [kind for _, kind, _ in found].count("activity.failed") == 2
    assert [attempts for _, kind, attempts in found if kind == "activity.written"] == [1]


async def test_a_lost_job_is_queued_again(pulled: World):
    # F30, I8: the state after a restore; a disabled account continues in the same way [EN-1]
    await pulled.create_account(enabled=True)
    services = services_of(pulled)
    activity = await until(pulled, await post(pulled, EMAIL))
    await pulled.idle()
    async with as_owner(services.database) as session:
        await session.execute(
            update(activities).values(status="queued", unsure=True, written_at=None, clio_id=None)
        )
        await session.execute(text("delete from pgqueuer"))
    await queue_due_work(services)
    assert await until(pulled, activity) == {
        **activity,
        "written_at": (await get(pulled, activity))["written_at"],
    }
    assert len(notes(pulled)) == 1


async def test_a_contact_has_one_lease_and_a_worker_that_lost_it_stores_nothing(pulled: World):
    # F13, W7
    services = services_of(pulled)
    await until(pulled, await post(pulled, EMAIL))
    await pulled.idle()

    async def take(seconds: float) -> ContactLease | None:
        async with as_owner(services.database) as session:
            return await contact_leases.acquire(
                session, "hp", 1001, length=timedelta(seconds=seconds)
            )

    stalled = await take(-1)  # expires immediately
    assert stalled is not None
    other = await take(60)
    assert other is not None
    assert await take(60) is None
    async with as_owner(services.database) as session:
        await contact_leases.renew(session, other)
    with pytest.raises(RunTakenOver):
        async with as_owner(services.database) as session:
            await contact_leases.renew(session, stalled)


async def test_an_activity_cancelled_just_before_its_attempt_stays_cancelled(pulled: World):
    # WB-8: otherwise it would be blocked, and written when its author connects
    database = services_of(pulled).database
    activity = await post(pulled, {**EMAIL, "user_id": "u_ben"})
    url = f"/v1/accounts/hp/activities/{activity['id']}/cancel"
    async with asyncio.TaskGroup() as group:
        async with as_owner(database) as session:
            turn = await contact_leases.acquire(session, "hp", 1001, length=timedelta(minutes=1))
        assert isinstance(turn, ContactLease)
        async with as_owner(database) as session:
            await session.execute(update(activities).values(status="queued"))
        async with as_owner(database) as session:
            await contact_leases.renew(session, turn)
            head = await contact_leases.next_activity(session, turn)
            assert head is not None
            cancelling = group.create_task(pulled.api.post(url))
            await asyncio.wait(
                {cancelling}, timeout=0.5
            )  # the attempt runs first, or waits for our lock
            await outbox.record_outcome(
                session, head, outcomes.blocked(unsure=False), now=main.now()
            )
    assert cancelling.result().json()["status"] == "cancelled"
    assert (await get(pulled, activity))["status"] == "cancelled"


async def test_an_interrupted_attempt_searches_in_clio_before_it_sends(pulled: World):
    # F2: killed between Clio's answer and our commit; attempts are stored with fence and login
    services = services_of(pulled)
    activity = await until(pulled, await post(pulled, EMAIL))
    await pulled.idle()
    async with as_owner(services.database) as session:
        await session.execute(
            update(activities).values(
                status="sending", unsure=True, written_at=None, clio_id=None, due_at=main.now()
            )
        )
    await sent(services)
    assert (await get(pulled, activity))["status"] == "written"
    assert len(notes(pulled)) == 1
    async with as_owner(services.database) as session:
        (attempt,) = (await session.execute(select(outbox_tables.activity_attempts))).all()
    assert (attempt.attempt, attempt.outcome, attempt.fence) == (1, "written", 1)


async def test_the_text_of_an_activity_that_no_login_can_verify_is_deleted_as_well(pulled: World):
    # T9: the author disconnected a day later; a cancelled activity is not written
    written = await until(pulled, await post(pulled, EMAIL))
    waiting = await post(pulled, {**EMAIL, "user_id": "u_ben"})
    cancelled = await post(pulled, {**EMAIL, "user_id": "u_ben"})
    await pulled.api.post(f"/v1/accounts/hp/activities/{cancelled['id']}/cancel")
    assert await body_of(pulled, cancelled["id"]) == ""
    database = services_of(pulled).database
    for days, known in ((7, True), (9, False)):
        async with as_owner(database) as session:
            await delete_expired(session, now=main.now() + timedelta(days=days))
        assert bool(await body_of(pulled, written["id"])) is known
    assert await body_of(pulled, waiting["id"])


async def test_a_note_is_found_although_our_clock_is_hours_ahead_of_clios(pulled: World):
    # F9, WB-7: otherwise it would be written twice, and the verification a day later would miss it
    services = services_of(pulled)
    activity = await until(pulled, await post(pulled, EMAIL))
    async with as_owner(services.database) as session:
        await session.execute(
            update(activities).values(
                status="sending",
                unsure=True,
                written_at=None,
                clio_id=None,
                due_at=main.now(),
                first_attempt_at=main.now() + timedelta(hours=13),
            )
        )
    await sent(services)
    found = await get(pulled, activity)
    assert (found["status"], found["attempts"]) == ("written", 1)
    assert len(notes(pulled)) == 1


async def test_another_login_can_write_with_a_line_that_names_the_author_if_the_settings_allow_it(
    pulled: World, monkeypatch: pytest.MonkeyPatch
):
    # WB-5
    chosen = WritebackSettings(fallback_author=FallbackAuthor.PRIMARY_CONNECTION)
    services = services_of(pulled)
    async with as_owner(services.database) as session:
        assert await find_author(session, "hp", "u_ben", WritebackSettings()) is None
        author = await find_author(session, "hp", "u_ben", chosen)
        own = await find_author(session, "hp", "u_ann", chosen)
    assert author is not None
    assert (author.connection.user_id, author.by) == ("u_ann", "Ben Pike")
    assert own is not None
    assert own.by is None

    async def settings_of(_session: object, _account_id: str) -> WritebackSettings:
        return chosen

    monkeypatch.setattr("app.sync.writeback.accept.load_settings", settings_of)
    monkeypatch.setattr("app.sync.writeback.authors.load_settings", settings_of)
    for body in (EMAIL, TEXT):
        activity = await until(pulled, await post(pulled, {**body, "user_id": "u_ben"}))
        assert activity["status"] == "written"
    assert notes(pulled)[0]["detail"].split("\n")[-2] == "By Ben Pike"
    assert notes(pulled)[0]["author_id"] == 501
    assert communications(pulled)[0]["body"].endswith("\n\nBy Ben Pike")


async def test_a_kind_that_the_settings_switch_off_is_skipped_without_a_request(
    pulled: World, monkeypatch: pytest.MonkeyPatch
):
    # WB-4
    async def settings_of(_session: object, _account_id: str) -> WritebackSettings:
        return WritebackSettings(phone_call=False)

    monkeypatch.setattr("app.sync.writeback.accept.load_settings", settings_of)
    skipped = await post(pulled, {**EMAIL, "kind": "phone_call"}, status=200)
    assert (skipped["status"], skipped["reason"]) == ("skipped", "disabled_by_settings")
    assert await body_of(pulled, skipped["id"]) == ""
    assert notes(pulled) == []


async def test_erasing_the_account_erases_its_activities(pulled: World):
    # S15
    await until(pulled, await post(pulled, EMAIL))
    await pulled.erase()
    async with as_owner(services_of(pulled).database) as session:
        for table in (activities, outbox_tables.activity_attempts, outbox_tables.activity_turns):
            assert (await session.execute(select(table))).all() == []
        await session.execute(delete(activities))


async def test_an_activity_that_is_accepted_while_its_author_connects_is_queued(
    pulled: World, monkeypatch: pytest.MonkeyPatch
):
    # WB-5: the transaction of the connection is still open, and later nobody looks but the clock
    record, accepting = audit.record, []
    async with asyncio.TaskGroup() as group:

        async def accept_meanwhile(*args: Any, **named: Any) -> None:
            await record(*args, **named)
            accepting.append(group.create_task(post(pulled, {**EMAIL, "user_id": "u_ben"})))
            await until_waiting_for_lock(pulled.dsn, accepting[0])

        async def fail(*_: Any) -> None:
            raise DatabaseUnavailable

        with monkeypatch.context() as patch:
            patch.setattr(audit, "record", accept_meanwhile)
            patch.setattr(outbox, "unblock", fail)
            await pulled.connect("u_ben", 502)
    activity = accepting[0].result()
    assert activity["status"] == "blocked"
    await maintain_outbox(services_of(pulled))
    assert (await until(pulled, activity))["status"] == "written"


async def set_logins(world: World, status: str) -> None:
    async with as_owner(services_of(world).database) as session:
        await session.execute(text("update connections set status = :status"), {"status": status})
        await looks.look_now(session, Task.OUTBOX, "hp", now=main.now())  # as connecting does


async def test_an_activity_whose_author_has_no_login_stays_blocked(pulled: World):
    activity = await post(pulled, {**EMAIL, "user_id": "u_ben"})
    await maintain_outbox(pulled.app.state.services)
    assert (await get(pulled, activity))["status"] == "blocked"


async def test_an_activity_that_another_login_may_write_now_is_queued(pulled: World):
    # WB-5: the setting allows it since the activity was blocked
    activity = await post(pulled, {**EMAIL, "user_id": "u_ben"})
    await maintain_outbox(services_of(pulled))
    assert (await get(pulled, activity))["status"] == "blocked"
    await pulled.choose({"writeback": {"fallback_author": "primary_connection"}})
    await maintain_outbox(services_of(pulled))
    assert (await until(pulled, activity))["status"] == "written"
    assert notes(pulled)[0]["detail"].split("\n")[-2] == "By Ben Pike"


async def test_an_activity_that_another_login_may_write_waits_while_no_login_works(pulled: World):
    # WB-5: what one login tried stays with that login, since only it can find the record
    await pulled.choose({"writeback": {"fallback_author": "primary_connection"}})
    await set_logins(pulled, "needs_reconnect")
    fresh, tried = [await post(pulled, {**EMAIL, "user_id": "u_ben"}) for _ in range(2)]
    async with as_owner(services_of(pulled).database) as session:
        attempt = {"unsure": True, "connection_id": "cnx_gone"}
        own = activities.c.activity_id == tried["id"]
        await session.execute(update(activities).where(own).values(attempt))
    await maintain_outbox(services_of(pulled))
    assert (await get(pulled, fresh))["status"] == "blocked"
    await set_logins(pulled, "connected")
    await maintain_outbox(services_of(pulled))
    assert (await until(pulled, fresh))["status"] == "written"
    assert (await until(pulled, tried, "blocked"))["status"] == "blocked"
    await maintain_outbox(services_of(pulled))
    assert (await get(pulled, tried))["status"] == "blocked"


async def test_a_blocked_activity_is_looked_at_when_something_changes_and_else_once_an_hour(
    pulled: World,
):
    # the look costs the same whatever has been blocked for how long
    async def is_due() -> bool:
        async with as_owner(services_of(pulled).database) as session:
            return bool(await looks.list_due(session, Task.OUTBOX, now=main.now(), limit=1))

    await maintain_outbox(services_of(pulled))
    assert not await is_due()
    await post(pulled, {**EMAIL, "user_id": "u_ben"})
    assert await is_due(), "its author may have connected at the same moment"
    await maintain_outbox(services_of(pulled))
    assert not await is_due()
    with time_machine.travel(main.now() + timedelta(hours=1), tick=True):
        assert await is_due()


async def test_an_activity_that_cannot_be_verified_is_tried_once_a_day(pulled: World):
    # W8: its login is gone, so nobody can search for it
    activity = await until(pulled, await post(pulled, EMAIL))
    await set_logins(pulled, "needs_reconnect")
    services, written = services_of(pulled), main.now()

    async def count() -> int:
        async with as_owner(services.database) as session:
            found = await maintenance.list_unverified(session, "hp", now=main.now(), limit=9)
        return len(found)

    with time_machine.travel(written + timedelta(hours=25), tick=True) as clock:
        for _ in range(2):
            assert await count() == 1
            await do_slice(services, Lane.WRITE_BACK)
            assert await count() == 0
            clock.shift(timedelta(hours=25))
        await set_logins(pulled, "connected")
        await do_slice(services, Lane.WRITE_BACK)
        assert await body_of(pulled, activity["id"]) == ""
        clock.move_to(written + timedelta(days=9))
        assert await count() == 0


async def test_a_page_of_a_proxy_proves_nothing_a_day_later(pulled: World):
    # W8: the note is there, and is searched again
    activity = await until(pulled, await post(pulled, EMAIL))
    services = services_of(pulled)
    with time_machine.travel(main.now() + timedelta(hours=25), tick=True):
        pulled.simulator.faults.add(Fault("html", path="api/v4/notes", times=10**6))
        await do_slice(services, Lane.WRITE_BACK)
        assert await body_of(pulled, activity["id"]), "it is not verified"
        pulled.simulator.faults.clear()
        await do_slice(services, Lane.WRITE_BACK)
    assert await body_of(pulled, activity["id"]) == ""
    assert (await get(pulled, activity))["reason"] is None


async def test_activities_that_are_unblocked_are_queued_with_one_job(
    pulled: World, monkeypatch: pytest.MonkeyPatch
):
    jobs: list[str] = []
    enqueue = Queries.enqueue

    async def counted(self: Queries, kind: Any, *args: Any, **named: Any) -> Any:
        jobs.append(kind)
        return await enqueue(self, kind, *args, **named)

    waiting = [await post(pulled, {**EMAIL, "user_id": "u_ben"}) for _ in range(3)]
    async with as_owner(services_of(pulled).database) as session:
        await session.execute(text("update connections set user_id = 'u_ben'"))
    monkeypatch.setattr(Queries, "enqueue", counted)
    await maintain_outbox(services_of(pulled))
    monkeypatch.undo()
    assert jobs == [Lane.WRITE_BACK.label]
    for activity in waiting:
        assert (await until(pulled, activity))["status"] == "written"


async def test_what_waited_for_a_user_is_queued_in_bounded_steps_oldest_first(
    idle: World, monkeypatch: pytest.MonkeyPatch
):
    # WB-5, S14: a user for whom much has waited connects
    monkeypatch.setattr(outbox, "UNBLOCKED_AT_ONCE", 2)
    services = services_of(idle)
    posted = [await post(idle, {**EMAIL, "user_id": "u_ben"}) for _ in range(5)]
    await do_slice(services, Lane.WRITE_BACK)
    await idle.connect("u_ben", 502)

    async def statuses() -> list[str]:
        return [(await get(idle, activity))["status"] for activity in posted]

    assert await statuses() == ["queued"] * 2 + ["blocked"] * 3
    await maintain_outbox(services)
    assert await statuses() == ["queued"] * 4 + ["blocked"]
    await maintain_outbox(services)
    assert await statuses() == ["queued"] * 5
