"""The simulated Clio is as strict with notes and communications as Clio is (clio.md §20.15, §20.16)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app import main
from app.simulator.firms.harlow_pike import harlow_pike
from app.simulator.http.oauth import SERVICE_WRITES, App, Grant
from app.simulator.http.server import Simulator

NOTE = {"type": "Contact", "contact": {"id": 1001}, "subject": "s", "detail": "d"}
CALL: dict[str, Any] = {
    "type": "PhoneCommunication",
    "subject": "s",
    "body": "b",
    "received_at": "2026-03-02T12:00:00Z",
    "senders": [{"id": 501, "type": "User"}],
    "receivers": [{"id": 1001, "type": "Contact"}],
    "external_properties": [{"name": "n", "value": "v"}],
}


@pytest.fixture
async def clio() -> AsyncIterator[httpx.AsyncClient]:
    """A client that sends requests as Ann; `Bearer 503` sends them as Cat, who sees few contacts."""
    redirect = ["http://service.test/cb"]
    sim = Simulator([harlow_pike(main.now)], now=main.now, redirect_uris=redirect, rate_limit=9999)
    for user in (501, 503):
        until = main.now() + timedelta(days=1)
        app = App("levitate-us", "secret", SERVICE_WRITES)
        sim.oauth["us"]._by_access[str(user)] = Grant(
            app, sim.firms[0], user, "r", str(user), until
        )
    transport = httpx.ASGITransport(sim.app("us"))
    headers = {"Authorization": "Bearer 501"}
    async with httpx.AsyncClient(
        transport=transport, base_url="https://app.clio.com/api/v4", headers=headers
    ) as client:
        yield client


REFUSED: list[tuple[str, dict[str, Any], int]] = [
    ("notes", {**NOTE, "type": None}, 422),
    ("notes", {"type": "Contact"}, 422),
    ("notes", {**NOTE, "matter": {"id": 201}}, 422),
    ("notes", {**NOTE, "contact": {"id": 9}}, 404),
    ("notes", {**NOTE, "author": {"id": 502}}, 422),
    ("notes", {**NOTE, "date": "2026-03-02T12:00:00Z"}, 422),
    ("notes", {**NOTE, "detail_text_type": "rich_text", "detail": "<script>x</script>"}, 422),
    ("notes", {**NOTE, "detail_text_type": "rich_text", "detail": '<a onclick="x">y</a>'}, 422),
    ("notes", {**NOTE, "detail": "x" * 65_536}, 422),
    ("communications", {**CALL, "type": "SmsCommunication"}, 422),
    ("communications", {**CALL, "body": ""}, 422),
    ("communications", {**CALL, "senders": [{"id": 1001, "type": "Person"}]}, 422),
    ("communications", {**CALL, "external_properties": CALL["external_properties"] * 6}, 422),
    ("communications", {**CALL, "received_at": "2026-03-02"}, 422),
]


@pytest.mark.parametrize(("path", "data", "status"), REFUSED)
async def test_invalid_notes_and_communications_are_refused(
    clio: httpx.AsyncClient, path, data, status
):
    answer = await clio.post(f"/{path}.json", json={"data": data})
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]


async def test_a_note_has_its_author_and_is_hidden_with_its_contact(clio: httpx.AsyncClient):
    fields = {"fields": "id,type,detail_text_type,author{id,name},contact{id}"}
    made = await clio.post("/notes.json", json={"data": NOTE}, params=fields)
    assert made.status_code == 201
    data = made.json()["data"]
    assert (data["author"]["id"], data["contact"]) == (501, {"id": 1001})
    assert data["detail_text_type"] == "plain_text"
    bare = await clio.post("/notes.json", json={"data": {**NOTE, "contact": {"id": 1006}}})
    assert bare.json()["data"].keys() == {"id", "etag"}
    assert (await clio.get("/notes.json")).status_code == 422
    cat = {"Authorization": "Bearer 503"}
    mine = (await clio.get("/notes.json?type=Contact")).json()["data"]
    hers = (await clio.get("/notes.json?type=Contact", headers=cat)).json()["data"]
    assert (len(mine), len(hers)) == (2, 1)
    path = f"/notes/{bare.json()['data']['id']}.json"
    assert (await clio.get(path, headers=cat)).status_code == 404
    assert (await clio.patch(path, json={"data": {"contact": {"id": 1}}})).status_code == 422
    stale = {"If-Match": '"other"'}
    changed = {"data": {"detail": "new"}}
    assert (await clio.patch(path, json=changed, headers=stale)).status_code == 412
    assert (await clio.patch(path, json=changed)).status_code == 200
    assert (await clio.delete(path)).status_code == 204
    assert (await clio.get(path)).status_code == 404


async def test_a_communication_is_found_by_its_external_property_and_has_the_types_of_its_participants(
    clio: httpx.AsyncClient,
):
    await clio.post("/communications.json", json={"data": CALL})
    earlier = {**CALL, "received_at": "2026-03-01T12:00:00Z", "external_properties": []}
    await clio.post("/communications.json", json={"data": earlier})
    listed = (await clio.get("/communications.json?fields=id,date")).json()["data"]
    assert [item["date"] for item in listed] == ["2026-03-01", "2026-03-02"]  # date(asc)
    fields = "fields=id,senders{id,type},receivers{id,type},external_properties{name,value}"
    by = "external_property_name=n&external_property_value=v"
    (found,) = (await clio.get(f"/communications.json?{by}&{fields}")).json()["data"]
    assert found["receivers"] == [{"id": 1001, "type": "Person"}]
    assert found["senders"] == [{"id": 501, "type": "User"}]
    refused = await clio.get("/communications.json?external_property_value=v")
    assert refused.status_code == 400
    page = (await clio.get("/communications.json?limit=1&order=id(asc)")).json()
    rest = (await clio.get(page["meta"]["paging"]["next"])).json()
    assert page["data"] != rest["data"]
    assert "next" not in rest["meta"]["paging"]
    assert (await clio.get("/communications.json?fields=id,nothing")).status_code == 400


async def test_answers_about_notes_and_communications_name_their_charset(clio):
    answers = []
    for path, new, change in (
        ("notes", NOTE, {"detail": "x"}),
        ("communications", CALL, {"body": "x"}),
    ):
        made = await clio.post(f"/{path}.json", json={"data": new})
        single = f"/{path}/{made.json()['data']['id']}.json"
        answers += [
            made,
            await clio.get(f"/{path}.json", params={"type": new["type"]}),
            await clio.get(single),
            await clio.get(f"/{path}/999999.json"),
            await clio.post(f"/{path}.json", json={"data": {}}),
        ]
        if path == "communications":
            answers.append(await clio.patch(single, json={"data": change}))
    kinds = {answer.headers["content-type"] for answer in answers}
    assert kinds == {"application/json; charset=utf-8"}
