"""Requests that a proxy could read differently are refused, on a real socket too.

T12; ASVS 2.4.1, 4.1.2, 4.2.1, 15.3.7.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import uvicorn

from app.cli.commands import MAX_HEADER_BYTES, server_config
from app.main import create_worker_app
from tests.support.openapi import openapi_document
from tests.support.ports import free_port
from tests.support.world import TOKEN, World

HEAD = f"GET /v1/accounts HTTP/1.1\r\nHost: service.test\r\nAuthorization: Bearer {TOKEN}\r\n"


@pytest.fixture
async def port(api: World) -> AsyncIterator[int]:
    """The port of a real server, configured as `serve` configures it."""
    config = server_config(api.app)
    config.port, config.lifespan = free_port(), "off"
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        yield config.port
        server.should_exit = True


async def exchange(port: int, *parts: bytes) -> bytes:
    """Send bytes, and return what is answered until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(60):
            return await reader.read()
    finally:
        writer.close()


async def test_a_request_with_large_headers_is_refused_before_all_of_them_are_read(port: int):
    line = b"X-Filler: " + b"a" * 8000 + b"\r\n"
    many = [line] * (2 * MAX_HEADER_BYTES // len(line))
    answer = b""
    with suppress(ConnectionError):  # it is closed while they arrive
        answer = await exchange(port, HEAD.encode(), *many, b"Connection: close\r\n\r\n")
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "lengths",
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: +5\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
    ],
)
async def test_a_request_whose_body_has_no_clear_end_is_refused(port: int, lengths: str):
    head = f"{HEAD}Connection: close\r\n{lengths}\r\n"
    answer = await exchange(port, head.encode(), b"0\r\n\r\n")
    assert answer.split(b" ")[1] in (b"400", b"422", b"501"), answer
    assert answer.count(b"HTTP/1.1") == 1


async def test_a_request_that_is_clear_is_answered(port: int):
    answer = await exchange(port, f"{HEAD}Connection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "name", ["Authorization", "Levitate-User", "Levitate-Role", "Idempotency-Key", "If-Match"]
)
async def test_a_header_that_is_sent_twice_is_refused(api: World, name: str):
    first = api.api.headers.get(name, "user")
    for values in ((first, first), (first, "success_manager")):
        sent = [*api.api.headers.items(), *((name, value) for value in values)]
        sent = [
            *[one for one in sent if one[0].lower() != name.lower()],
            *((name, v) for v in values),
        ]
        answer = await api.api.send(api.api.build_request("GET", "/v1/accounts/hp", headers=sent))
        assert answer.status_code == 422, name
        (error,) = answer.json()["errors"]
        assert error == {
            "pointer": f"header:{name.lower()}",
            "detail": "is sent more than once; send it once",
        }


async def test_a_parameter_that_is_sent_twice_is_refused(api: World):
    for query in ("limit=1&limit=2", "limit=1&limit=1", "limit=&limit=5", "li%6Dit=1&limit=2"):
        answer = await api.api.get(f"/v1/accounts/hp/audit?{query}")
        assert answer.status_code == 422, query
        assert [error["pointer"] for error in answer.json()["errors"]] == ["query:limit"]


async def test_no_path_redirects_to_itself_with_or_without_a_slash(api: World):
    # the redirect would go to the host that the request names, for every method
    services = api.app.state.start
    worker = create_worker_app(services.config, services.address)
    paths = [*openapi_document()["paths"], "/static", "/docs", "/openapi.json"]
    for app in (api.app, worker):
        assert not app.router.redirect_slashes
    for path in paths:
        for other in (f"{path}/", path.rstrip("/") or "/"):
            for method in ("GET", "PUT"):
                answer = await api.api.request(method, other.replace("{account_id}", "hp"))
                assert "location" not in answer.headers or "/oauth/" in other, (method, other)
