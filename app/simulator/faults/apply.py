"""The effects of faults: a response that replaces Clio's, a change to Clio's response, or a write that goes wrong."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable

from fastapi import Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from app.simulator.faults.faults import Fault, Faults, WriteFault
from app.simulator.http import responses
from app.simulator.store.refusals import InvalidArgument, forbidden

TRANSPORT = "simulator.transport"  # the ASGI extension with the socket of a request
MEGABYTE = 1_000_000
BOMB_MEGABYTES = 64  # the default size of an unpacked bomb


async def replacement(fault: Fault | None) -> Response | None:
    """Return the response that replaces Clio's; None if the fault has no such effect."""
    if fault is None:
        return None
    if fault.effect == "slow":
        await asyncio.sleep(float(fault.value))
    make = _REPLACEMENTS.get(fault.effect)
    return make(fault) if make else None


def apply(response: Response, fault: Fault | None) -> Response:
    """Return the response as the fault changes it."""
    change = _CHANGES.get(fault.effect) if fault else None
    return change(response, fault) if change and fault else response


async def write(
    faults: Faults, fault: WriteFault | None, perform: Callable[[], Response]
) -> Response:
    """Perform a write as the fault allows, and return the response."""
    if fault is None:
        return perform()
    if fault.effect == "unwritten":
        return HTMLResponse(responses.HTML, status_code=int(fault.value or 503))
    if fault.effect == "late":
        _write_later(faults, fault, perform)
        return HTMLResponse("<h1>Gateway timeout</h1>", status_code=504)
    response = perform()
    if fault.effect == "bad_gateway":
        return HTMLResponse("<h1>Bad gateway</h1>", status_code=502)
    if fault.effect == "slow":
        await asyncio.sleep(float(fault.value or 0))
        return response
    body = bytes(response.body)
    response.body = body[: len(body) // 2]  # content-length still announces the whole
    return response


def _write_later(faults: Faults, fault: WriteFault, perform: Callable[[], Response]) -> None:
    async def later() -> None:
        await asyncio.sleep(float(fault.value or 0))
        perform()

    task = asyncio.get_running_loop().create_task(later())
    faults.late_writes.add(task)
    task.add_done_callback(faults.late_writes.discard)


class Dropped(Response):
    """Closes the connection without a response. Without a socket the call raises ConnectionResetError."""

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport = scope.get("extensions", {}).get(TRANSPORT)
        if transport is None:
            raise ConnectionResetError("the simulator dropped the connection")
        transport.abort()
        await _disconnected(receive)


class Cut(Response):
    """A response that ends before its announced length."""

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
        await _disconnected(receive)


async def _disconnected(receive: Receive) -> None:
    """Wait until the server has noticed the closed connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _part(response: Response, fault: Fault) -> bytes:
    """Return the first bytes of a body: `value` of them, or half."""
    whole = bytes(response.body)
    return whole[: int(fault.value) if fault.value else len(whole) // 2]


def _cut(response: Response, fault: Fault) -> Response:
    return Cut(_part(response, fault), response.status_code, dict(response.headers))


def _short(response: Response, fault: Fault) -> Response:
    return _with_body(response, _part(response, fault))


def _drip(response: Response, fault: Fault) -> Response:
    async def each_byte() -> AsyncIterator[bytes]:
        for byte in bytes(response.body):
            await asyncio.sleep(float(fault.value))
            yield bytes([byte])

    return StreamingResponse(each_byte(), response.status_code, dict(response.headers))


def _poison(response: Response, fault: Fault) -> Response:
    body = json.loads(bytes(response.body))
    found = body["data"] if isinstance(body["data"], list) else [body["data"]]
    for record in found[:1]:
        record["id"] = "not a number"
    return _with_body(response, json.dumps(body).encode())


def _next(response: Response, fault: Fault) -> Response:
    body = json.loads(bytes(response.body))
    body["meta"]["paging"]["next"] = fault.value
    return _with_body(response, json.dumps(body).encode())


def _with_body(response: Response, content: bytes) -> Response:
    """Return the response with another body and its content-length."""
    headers = {name: text for name, text in response.headers.items() if name != "content-length"}
    return Response(content, response.status_code, headers)


def _bomb(fault: Fault) -> Response:
    packed = gzip.compress(b" " * (int(fault.value or BOMB_MEGABYTES) * MEGABYTE), compresslevel=1)
    return Response(packed, headers={"content-encoding": "gzip"}, media_type="application/json")


_REPLACEMENTS: dict[str, Callable[[Fault], Response]] = {
    "status": lambda fault: HTMLResponse(responses.HTML, status_code=int(fault.value)),
    "refused": lambda fault: responses.error(int(fault.value), "Refused", "It was refused"),
    "body": lambda fault: Response(fault.value, media_type=responses.Json.media_type),
    "rate_limited": lambda fault: responses.rate_limited(50, fault.value),
    "unauthorized": lambda _: responses.unauthorized(),
    "forbidden": lambda _: responses.refused(forbidden()),
    "html": lambda _: HTMLResponse(responses.HTML),
    "empty": lambda _: responses.Json({"data": [], "meta": {"paging": {}, "records": 0}}),
    "redirect": lambda fault: RedirectResponse(fault.value, status_code=307),
    "drop": lambda _: Dropped(),
    "lost_cursor": lambda _: responses.refused(
        InvalidArgument("page_token is invalid", status=422)
    ),
    "bomb": _bomb,
}
_CHANGES: dict[str, Callable[[Response, Fault], Response]] = {
    "cut": _cut,
    "short": _short,
    "drip": _drip,
    "poison": _poison,
    "next": _next,
}
