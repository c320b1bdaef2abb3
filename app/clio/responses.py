"""Clio's HTTP responses: the HTTP client, reading a body up to a maximum size, and what an unsuccessful response says.

What the body of a successful response says is in `pagination`.
"""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from typing_extensions import override

from app.clio import pagination
from app.clio.errors import (
    LONGEST_OUTAGE,
    ClioError,
    ClioRetryLater,
    ClioUnreadable,
    error_for,
)
from app.clio.local_rate_limit import response_date

# seconds for one request, from connecting to the last byte; the timeouts of httpx apply to each read only
DEADLINE = 60.0
REQUEST_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": "levitate-clio",
}
MAX_BODY_BYTES = 32 * 1024 * 1024  # bytes of one response after decompression
CHUNK_BYTES = 256 * 1024  # bytes that are decompressed at a time
NOT_FINAL = (408, 425, 429)  # statuses that say by themselves that the request may work later


@dataclass(frozen=True)
class ClioResponse:
    """A response of Clio with its complete body."""

    status: int
    headers: httpx.Headers
    body: bytes


def http_client(transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """Return the HTTP client for all data requests; `transport` replaces the network, for example by a simulator."""
    return httpx.AsyncClient(
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(DEADLINE, connect=10.0),
        limits=httpx.Limits(max_connections=100, max_keepalive_connections=20),
        headers=REQUEST_HEADERS,
    )


class BoundedTransport(httpx.AsyncBaseTransport):
    """A transport for a library that reads whole responses: it reads them with `read_bounded` and passes them on."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._transport.handle_async_request(request)
        try:
            body = await read_bounded(response)
        finally:
            await response.aclose()
        described = ("content-encoding", "content-length", "transfer-encoding")
        headers = [(n, v) for n, v in response.headers.multi_items() if n not in described]
        return httpx.Response(response.status_code, headers=headers, content=body)

    @override
    async def aclose(self) -> None:
        await self._transport.aclose()


async def read_bounded(response: httpx.Response) -> bytes:
    """Return the decompressed body. Raise ClioUnreadable if it is too large: few bytes can become very many [T12].

    The unreadable body of an error is returned as empty: it is not Clio's error object.
    """
    try:
        return await _read(response)
    except ClioUnreadable:
        if response.status_code == 200:
            raise
        return b""


async def _read(response: httpx.Response) -> bytes:
    encoding = response.headers.get("content-encoding", "identity").lower()
    if encoding not in ("identity", "gzip"):
        raise ClioUnreadable("Clio's response has an encoding that was not requested")
    inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16) if encoding == "gzip" else None
    body = bytearray()
    async for chunk in response.aiter_raw():
        for part in _decompress(inflate, chunk) if inflate else (chunk,):
            body += part
            if len(body) > MAX_BODY_BYTES:
                raise ClioUnreadable("Clio's response is larger than a page can be")
    if inflate and body and not inflate.eof:
        raise ClioUnreadable("Clio's response was cut off")
    return bytes(body)


def _decompress(inflate: "zlib._Decompress", chunk: bytes) -> Iterator[bytes]:
    """Yield a compressed chunk in small parts, because it may expand to a thousand times its size."""
    try:
        while chunk:
            yield inflate.decompress(chunk, CHUNK_BYTES)
            chunk = inflate.unconsumed_tail
    except zlib.error as error:
        raise ClioUnreadable("Clio's response cannot be decompressed") from error


def error_of(response: ClioResponse) -> ClioError:
    """Return the error that an unsuccessful response to a read means: Clio's verdict, or that it may work later."""
    asked = retry_after(response.headers)
    if response.status >= 500 or response.status in NOT_FINAL:
        return ClioRetryLater(f"Clio returned HTTP status {response.status}", asked=asked)
    text = f"An answer with HTTP status {response.status} did not come from Clio"
    return verdict_of(response) or ClioUnreadable(text, asked=asked)


def verdict_of(response: ClioResponse) -> ClioError | None:
    """Return what Clio says in an unsuccessful response; None if it is not Clio's answer, or says nothing for good.

    Clio's answer has Clio's error object. For an access token that has ended, Clio uses OAuth's form (clio.md §5).
    """
    if not 400 <= response.status < 500 or response.status in NOT_FINAL:
        return None
    error = error_in(response.body)
    if isinstance(error, dict):
        kind, message = error.get("type"), error.get("message")
        if isinstance(kind, str) and isinstance(message, str):
            return error_for(response.status, kind=kind, message=message)
    if response.status == 401 and error == "invalid_token":
        return error_for(401, kind="invalid_token", message="")
    return None


def error_in(body: bytes) -> Any:
    """Return the `error` of a JSON object: an object in Clio's form, a word in OAuth's; None without one."""
    try:
        return pagination.parse_object(body).get("error")
    except ClioUnreadable:
        return None


def retry_after(headers: Mapping[str, str]) -> timedelta:
    """Return how long the server asks to wait, a day at most; zero if it does not say.

    Retry-After has seconds, or a date that is compared with the date of the response.
    """
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return min(timedelta(seconds=int(text[:9])), LONGEST_OUTAGE)
    until, sent = response_date({"date": text}), response_date(headers)
    wait = until - sent if until and sent else timedelta(0)
    return min(max(wait, timedelta(0)), LONGEST_OUTAGE)


def clio_time(headers: Mapping[str, str], now: datetime) -> datetime:
    """Return when Clio responded, by Clio's clock, but not later than `now`: the next pull may only begin too early."""
    sent = response_date(headers)
    return now if sent is None else min(sent, now)
