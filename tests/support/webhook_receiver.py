"""A receiver of events for tests: a small HTTP server on loopback that answers as configured and keeps every post."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.main import now


@dataclass(frozen=True)
class Received:
    """One post, and when its first line came."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: datetime


@dataclass
class Receiver:
    """The behaviour of the server. `answer` returns the status for a post, or the raw bytes of the response."""

    answer: Callable[[Received], int | bytes] = lambda _: 204
    port: int = 0
    received: list[Received] = field(default_factory=list)
    posting: set[int] = field(default_factory=set)
    """The ports of the clients whose posts have no response yet."""

    delay: float = 0.0
    answers: asyncio.Event | None = None  # no post is answered until this is set
    endless: bool = False
    piece: bytes = b"x" * 65536  # of an endless response, with `pause` seconds between two of them
    pause: float = 0.0
    sent: int = 0  # bytes of endless responses
    most_at_once: int = 0
    endpoint: dict[str, Any] = field(default_factory=dict)  # as the API returned it

    @property
    def url(self) -> str:
        """Return the address of the server."""
        return f"http://127.0.0.1:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the posts of one connection."""
        try:
            while line := await reader.readline():
                await self._one(line, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _one(
        self, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        headers, at = dict[str, str](), now()
        while (row := await reader.readline()) not in (b"\r\n", b""):
            name, _, value = row.decode().partition(":")
            headers[name.strip().lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        post = Received(line.decode().split()[1], headers, body, at)
        port: int = writer.get_extra_info("peername")[1]
        self.received.append(post)
        self.posting.add(port)
        self.most_at_once = max(self.most_at_once, len(self.posting))
        try:
            if self.delay:
                await asyncio.sleep(self.delay)
            if self.answers:
                await self.answers.wait()
            answer = self.answer(post)
            if isinstance(answer, int):
                answer = f"HTTP/1.1 {answer} x\r\ncontent-length: 0\r\n\r\n".encode()
            writer.write(answer)
            await writer.drain()
            while self.endless:
                writer.write(self.piece)
                await writer.drain()
                self.sent += len(self.piece)
                await asyncio.sleep(self.pause)
        finally:
            self.posting.discard(port)


@asynccontextmanager
async def receiving(
    receiver: Receiver | None = None, tls: ssl.SSLContext | None = None, **how: Any
) -> AsyncIterator[Receiver]:
    """Run a receiver until the block ends."""
    receiver = receiver or Receiver(**how)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", receiver.port, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver
        server.close()
