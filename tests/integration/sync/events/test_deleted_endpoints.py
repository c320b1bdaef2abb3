"""A deleted webhook endpoint is gone at once; its deliveries are deleted in small transactions afterwards."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from app.db.events import endpoints, events
from app.lanes import Lane
from app.simulator.http.server import Simulator
from app.sync import deleted_endpoints
from app.sync.lost_work import queue_due_work
from tests.support.event_service import START, EventService, numbers
from tests.support.sessions import as_owner, listen
from tests.support.slices import do_slice, do_slices
from tests.support.webhook_receiver import receiving
from tests.support.world import opened_world

WAITING = 95
BATCH = 10


@pytest.fixture
async def service(
    dsn: str, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[EventService]:
    monkeypatch.setattr(deleted_endpoints, "BATCH_SIZE", BATCH)
    async with opened_world(dsn, simulator, clock=False, workers=False) as world, world:
        await world.create_account()
        yield EventService(world)


async def count(service: EventService, counted: str) -> int:
    async with as_owner(service.services.database) as session:
        return int((await session.execute(text(f"select count(*) from {counted}"))).scalar_one())


async def delete(service: EventService, endpoint: dict[str, Any]) -> str:
    """Delete an endpoint by the API; return the key of the job that deletes its rows."""
    answer = await service.api.delete(f"/v1/webhook-endpoints/{endpoint['id']}")
    assert answer.status_code == 204, answer.text
    return f"endpoint:{endpoint['id']}"


JOB = "pgqueuer where dedupe_key like 'housekeeping:endpoint:%'"


async def test_a_deleted_endpoint_is_gone_at_once_and_nothing_is_sent_to_it(service: EventService):
    async with receiving() as gone, receiving() as other:
        deleted, kept = await service.listen(gone), await service.listen(other)
        await service.record("con_1", "con_2")
        waiting = (await service.deliveries(deleted))[0]["id"]
        await delete(service, deleted)
        await service.record("con_3")
        await service.deliver()
        assert numbers(gone) == []
        assert numbers(other) == [1, 2, 3]
    assert await count(service, "deliveries") == 2 + 3
    url = f"/v1/webhook-endpoints/{deleted['id']}"
    asked = [
        await service.api.get(url),
        await service.api.get(f"{url}/deliveries"),
        await service.api.post(f"{url}/enable"),
        await service.api.post(f"{url}/rotate"),
        await service.api.delete(url),
        await service.api.post(f"/v1/deliveries/{waiting}/redeliver"),
    ]
    assert {answer.status_code for answer in asked} == {404}
    listed = (await service.api.get("/v1/webhook-endpoints")).json()["data"]
    assert [each["id"] for each in listed] == [kept["id"]]


async def test_a_deleted_endpoint_does_not_count_among_those_of_its_token(
    service: EventService, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(endpoints, "MAX_ENDPOINTS", 1)
    async with receiving() as receiver:
        await delete(service, await service.listen(receiver))
        await service.listen(receiver)


async def test_an_endpoint_that_is_deleted_while_it_is_enabled_stays_deleted(
    service: EventService, monkeypatch: pytest.MonkeyPatch
):
    enable = endpoints.enable_endpoint

    async def enable_late(*given: Any, **named: Any) -> None:
        await delete(service, endpoint)
        await enable(*given, **named)

    async with receiving(answer=lambda _: 410) as receiver:
        endpoint = await service.listen(receiver)
        await service.record("con_1")
        await service.deliver()
        monkeypatch.setattr(endpoints, "enable_endpoint", enable_late)
        answer = await service.api.post(f"/v1/webhook-endpoints/{endpoint['id']}/enable")
    assert answer.status_code == 404
    assert await count(service, "webhook_endpoints where enabled") == 0


async def test_the_deliveries_of_a_deleted_endpoint_go_in_batches_and_last_its_row(
    service: EventService,
):
    changed: list[int] = []
    async with receiving() as receiver:
        deleted = await service.listen(receiver)
        await service.record(*(f"con_{n % 7}" for n in range(WAITING)))
        await service.listen(receiver)
        await service.record("con_1")
    key = await delete(service, deleted)
    engine = service.services.database
    listen(engine, "after_cursor_execute", lambda *given: changed.append(given[1].rowcount))
    await do_slices(service.services, Lane.HOUSEKEEPING, key)
    assert max(changed) == BATCH
    assert await count(service, f"webhook_endpoints where endpoint_id = '{deleted['id']}'") == 0
    assert await count(service, "deliveries") == 1
    assert await count(service, JOB) == 0


async def test_a_deleted_endpoint_whose_job_was_lost_gets_a_new_one(service: EventService):
    async with receiving() as receiver:
        await delete(service, await service.listen(receiver))
    assert await count(service, JOB) == 1
    async with as_owner(service.services.database) as session:
        await session.execute(text("delete from pgqueuer"))
    for _ in range(2):
        await queue_due_work(service.services)
        assert await count(service, JOB) == 1


async def test_events_that_retention_has_locked_are_left_to_it_for_a_moment(service: EventService):
    async with receiving() as receiver:
        deleted = await service.listen(receiver)
        await service.record("con_1")
    key = await delete(service, deleted)
    async with as_owner(service.services.database) as session:
        later = START.replace(year=START.year + 1)
        assert len(await events.lock_expired(session, before=later, limit=9)) == 1
        after = await do_slice(service.services, Lane.HOUSEKEEPING, key)
        assert after == deleted_endpoints.TRY_AGAIN
    await do_slices(service.services, Lane.HOUSEKEEPING, key)
    assert await count(service, "webhook_endpoints") == 0
