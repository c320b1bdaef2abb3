"""The simulated Clio's bad days, over a real socket where it takes one (clio.md §20.20)."""

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
    """The same Clio behind a real port, asked with the visitor's token."""
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
    """Whether somebody listens there already."""
    with suppress(httpx.ConnectError):
        return (await http.get("users.json")).is_success
    return False


@pytest.mark.parametrize("status", ["500", "502", "503", "504"])
async def test_an_outage_is_a_page_of_html_and_then_all_is_well(clio, ann, status):
    # clio.md §20.20
    clio.faults.add(Fault("status", path="contacts", times=2, value=status))
    answers = [await ann.get(CONTACTS) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [int(status), int(status), 200]
    assert answers[0].headers["content-type"].startswith("text/html")


async def test_a_page_of_html_may_come_with_200(clio, ann):
    # clio.md §20.20
    clio.faults.add(Fault("html", path="contacts"))
    answer = await ann.get(CONTACTS)
    assert answer.status_code == 200
    assert answer.text.startswith("<html>")


async def test_a_dropped_connection_gives_no_answer_and_the_next_is_served(clio, ann):
    # clio.md §20.20
    async with on_a_socket(clio, ann) as http:
        clio.faults.add(Fault("drop", path="contacts", times=2))
        for _ in range(2):
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                await http.get(CONTACTS)
        assert (await http.get(CONTACTS)).status_code == 200


async def test_without_a_socket_a_dropped_connection_breaks_the_call(clio, ann):
    # clio.md §20.20
    clio.faults.add(Fault("drop", path="contacts"))
    with pytest.raises(ConnectionResetError):
        await ann.get(CONTACTS)


@pytest.mark.parametrize("sent", [0, 1, 200])
async def test_an_answer_is_cut_at_a_byte_before_the_length_it_promised(clio, ann, sent):
    # clio.md §20.20
    async with on_a_socket(clio, ann) as http:
        whole = (await http.get(CONTACTS)).content
        clio.faults.add(Fault("cut", path="contacts", value=str(sent)))
        text = f"received {sent} bytes, expected {len(whole)}"
        with pytest.raises(httpx.RemoteProtocolError, match=text):
            await http.get(CONTACTS)
        assert (await http.get(CONTACTS)).content == whole


@pytest.mark.parametrize("sent", ["", "0", "200"])
async def test_an_answer_may_be_short_and_say_so_rightly(clio, ann, sent):
    # clio.md §20.20
    async with on_a_socket(clio, ann) as http:
        whole = (await http.get(CONTACTS)).content
        clio.faults.add(Fault("short", path="contacts", value=sent))
        short = await http.get(CONTACTS)
        assert short.content == whole[: int(sent) if sent else len(whole) // 2]
        assert short.headers["content-length"] == str(len(short.content))
        with pytest.raises(json.JSONDecodeError):
            short.json()


async def test_a_slow_answer_comes_late(clio, ann):
    # clio.md §20.20
    clio.faults.add(Fault("slow", path="contacts", value="0.2"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await ann.get(CONTACTS)
    assert (await ann.get(CONTACTS)).status_code == 200


async def test_a_dripping_answer_never_stalls_and_never_ends_in_time(clio, ann):
    # clio.md §20.20: each byte is in time for a limit on reading, the whole is not
    async with on_a_socket(clio, ann) as http:
        clio.faults.add(Fault("drip", path="contacts", value="0.01"))
        began = asyncio.get_running_loop().time()
        async with (
            http.stream("GET", CONTACTS) as answer,
            aclosing(answer.aiter_raw()) as drops,  # type: ignore[type-var]
        ):
            sizes = [len(await anext(drops)) for _ in range(4)]
        took = asyncio.get_running_loop().time() - began
        assert sum(sizes) < int(answer.headers["content-length"]) / 10
        assert took >= 0.01 * (sum(sizes) - 1)
        clio.faults.add(Fault("drip", path="who_am_i", value="0"))
        assert (await http.get("users/who_am_i.json")).json()["data"]["id"] == 501


async def test_a_bomb_is_small_on_the_wire(clio, ann):
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


async def test_faults_can_be_steered_from_another_process(clio, ann):
    async with on_a_socket(clio, ann) as http:
        fault = {"effect": "cut", "path": "contacts", "value": "9"}
        steered = await http.post(http.base_url.join("/_simulator/faults"), json=fault)
        assert steered.status_code == 204
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get(CONTACTS)
        habits = {"tells_records": False, "clamps_limit": True}
        assert (
            await http.post(http.base_url.join("/_simulator/quirks"), json=habits)
        ).status_code == 204
        answer = await http.get(CONTACTS, params={"limit": "999"})
        assert answer.json()["meta"].keys() == {"paging"}


async def test_faults_hit_the_end_of_an_authorisation_too(clio, ann):
    clio.faults.add(Fault("status", path="/oauth/deauthorize", value="502"))
    form = {"token": ann.tokens["access_token"]}
    answers = [await ann.http.post("/oauth/deauthorize", data=form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [502, 200]
