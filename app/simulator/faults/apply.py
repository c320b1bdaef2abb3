"""What a fault does to an answer: something else instead, or the answer spoiled on its way."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable

from fastapi import Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from app.simulator.faults.faults import Fault
from app.simulator.http import responses

TRANSPORT = "simulator.transport"  # the socket under a request, where there is one
MEGABYTE = 1_000_000
BOMB = 64  # megabytes that a bomb unpacks to, unless told


async def instead(fault: Fault | None) -> Response | None:
    """What a fault answers instead of Clio; None for those that let it answer."""
    if fault is None:
        return None
    if fault.effect == "slow":
        await asyncio.sleep(float(fault.value))
    make = _INSTEAD.get(fault.effect)
    return make(fault) if make else None


def spoiled(response: Response, fault: Fault | None) -> Response:
    """An answer as a fault leaves it."""
    spoil = _SPOILS.get(fault.effect) if fault else None
    return spoil(response, fault) if spoil and fault else response


class Dropped(Response):
    """No answer: the connection is gone. Without a socket there is none to drop, and the call itself breaks."""

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport = scope.get("extensions", {}).get(TRANSPORT)
        if transport is None:
            raise ConnectionResetError("the simulator dropped the connection")
        transport.abort()
        await _gone(receive)


class Cut(Response):
    """An answer that ends before the length it promised."""

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        transport = scope.get("extensions", {}).get(TRANSPORT)
        if transport is None:
            await send({"type": "http.response.body", "body": b""})
            return
        transport.close()
        await _gone(receive)


async def _gone(receive: Receive) -> None:
    """Until the server has seen that nobody is there."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _part(response: Response, fault: Fault) -> bytes:
    """The first bytes of a body: as many as told, else half."""
    whole = bytes(response.body)
    return whole[: int(fault.value) if fault.value else len(whole) // 2]


def _cut(response: Response, fault: Fault) -> Response:
    promised = response.headers["content-length"]
    headers = {**response.headers, "content-length": promised}
    return Cut(_part(response, fault), response.status_code, headers)


def _short(response: Response, fault: Fault) -> Response:
    return _again(response, _part(response, fault))


def _drip(response: Response, fault: Fault) -> Response:
    async def drops() -> AsyncIterator[bytes]:
        for byte in bytes(response.body):
            await asyncio.sleep(float(fault.value))
            yield bytes([byte])

    return StreamingResponse(drops(), response.status_code, dict(response.headers))


def _poison(response: Response, fault: Fault) -> Response:
    body = json.loads(bytes(response.body))
    for record in body["data"][:1]:
        record["id"] = "not a number"
    return _again(response, json.dumps(body).encode())


def _next(response: Response, fault: Fault) -> Response:
    body = json.loads(bytes(response.body))
    body["meta"]["paging"]["next"] = fault.value
    return _again(response, json.dumps(body).encode())


def _again(response: Response, content: bytes) -> Response:
    """The same answer with another body, its length told rightly."""
    headers = {name: text for name, text in response.headers.items() if name != "content-length"}
    return Response(content, response.status_code, headers)


def _bomb(fault: Fault) -> Response:
    packed = gzip.compress(b" " * (int(fault.value or BOMB) * MEGABYTE), compresslevel=1)
    return Response(packed, headers={"content-encoding": "gzip"}, media_type="application/json")


_INSTEAD: dict[str, Callable[[Fault], Response]] = {
    "status": lambda fault: HTMLResponse(responses.HTML, status_code=int(fault.value)),
    "rate_limited": lambda fault: responses.limited(50, fault.value),
    "unauthorized": lambda _: responses.unauthorized(),
    "forbidden": lambda _: responses.error(403, "ForbiddenError", responses.FORBIDDEN),
    "html": lambda _: HTMLResponse(responses.HTML),
    "empty": lambda _: responses.Json({"data": [], "meta": {"paging": {}, "records": 0}}),
    "redirect": lambda fault: RedirectResponse(fault.value, status_code=307),
    "drop": lambda _: Dropped(),
    "bomb": _bomb,
}
_SPOILS: dict[str, Callable[[Response, Fault], Response]] = {
    "cut": _cut,
    "short": _short,
    "drip": _drip,
    "poison": _poison,
    "next": _next,
}
