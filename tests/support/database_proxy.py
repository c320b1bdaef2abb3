"""A proxy in front of PostgreSQL that a test can make refuse connections, fall silent or become slow."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit


class DatabaseProxy:
    """Forwards connections to a server while it is `open`.

    `refuse` ends all connections and refuses new ones. `silence` accepts connections and forwards nothing. `slow_down`
    delays everything that is sent, in both directions.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._open = asyncio.Event()
        self._open.set()
        self._refusing = False
        self._delay = 0.0
        self._writers: set[asyncio.StreamWriter] = set()
        self.dsn = ""

    def refuse(self) -> None:
        """End all connections, and each new one at once."""
        self._refusing = True
        for writer in self._writers:
            writer.close()

    def silence(self) -> None:
        """Forward nothing from now on."""
        self._open.clear()

    def slow_down(self, seconds: float) -> None:
        """Delay everything that is sent by this time."""
        self._delay = seconds

    def restore(self) -> None:
        """Forward everything again, at once."""
        self._refusing = False
        self._delay = 0.0
        self._open.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection until a peer closes it."""
        if self._refusing:
            writer.close()
            return
        try:
            server_reader, server_writer = await self._connect()
        except OSError:  # the server is stopped
            writer.close()
            return
        self._writers |= {writer, server_writer}
        async with asyncio.TaskGroup() as group:
            group.create_task(self._forward(reader, server_writer))
            group.create_task(self._forward(server_reader, writer))
        self._writers -= {writer, server_writer}

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while part := await reader.read(65536):
                await self._open.wait()
                if self._delay:
                    await asyncio.sleep(self._delay)
                writer.write(part)
                await writer.drain()
        writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        address = urlsplit(self._dsn)
        folder = parse_qs(address.query).get("host")
        if folder:
            return await asyncio.open_unix_connection(f"{folder[0]}/.s.PGSQL.5432")
        return await asyncio.open_connection(address.hostname, address.port or 5432)


@asynccontextmanager
async def database_proxy(dsn: str) -> AsyncIterator[DatabaseProxy]:
    """Run a proxy in front of the server of this address; its `dsn` is the address through the proxy."""
    proxy = DatabaseProxy(dsn)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    address = urlsplit(dsn)
    login = address.netloc.rpartition("@")[0]
    proxy.dsn = f"postgresql://{login}@127.0.0.1:{port}{address.path}"
    try:
        yield proxy
    finally:
        proxy.restore()
        proxy.refuse()
        server.close()
