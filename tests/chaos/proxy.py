"""A proxy that injects network faults: it drops requests, loses, cuts or delays responses, at random from a seed.

It parses HTTP/1.1 only to find the end of each request and response. The fault is drawn for each exchange.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.chaos.loops import loop_thread

MAX_HEADERS = 64 * 1024  # bytes
_BODY = b"<html><h1>502 Bad Gateway</h1></html>"
ERROR_PAGE = (
    b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: %d\r\n\r\n%b"
    % (len(_BODY), _BODY)
)


@dataclass(frozen=True)
class FaultRates:
    """The probability of each fault, from 0 to 1; all other exchanges are forwarded."""

    drop: float = 0.0  # the request is not forwarded
    lose: float = 0.0  # the request is forwarded, the response is not
    cut: float = 0.0  # half of the response is forwarded
    delay: float = 0.0  # the response is forwarded late
    page: float = 0.0  # the request is not forwarded; the response is an error page of the proxy
    longest_delay: float = 0.3


@dataclass
class Proxy:
    """A listener on one port that forwards to another one, with faults according to `rates`; counts the exchanges."""

    port: int
    target: int
    seed: int
    rates: FaultRates = FaultRates()
    counts: Counter[str] = field(default_factory=Counter)
    in_flight: dict[int, str] = field(default_factory=dict)
    """The first line of each request that has no response yet, by the port of the client."""

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)  # noqa: S311

    def draw_fault(self) -> str:
        """Return the fault for the next exchange, or `forwarded` for none."""
        drawn, rates = self._rng.random(), self.rates
        for name in ("drop", "lose", "cut", "delay", "page"):
            drawn -= getattr(rates, name)
            if drawn < 0:
                return name
        return "forwarded"

    async def relay(
        self, client_reader: asyncio.StreamReader, client_writer: asyncio.StreamWriter
    ) -> None:
        """Serve one connection until a peer closes it or a fault ends it."""
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.target)
            try:
                while await self._exchange(
                    client_reader, client_writer, server_reader, server_writer
                ):
                    pass
            finally:
                server_writer.close()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a peer closed its connection, so the other one is closed too
        finally:
            client_writer.close()

    async def _exchange(
        self,
        client_reader: asyncio.StreamReader,
        client_writer: asyncio.StreamWriter,
        server_reader: asyncio.StreamReader,
        server_writer: asyncio.StreamWriter,
    ) -> bool:
        """Relay one request and its response; return False if the connection must be closed."""
        request = await _read_message(client_reader)
        port: int = client_writer.get_extra_info("peername")[1]
        self.in_flight[port] = request.partition(b"\r\n")[0].decode()
        try:
            return await self._answer(request, client_writer, server_reader, server_writer)
        finally:
            del self.in_flight[port]

    async def _answer(
        self,
        request: bytes,
        client_writer: asyncio.StreamWriter,
        server_reader: asyncio.StreamReader,
        server_writer: asyncio.StreamWriter,
    ) -> bool:
        fault = self.draw_fault()
        self.counts[fault] += 1
        if fault == "drop":
            return False
        if fault == "page":
            client_writer.write(ERROR_PAGE)
            await client_writer.drain()
            return True
        server_writer.write(request)
        await server_writer.drain()
        response = await _read_message(server_reader)
        if fault == "lose":
            return False
        if fault == "delay":
            await asyncio.sleep(self._rng.uniform(0, self.rates.longest_delay))
        client_writer.write(response[: len(response) // 2] if fault == "cut" else response)
        await client_writer.drain()
        return fault != "cut"


async def _read_message(reader: asyncio.StreamReader) -> bytes:
    """Return one complete request or response."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").lower().split("\r\n")
    sizes = [line.split(":", 1)[1] for line in lines if line.startswith("content-length:")]
    return head + await reader.readexactly(int(sizes[0]) if sizes else 0)


@contextmanager
def running(proxy: Proxy) -> Iterator[Proxy]:
    """Run the proxy in a thread until the block ends."""
    with loop_thread() as loop:
        server = loop.run(_start(proxy))
        try:
            yield proxy
        finally:
            loop.run(_end(server))


async def _start(proxy: Proxy) -> asyncio.Server:
    return await asyncio.start_server(proxy.relay, "127.0.0.1", proxy.port, limit=MAX_HEADERS)


async def _end(server: asyncio.Server) -> None:
    """Close the listener and every connection."""
    server.close()
    relays = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in relays:
        task.cancel()
    for task in relays:
        with suppress(asyncio.CancelledError, OSError):
            await task
