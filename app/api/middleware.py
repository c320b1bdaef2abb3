"""Around every request: its id, its log line, and an end to slow bodies. Plain ASGI, so that streams stay streams."""

import asyncio
import re
import secrets
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import problems

BODY_SECONDS = (
    30.0  # a body that takes longer is given up: uvicorn has no limit for slow bodies [T12]
)
_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)

log = structlog.get_logger(__name__)


class RequestContext:
    """Takes or makes the request id, echoes it, logs one line without query, body or names.

    A body that announces more than `max_body` bytes is refused unread; Starlette's own middleware, inside this one,
    refuses those that only turn out to be longer.
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
        began, status = time.perf_counter(), 0

        async def sending(message: Message) -> None:
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
            app = problems.too_large(scope) if _announced(scope) > self._max_body else self._app
            await app(scope, _in_time(receive), sending)
        finally:
            route = scope.get("route")
            log.info(
                "request",
                method=scope["method"],
                route=getattr(route, "path", None),
                status=status,
                milliseconds=round((time.perf_counter() - began) * 1000, 1),
            )


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ID.fullmatch(value.decode("latin-1")):
            return str(value.decode("latin-1"))
    return f"req_{secrets.token_hex(12)}"


def _announced(scope: Scope) -> int:
    """The length that the body is said to have; 0 where nothing sensible is said."""
    text = dict(scope["headers"]).get(b"content-length", b"0")
    return int(text) if text.isdigit() else 0


def _in_time(receive: Receive) -> Receive:
    """The same messages, but the body must be whole within its time; a peer that is slower is gone."""
    deadline = asyncio.get_running_loop().time() + BODY_SECONDS
    whole = False

    async def receiving() -> Message:
        nonlocal whole
        if whole:
            return await receive()
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            return {"type": "http.disconnect"}
        whole = not message.get("more_body", False)
        return message

    return receiving
