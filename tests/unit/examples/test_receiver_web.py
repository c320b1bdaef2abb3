"""The addresses of `examples/receiver`: only genuine webhooks count, and decisions are made in the name of a user.

NC-8, S5, T11, T12.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from levitate_clio import AsyncClio, Retries, webhooks
from receiver.held import Desk
from receiver.store import Store
from receiver.web import LARGEST_BODY, Web, create_app

from app.main import now
from tests.support.scripted_api import ScriptedApi, event, page, problem, scripted
from tests.unit.examples.test_receiver import example, rows

OLD, NEW = (f"whsec_{base64.b64encode(text).decode()}" for text in (b"a test", b"another test"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "receiver.db")) as opened:
        yield opened


@asynccontextmanager
async def asking(
    store: Store, service: ScriptedApi, changed: asyncio.Event | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a browser of the receiver, which uses this service."""
    desk = Desk(service.client(AsyncClio, retries=Retries(0)), "hp", store)
    app = create_app(Web(desk, [OLD, NEW], "secret", changed or asyncio.Event()))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://receiver.test", auth=("u_1", "secret")
    ) as browser:
        yield browser


def signed(body: bytes, secret: str = NEW, event_id: str = "evt_1") -> dict[str, Any]:
    return {"content": body, "headers": webhooks.sign(body, secret, event_id, now())}


def body_of(**data: Any) -> bytes:
    return json.dumps(event("evt_1", contact_id="con_1", **data)).encode()


async def test_a_genuine_webhook_is_stored_before_it_is_answered(store: Store, tmp_path: Path):
    changed = asyncio.Event()
    async with asking(store, scripted(), changed) as browser:
        for secret in (OLD, NEW, NEW):
            answer = await browser.post("/webhook", **signed(body_of(account_id="hp"), secret))
            assert answer.status_code == 204
    started = rows(tmp_path / "receiver.db", "select contact_id, starts from automations")
    assert started == [("con_1", 1)]
    assert changed.is_set()


async def test_a_webhook_that_is_not_genuine_too_long_or_of_another_firm_has_no_effect(
    store: Store, tmp_path: Path
):
    genuine = signed(body_of(account_id="hp"))
    long = signed(b" " * LARGEST_BODY + genuine["content"])
    async with asking(store, scripted()) as browser:
        changed = {**genuine, "content": genuine["content"].replace(b"con_1", b"con_2")}
        assert (await browser.post("/webhook", **changed)).status_code == 400
        assert (await browser.post("/webhook", content=genuine["content"])).status_code == 400
        assert (await browser.post("/webhook", **long)).status_code == 413
        other = signed(body_of(account_id="another firm"))
        assert (await browser.post("/webhook", **other)).status_code == 204
    assert rows(tmp_path / "receiver.db", "select * from handled_events") == []


async def test_an_event_that_cannot_be_stored_is_not_answered_with_success(store: Store):
    store.close()
    async with asking(store, scripted()) as browser:
        with pytest.raises(Exception, match="closed database"):
            await browser.post("/webhook", **signed(body_of(account_id="hp")))


def hold(**named: Any) -> dict[str, Any]:
    return {**example("list_holds"), "id": "hld_1", "kind": "removals", "status": "open", **named}


async def test_the_page_shows_new_clients_and_the_people_in_other_holds(store: Store):
    waits = {**example("list_new_clients"), "held_for": "surge", "id": "ncl_1"}
    of_a_run = {**waits, "held_for": "run", "id": "ncl_2"}
    future = {**waits, "held_for": "full moon", "id": "ncl_3"}
    item = {
        "id": "itm_1",
        "clio_id": "1",
        "contact_id": None,
        "name": "<i>Zoe</i>",
        "new_client": None,
        "change": None,
    }
    service = scripted(
        page([hold(id="hld_2", kind="new_clients", count=1473), hold()]),
        page([item]),
        page([of_a_run], "1"),
        page([waits, future]),
    )
    async with asking(store, service) as browser:
        answer = await browser.get("/held")
    assert answer.headers["cache-control"] == "no-store"
    assert "(1473)" in answer.text
    assert [one in answer.text for one in ("ncl_1", "ncl_2", "ncl_3", "hld_1", "hld_2")] == [
        True, False, True, True, False,
    ]  # fmt: skip
    assert "&lt;i&gt;Zoe" in answer.text


@pytest.mark.parametrize("ids", [["itm_1", "itm_2"], []])
@pytest.mark.parametrize(
    ("decision", "operation"), [("release", "release"), ("suppress", "discard")]
)
async def test_a_hold_is_decided_as_a_whole_or_in_part_in_the_name_of_the_user(
    store: Store, decision: str, operation: str, ids: list[str]
):
    service = scripted(httpx.Response(200, json=hold()))
    async with asking(store, service) as browser:
        form = {"decision": decision, "ids": ids}
        answer = await browser.post("/held/holds/hld_1", data=form)
    (request,) = service.requests
    assert answer.status_code == 303
    assert request.url.path == f"/v1/accounts/hp/holds/hld_1/{operation}"
    assert json.loads(request.content) == ({"ids": ids} if ids else {})
    assert request.headers["levitate-user"] == "u_1"
    assert request.headers["levitate-role"] == "success_manager"


async def test_what_the_service_says_about_a_refused_decision_is_shown(store: Store):
    refused = problem(409, "hold_decided", detail="Somebody has decided already.")
    service = scripted(refused, httpx.ConnectError("down"))
    async with asking(store, service) as browser:
        form = {"decision": "release"}
        answers = [await browser.post("/held/holds/hld_1", data=form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [409, 503]
    assert answers[0].text == "Somebody has decided already."
    assert "Try again later" in answers[1].text


async def test_only_users_decide_and_only_on_the_page_itself(store: Store):
    service = scripted(page([]), page([]))
    body = {"decision": "release", "ids": ["ncl_1"], "request_id": "1"}
    cross = {"Sec-Fetch-Site": "cross-site"}
    async with asking(store, service) as browser:
        assert (await browser.post("/held.json", json=body, headers=cross)).status_code == 403
        for path in ("/held", "/held.json"):
            assert (await browser.get(path, auth=("u_1", "another"))).status_code == 401
        refused = await browser.post("/held.json", json=body, auth=("u_1", "another"))
        assert refused.status_code == 401
        assert service.requests == []
        linked = await browser.get("/held", headers=cross)  # a link to the page
    assert "Nobody waits." in linked.text
