"""The faults of the simulated Clio, over a real socket where one is needed (clio.md §20.20)."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress

import httpx
import pytest

from app.simulator.faults.faults import Fault
from app.simulator.http import sockets
from tests.support.ports import free_port
from tests.support.visitor import Visitor

PATIENCE = 60.0
CONTACTS = "contacts.json?order=id(asc)&fields=id,name"


@asynccontextmanager
async def on_a_socket(clio, visitor: Visitor) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the same Clio on a real port, and yield a client with the visitor's token."""
    port = free_port()
    serving = asyncio.ensure_future(sockets.run(clio, "127.0.0.1", {"us": port}))
    headers = {"Authorization": f"Bearer {visitor.tokens['access_token']}"}
    base = f"http://127.0.0.1:{port}/api/v4/"
    async with httpx.AsyncClient(
        base_url=base, headers=headers, timeout=PATIENCE, trust_env=False
    ) as http:
        async with asyncio.timeout(PATIENCE):
            while not await answers(http):
                await asyncio.sleep(0.02)
        yield http
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


async def answers(http: httpx.AsyncClient) -> bool:
    """Return whether the server accepts requests."""
    with suppress(httpx.ConnectError):
        return (await http.get("users.json")).is_success
    return False


@pytest.mark.parametrize("status", ["500", "502", "503", "504"])
async def test_an_outage_returns_an_html_page_and_later_requests_succeed(clio, ann, status):
    # clio.md §20.20
    clio.faults.add(Fault("status", path="contacts", times=2, value=status))
    answers = [await ann.get(CONTACTS) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [int(status), int(status), 200]
    assert answers[0].headers["content-type"].startswith("text/html")


async def test_an_html_page_can_have_status_200(clio, ann):
    # clio.md §20.20
    clio.faults.add(Fault("html", path="contacts"))
    answer = await ann.get(CONTACTS)
    assert answer.status_code == 200
    assert answer.text.startswith("<html>")


@pytest.mark.parametrize("path", ["contacts.json", "contacts/1001.json"])
async def test_the_first_record_of_a_list_or_a_single_one_gets_an_id_that_is_no_number(
    clio, ann, path
):
    clio.faults.add(Fault("poison", path="contacts"))
    data = (await ann.get(f"{path}?fields=id")).json()["data"]
    record = data[0] if isinstance(data, list) else data
    assert record["id"] == "not a number"


async def test_a_dropped_connection_has_no_response_and_the_next_request_succeeds(clio, ann):
    # clio.md §20.20
    async with on_a_socket(clio, ann) as http:
        clio.faults.add(Fault("drop", path="contacts", times=2))
        for _ in range(2):
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                await http.get(CONTACTS)
        assert (await http.get(CONTACTS)).status_code == 200


async def test_without_a_socket_a_dropped_connection_raises(clio, ann):
    # clio.md §20.20
    clio.faults.add(Fault("drop", path="contacts"))
    with pytest.raises(ConnectionResetError):
        await ann.get(CONTACTS)


@pytest.mark.parametrize("sent", [0, 1, 200])
async def test_a_response_is_cut_before_its_announced_length(clio, ann, sent):
    # clio.md §20.20
    async with on_a_socket(clio, ann) as http:
        whole = (await http.get(CONTACTS)).content
        clio.faults.add(Fault("cut", path="contacts", value=str(sent)))
        text = f"received {sent} bytes, expected {len(whole)}"
        with pytest.raises(httpx.RemoteProtocolError, match=text):
            await http.get(CONTACTS)
        assert (await http.get(CONTACTS)).content == whole


@pytest.mark.parametrize("sent", ["", "0", "200"])
async def test_a_short_response_has_its_real_length(clio, ann, sent):
    # clio.md §20.20
    async with on_a_socket(clio, ann) as http:
        whole = (await http.get(CONTACTS)).content
        clio.faults.add(Fault("short", path="contacts", value=sent))
        short = await http.get(CONTACTS)
        assert short.content == whole[: int(sent) if sent else len(whole) // 2]
        assert short.headers["content-length"] == str(len(short.content))
        with pytest.raises(json.JSONDecodeError):
            short.json()


async def test_a_slow_response_takes_longer_than_a_timeout(clio, ann):
    # clio.md §20.20
    clio.faults.add(Fault("slow", path="contacts", value="0.2"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await ann.get(CONTACTS)
    assert (await ann.get(CONTACTS)).status_code == 200


async def test_a_dripping_response_sends_bytes_but_does_not_end_in_time(clio, ann):
    # clio.md §20.20: each byte meets a read timeout, the whole response does not end in time
    async with on_a_socket(clio, ann) as http:
        clio.faults.add(Fault("drip", path="contacts", value="0.01"))
        began = asyncio.get_running_loop().time()
        async with (
            http.stream("GET", CONTACTS) as answer,
            aclosing(answer.aiter_raw()) as chunks,  # type: ignore[type-var]
        ):
            sizes = [len(await anext(chunks)) for _ in range(4)]
        took = asyncio.get_running_loop().time() - began
        assert sum(sizes) < int(answer.headers["content-length"]) / 10
        assert took >= 0.01 * (sum(sizes) - 1)
        clio.faults.add(Fault("drip", path="who_am_i", value="0"))
        assert (await http.get("users/who_am_i.json")).json()["data"]["id"] == 501


async def test_a_bomb_is_small_before_it_is_unpacked(clio, ann):
    # clio.md §20.20
    async with on_a_socket(clio, ann) as http:
        clio.faults.add(Fault("bomb", path="contacts", value="40"))
        async with http.stream("GET", CONTACTS) as answer:
            wire = b"".join([piece async for piece in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert len(wire) < 400_000
    assert len(gzip.decompress(wire)) == 40_000_000


async def test_faults_hit_the_token_endpoint_too(clio, ann):
    # clio.md §20.20
    clio.faults.add(Fault("status", path="/oauth/token", value="503"))
    clio.faults.add(Fault("html", path="/oauth/token"))
    assert [(await ann.refresh()).status_code for _ in range(3)] == [503, 200, 200]


async def test_another_process_can_switch_faults_and_quirks(clio, ann):
    async with on_a_socket(clio, ann) as http:
        fault = {"effect": "cut", "path": "contacts", "value": "9"}
        added = await http.post(http.base_url.join("/_simulator/faults"), json=fault)
        assert added.status_code == 204
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get(CONTACTS)
        quirks = {"tells_records": False, "clamps_limit": True}
        assert (
            await http.post(http.base_url.join("/_simulator/quirks"), json=quirks)
        ).status_code == 204
        answer = await http.get(CONTACTS, params={"limit": "999"})
        assert answer.json()["meta"].keys() == {"paging"}


async def test_faults_hit_the_deauthorise_endpoint_too(clio, ann):
    clio.faults.add(Fault("status", path="/oauth/deauthorize", value="502"))
    form = {"token": ann.tokens["access_token"]}
    answers = [await ann.http.post("/oauth/deauthorize", data=form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [502, 200]
