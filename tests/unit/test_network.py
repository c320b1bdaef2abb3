"""No test can reach the network: a connection to another machine is refused at once."""

import asyncio
import socket

import httpx
import pytest
from pydantic import SecretStr
from pytest_socket import SocketConnectBlockedError

from app.clio.oauth import ClioOAuth, Tokens
from app.clio.regions import ClioApp, Region
from app.clio.responses import http_client
from tests.support.scripted_clio import NOW, ORIGIN

REFUSED = pytest.RaisesGroup(  # the clients try several addresses at the same time
    SocketConnectBlockedError, allow_unwrapped=True, flatten_subgroups=True
)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=["v4", "v6"])
def test_a_connection_to_another_machine_is_refused_at_once(family: socket.AddressFamily):
    address = ("192.0.2.1", 443) if family is socket.AF_INET else ("2001:db8::1", 443)
    with socket.socket(family) as outgoing, pytest.raises(SocketConnectBlockedError):
        outgoing.connect(address)


async def test_the_event_loop_cannot_connect_to_another_machine():
    with pytest.raises(SocketConnectBlockedError):
        await asyncio.open_connection("192.0.2.1", 443)


async def test_a_name_cannot_be_looked_up():
    for name in ("app.clio.com", "levitate.test"):
        with pytest.raises(OSError, match="tried to look up"):
            await asyncio.get_running_loop().getaddrinfo(name, 443)


async def test_our_own_clients_reach_no_host_without_a_transport():
    async with http_client() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{ORIGIN}/api/v4/contacts.json")
        with REFUSED:
            await client.get("https://192.0.2.1/")
    speaker = ClioOAuth(ClioApp(Region.US, "https://192.0.2.1", "id", SecretStr("secret")))
    with REFUSED:
        await speaker.deauthorize(Tokens(SecretStr("a"), SecretStr("b"), NOW))


async def test_this_machine_can_be_reached():
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await reader.read() == b"hello"
        writer.close()
        await writer.wait_closed()
