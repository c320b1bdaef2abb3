"""A faulty network before a server: by a seeded die it drops requests, loses answers, cuts them, or takes its time.

It reads HTTP/1.1 only so far that it knows where a request and an answer end. The die is cast for each exchange.
"""

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

LONGEST_HEAD = 64 * 1024


@dataclass(frozen=True)
class Odds:
    """How often each thing happens to an exchange, from 0 to 1; the rest goes through unharmed."""

    drop: float = 0.0  # the request never arrives
    lose: float = 0.0  # it arrives, and its answer is lost
    cut: float = 0.0  # half of its answer comes through
    delay: float = 0.0  # the answer comes late
    longest_delay: float = 0.3


@dataclass
class Proxy:
    """A listener on a port that relays to another. Faulty while `odds` say so; counts what it did."""

    port: int
    target: int
    seed: int
    odds: Odds = Odds()
    done: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311

    def cast(self) -> str:
        """What happens to the next exchange."""
        throw, chances = self._dice.random(), self.odds
        for name in ("drop", "lose", "cut", "delay"):
            throw -= getattr(chances, name)
            if throw < 0:
                return name
        return "through"

    async def relay(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """One connection: exchange after exchange, until somebody closes or the die says so."""
        try:
            far, forth = await asyncio.open_connection("127.0.0.1", self.target)
            try:
                while await self._exchange(near, back, far, forth):
                    pass
            finally:
                forth.close()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a peer went away: so does this connection
        finally:
            back.close()

    async def _exchange(
        self,
        near: asyncio.StreamReader,
        back: asyncio.StreamWriter,
        far: asyncio.StreamReader,
        forth: asyncio.StreamWriter,
    ) -> bool:
        request = await _message(near)
        fate = self.cast()
        self.done[fate] += 1
        if fate == "drop":
            return False
        forth.write(request)
        await forth.drain()
        answer = await _message(far)
        if fate == "lose":
            return False
        if fate == "delay":
            await asyncio.sleep(self._dice.uniform(0, self.odds.longest_delay))
        back.write(answer[: len(answer) // 2] if fate == "cut" else answer)
        await back.drain()
        return fate != "cut"


async def _message(reader: asyncio.StreamReader) -> bytes:
    """One request or answer, whole."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").lower().split("\r\n")
    sizes = [line.split(":", 1)[1] for line in lines if line.startswith("content-length:")]
    return head + await reader.readexactly(int(sizes[0]) if sizes else 0)


@contextmanager
def running(proxy: Proxy) -> Iterator[Proxy]:
    """The proxy at work in a thread of its own, until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(proxy.relay, "127.0.0.1", proxy.port, limit=LONGEST_HEAD)

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _end(server: asyncio.Server) -> None:
    """Close the listener and every connection."""
    server.close()
    relays = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in relays:
        task.cancel()
    for task in relays:
        with suppress(asyncio.CancelledError, OSError):
            await task
