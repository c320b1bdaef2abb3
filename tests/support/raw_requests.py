"""Requests at the ASGI border, for what an HTTP client cannot do: a body that never arrives, a caller who goes away."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI


@dataclass
class RawRequest:
    """A request, by default with a body that never arrives. `reads` counts how often the application asked for it."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    body: bytes | None = None  # None: it never arrives
    reads: int = 0
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    status: int = 0
    answer_headers: dict[str, str] = field(default_factory=dict)
    answer: bytes = b""

    async def send(self, app: FastAPI) -> "RawRequest":
        """Send the request and wait for the end of the answer."""
        state: dict[str, Any] = {}
        headers = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http",
            "method": self.method, "path": self.path, "raw_path": self.path.encode(), "root_path": "",
            "query_string": self.query.encode(), "headers": headers, "state": state,
            "client": ("127.0.0.1", 1), "server": ("service.test", 80),
        }  # fmt: skip
        await app(scope, self._receive, self._send)
        return self

    def json(self) -> Any:
        """Return the answer as JSON."""
        return json.loads(self.answer)

    async def _receive(self) -> dict[str, Any]:
        self.reads += 1
        if self.reads == 1 and self.body is not None:
            return {"type": "http.request", "body": self.body, "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.answer_headers = {n.decode(): v.decode() for n, v in message["headers"]}
        else:
            self.answer += message.get("body", b"")
