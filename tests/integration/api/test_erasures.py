"""Receipts of erasures: what they show, to whom, and for how long [S15]."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import time_machine

from app import main
from tests.support.retention import delete_expired
from tests.support.sessions import as_owner
from tests.support.world import World

HP = "/v1/accounts/hp"


async def seen(
    world: World, address: str, headers: Mapping[str, str] = MappingProxyType({})
) -> Any:
    """Return status and body of a receipt, as the holder of a token sees it."""
    answer = await world.api.get(address, headers=headers)
    return answer.status_code, answer.json()


async def test_a_receipt_is_visible_to_the_tokens_of_its_account_and_to_nobody_else(pulled: World):
    # T2: although the account is gone
    tokens = {name: (await pulled.create_token(name))[0] for name in ("hp", "other")}
    answer = await pulled.api.delete(HP, headers={"Levitate-User": "u_boss"})
    assert (answer.status_code, answer.text) == (202, "")
    address = answer.headers["location"]
    while (await seen(pulled, address))[1]["status"] == "running":
        pass
    status, receipt = await seen(pulled, address, tokens["hp"])
    assert status == 200
    assert receipt.pop("requested_at") < receipt.pop("finished_at")
    assert receipt == {
        "id": address.rpartition("/")[2],
        "subject": {"kind": "account", "id": "hp"},
        "status": "done",
        "requested_by": "u_boss",
        "remaining": [],
    }
    for path, token in ((address, tokens["other"]), ("/v1/erasures/era_1", tokens["hp"])):
        status, problem = await seen(pulled, path, token)
        assert (status, problem["code"]) == (404, "erasure_not_found")
    status, problem = await seen(pulled, address, {"Levitate-Role": "user"})
    assert (status, problem["code"]) == (403, "role_required")


async def test_the_erasure_of_a_person_is_done_at_once_and_its_receipt_is_kept_for_a_year(
    pulled: World,
):
    contact_id = (await pulled.contacts())["1002"]["id"]
    answer = await pulled.api.delete(f"{HP}/contacts/{contact_id}")
    assert (answer.status_code, answer.text) == (204, "")
    address = answer.headers["location"]
    _, receipt = await seen(pulled, address)
    assert receipt["status"] == "done"
    kept = ["kept_hash", "kept_feed_line", "kept_audit", "kept_matters"]  # as in docs/retention.md
    assert [one["code"] for one in receipt["remaining"]] == kept
    assert receipt["subject"] == {"kind": "contact", "id": contact_id}
    for days, status in ((364, 200), (366, 404)):
        with time_machine.travel(main.now() + timedelta(days=days), tick=True):
            async with as_owner(pulled.app.state.services.database) as session:
                await delete_expired(session, now=main.now())
        assert (await seen(pulled, address))[0] == status
    assert (await pulled.erase())[
        "status"
    ] == "done"  # the person's receipt did not hide the account


async def test_an_account_is_running_until_its_rows_are_deleted_and_then_exists_no_more(
    pulled: World,
):
    async with pulled.clio_transport.paused("/oauth/deauthorize"):
        address = (await pulled.api.delete(HP)).headers["location"]
        await pulled.clio_transport.waiting.wait()
        await pulled.none_left("select count(*) from accounts")  # beside that, Clio is told
        _, receipt = await seen(pulled, address)
        assert (receipt["status"], receipt["finished_at"]) == ("running", None)
        assert [each["code"] for each in receipt["remaining"]] == ["deauthorization"]
        assert "u_ann" in receipt["remaining"][0]["detail"]
    while (await seen(pulled, address))[1]["status"] == "running":
        pass
    await pulled.create_account()
    assert (await pulled.api.get(f"{HP}/connections")).json()["data"] == []
