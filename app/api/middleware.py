"""Middleware around every request: request id, log line, and limits for the body.

It is plain ASGI, so that a streamed response stays a stream.
"""

import asyncio
import re
import secrets
import time

import structlog
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import problems, response_headers

# A body must arrive within this time, because uvicorn has no limit for slow bodies [T12].
BODY_SECONDS = 30.0
# A body with more values is refused before it is parsed, because parsing blocks the loop: 2 million empty lists take
# 1.6 seconds. The largest valid body has 10,000 users with four fields each.
MOST_VALUES = 100_000
_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)

log = structlog.get_logger(__name__)


FAILED = 500  # logged if the request failed in this service, also after the response had begun
CLIENT_GONE = (
    499  # logged if the caller went, or the process ended, before the response was complete
)


class RequestContext:
    """Sets the request id, returns it in a header, and logs one line without query, body or names.

    A request whose Content-Length is more than `max_body` bytes is refused without reading its body. Starlette's
    RequestBodyLimitMiddleware, inside this one, refuses longer bodies that do not announce their length.
    """

    def __init__(self, app: ASGIApp, *, max_body: int) -> None:
        self._app = app
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started, exchange = time.perf_counter(), _Exchange(scope, receive, send)
        try:
            is_too_large = _content_length(scope) > self._max_body
            app = problems.body_too_large(scope) if is_too_large else self._app
            await app(scope, _limit_body_time(exchange.receive), exchange.send)
        except Exception:
            exchange.has_failed = True
            raise
        finally:
            _log(scope, exchange.outcome(), started)


class _Exchange:
    """The messages of one request and its response: sets the headers, and notes how it ends."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._status, self._is_complete, self._is_gone = 0, False, False
        self.has_failed = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect" and not self._is_complete:
            self._is_gone = True
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            request_id: str = self._scope["state"]["request_id"]
            message["headers"] = [
                *message.get("headers", ()),
                (b"x-request-id", request_id.encode()),
            ]
            response_headers.add_to_start(message, self._scope)
        await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self._is_complete = True

    def outcome(self) -> int:
        """Return the status for the log: that of the response, unless the caller has not got all of it."""
        if self.has_failed:
            return FAILED
        if self._is_gone or not self._is_complete:
            return CLIENT_GONE
        return self._status


def _log(scope: Scope, status: int, started: float) -> None:
    caller = scope["state"].get("caller")
    log.info(
        "request_handled",
        method=scope["method"],
        route=getattr(scope.get("route"), "path", None),
        status=status,
        token_id=caller.token_id if caller else None,
        reason=scope["state"].get("reason"),
        milliseconds=round((time.perf_counter() - started) * 1000, 1),
    )


class ValueLimit:
    """Refuses a body of JSON below `prefix` with more than `MOST_VALUES` values before anybody parses it."""

    def __init__(self, app: ASGIApp, *, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(self._prefix):
            receive = _whole_body(receive)
        await self._app(scope, receive, send)


def _whole_body(receive: Receive) -> Receive:
    """Return a `receive` whose first message has the whole body; it raises HTTPException for too many values."""
    is_read = False

    async def receive_whole() -> Message:
        nonlocal is_read
        if is_read:
            return await receive()
        is_read, body, message = True, bytearray(), await receive()
        while message["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body", False):
                _check_values(bytes(body))
                return {"type": "http.request", "body": bytes(body), "more_body": False}
            message = await receive()
        return message

    return receive_whole


def _check_values(body: bytes) -> None:
    """Raise HTTPException if the body has too many values. Commas and brackets in texts do not count."""
    if _count_values(body) <= MOST_VALUES:
        return
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    if unescaped.count(b'"') <= 4 * MOST_VALUES:  # a name and a text have two quotes each
        outside_texts = b"".join(unescaped.split(b'"')[::2])
        if _count_values(outside_texts) <= MOST_VALUES:
            return
    raise HTTPException(413)


def _count_values(text: bytes) -> int:
    """Return how many values JSON without texts has at most."""
    return sum(map(text.count, (b",", b"[", b"{")))


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ID.fullmatch(value.decode("latin-1")):
            return str(value.decode("latin-1"))
    return f"req_{secrets.token_hex(12)}"


def _content_length(scope: Scope) -> int:
    """Return the announced length of the body in bytes, or 0 if the header is missing or not a number."""
    text = dict(scope["headers"]).get(b"content-length", b"0")
    return int(text) if text.isdigit() else 0


def _limit_body_time(receive: Receive) -> Receive:
    """Return a `receive` that reports a disconnect if the body has not arrived within `BODY_SECONDS`."""
    deadline = asyncio.get_running_loop().time() + BODY_SECONDS
    is_complete = False

    async def receive_in_time() -> Message:
        nonlocal is_complete
        if is_complete:
            return await receive()
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            return {"type": "http.disconnect"}
        is_complete = not message.get("more_body", False)
        return message

    return receive_in_time
