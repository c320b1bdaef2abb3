"""Answers of Clio as they come over the wire, read whole under a ceiling or not at all; what a failed one means."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import httpx

from app.clio import pagination
from app.clio.errors import ClioError, ClioUnreadable, error_for
from app.clio.local_limit import response_date

DEADLINE = (
    60.0  # seconds for one call, from connecting to the last byte: httpx's own limits are per read
)
MAX_BODY_BYTES = 32 * 1024 * 1024  # decoded bytes of one answer
CHUNK_BYTES = 256 * 1024  # decoded bytes at a time


@dataclass(frozen=True)
class ClioResponse:
    """An answer, read whole."""

    status: int
    headers: httpx.Headers
    body: bytes


def http_client(transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """The client that all data calls share; a transport leads to a simulator."""
    return httpx.AsyncClient(
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(DEADLINE, connect=10.0),
        limits=httpx.Limits(max_connections=100, max_keepalive_connections=20),
        headers={
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "levitate-clio",
        },
    )


async def read_bounded(response: httpx.Response) -> bytes:
    """The decoded body, up to the ceiling: a few bytes on the wire may become very many [T12].

    Of a failure the status is what counts: a body that cannot be read is then taken for empty.
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
        raise ClioUnreadable("Clio's answer is packed in a way that was not asked for")
    inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16) if encoding == "gzip" else None
    body = bytearray()
    async for chunk in response.aiter_raw():
        for part in _decompress(inflate, chunk) if inflate else (chunk,):
            body += part
            if len(body) > MAX_BODY_BYTES:
                raise ClioUnreadable("Clio's answer is larger than a page can be")
    if inflate and body and not inflate.eof:
        raise ClioUnreadable("Clio's answer was cut off")
    return bytes(body)


def _decompress(inflate: "zlib._Decompress", chunk: bytes) -> Iterator[bytes]:
    """A packed chunk, a little at a time: a chunk may hold a thousand times its size."""
    try:
        while chunk:
            yield inflate.decompress(chunk, CHUNK_BYTES)
            chunk = inflate.unconsumed_tail
    except zlib.error as error:
        raise ClioUnreadable("Clio's answer cannot be unpacked") from error


def error_of(answer: ClioResponse) -> ClioError:
    """What an answer that is no success means."""
    kind = message = ""
    try:
        error = pagination.parse_object(answer.body).get("error")
        if isinstance(error, dict):
            kind, message = str(error.get("type", "")), str(error.get("message", ""))
    except ClioUnreadable:
        pass  # the status alone decides
    return error_for(answer.status, kind=kind, message=message)


def clio_time(headers: Mapping[str, str], now: datetime) -> datetime:
    """When Clio answered, by its own clock, but never later than by ours: the next pull may begin too early only."""
    sent = response_date(headers)
    return now if sent is None else min(sent, now)
