"""Middleware around every request: request id, log line, and limits for the body.

It is plain ASGI, so that a streamed response stays a stream.
"""

import asyncio
import re
import secrets
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import problems

# A body must arrive within this time, because uvicorn has no limit for slow bodies [T12].
BODY_SECONDS = 30.0
_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)

log = structlog.get_logger(__name__)


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
        started, status = time.perf_counter(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id.encode()),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        try:
            is_too_large = _content_length(scope) > self._max_body
            app = problems.body_too_large(scope) if is_too_large else self._app
            await app(scope, _limit_body_time(receive), send_with_headers)
        finally:
            route = scope.get("route")
            log.info(
                "request_handled",
                method=scope["method"],
                route=getattr(route, "path", None),
                status=status,
                milliseconds=round((time.perf_counter() - started) * 1000, 1),
            )


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
