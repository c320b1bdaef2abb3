"""Whatever fails at Clio, no value of a client and no secret reaches a log, a metric, a problem or an address (T9)."""

from collections.abc import Iterator
from typing import Any, get_args
from urllib.parse import quote

import pytest

from app.lanes import Lane
from app.simulator.faults.faults import Effect, Fault, WriteEffect, WriteFault
from tests.e2e.test_erased_from_the_dump import MORE, PERSON, VALUES
from tests.integration.test_no_client_data_in_logs import as_before, log_everything
from tests.support.sliced_firm import SlicedFirm, within
from tests.support.slices import do_slices
from tests.support.walls import HP
from tests.support.world import KEY, TOKEN, World

__all__ = ["as_before"]  # a fixture that puts the logs back
NOTE = {"kind": "note", "user_id": "u_ann", "occurred_at": "2026-03-02T12:00:00Z"}
# What makes a fault a failure: a name that Clio does not know, a foreign address, a few bytes or seconds.
HOW = {
    "status": "502", "refused": "422", "body": '{"data": [{"id": 1001, "last_name": "Zäpfelbäck"', "rate_limited": "1",
    "slow": "0.01", "cut": "40", "short": "40", "drip": "0", "bomb": "64", "unknown_field": "last_name",
    "next": "https://evil.test/?name=Zäpfelbäck", "redirect": "https://evil.test/?name=Zäpfelbäck",
}  # fmt: skip


@pytest.fixture
def firm(idle: World) -> SlicedFirm:
    """A firm with a person whose values occur nowhere else."""
    idle.simulator.firms[0].put("contact", PERSON)
    return SlicedFirm(idle, within())


def secrets(world: World) -> Iterator[str]:
    """Yield the secrets of the service and of its logins."""
    yield from (TOKEN, KEY)
    for one in world.simulator.oauth["us"]._grants.values():
        yield from (one.access_token, one.refresh_token)


async def test_a_client_is_named_in_no_log_metric_problem_or_address(
    firm: SlicedFirm, capsys: pytest.CaptureFixture[str]
):
    log_everything()
    world, faults, ended = firm.world, firm.world.simulator.faults, []
    for effect in get_args(Effect):
        faults.clear()
        faults.add(Fault(effect, path="contacts", times=8, value=HOW.get(effect, "")))
        run_id = await firm.ask("full")
        for _ in range(3):
            if await firm.attempt(run_id) is None:
                break
        await world.api.post(f"{HP}/runs/{run_id}/cancel")
        ended.append((await world.api.get(f"{HP}/runs/{run_id}")).json())
    faults.clear()
    for number, effect in enumerate(get_args(WriteEffect)):
        faults.clear()
        value = "0.01" if effect in ("slow", "late") else ""
        faults.add(WriteFault(effect, times=1, value=value))
        text = {"subject": "Üblicher Betreff", "body": f"Geheimer Töxt {number}"}
        key = {"Idempotency-Key": f"note-{number}"}
        note = {**NOTE, **text, "clio_contact_id": "1001"}
        assert (await world.api.post(f"{HP}/activities", json=note, headers=key)).is_success
        await do_slices(world.app.state.services, Lane.WRITE_BACK)
    problems = [problem for run in ended for problem in run["problems"]]
    assert {problem["code"] for problem in problems} > {"clio_unavailable"}
    shown = capsys.readouterr()
    outputs: dict[str, Any] = {
        "log": shown.out + shown.err,
        "metrics": (await world.api.get("/metrics")).text,
        "problems": str(problems),
        "issues": str([issue async for issue in world.all("issues")]),
        "health": (await world.api.get(f"{HP}/health")).text,
        "addresses": " ".join(f"{one.path}?{one.query}" for one in world.simulator.requests()),
    }
    assert shown.err.count("run_started") == len(get_args(Effect))
    wanted = [value for value in {*VALUES, *MORE, *secrets(world)} if len(value) > 3]
    assert len(wanted) > 30
    for name, output in outputs.items():  # as they are, and as an address has them
        assert [value for value in wanted if value in output or quote(value) in output] == [], name
