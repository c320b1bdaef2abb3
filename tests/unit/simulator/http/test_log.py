"""The log of the simulated Clio: when each request came and was answered, and which record a write made."""

from app.simulator.faults.faults import Fault

NOTE = {"type": "Contact", "contact": {"id": 1001}, "subject": "s", "detail": "d"}


async def test_the_log_has_the_arrival_of_a_slow_request_and_the_record_that_a_write_made(
    clio, ann, clock, monkeypatch
):
    async def sleep(seconds: float) -> None:
        clock.move(seconds=seconds)

    monkeypatch.setattr("app.simulator.faults.apply.asyncio.sleep", sleep)
    clio.faults.add(Fault("slow", path="notes", value="25"))
    came = clock.now.isoformat()
    made = (await ann.write("POST", "notes.json", NOTE)).json()["data"]
    await ann.get("users/who_am_i.json")
    write, read = clio.requests()
    assert (write.received_at, write.at, write.record_id) == (
        came,
        clock.now.isoformat(),
        made["id"],
    )
    assert read.record_id is None
