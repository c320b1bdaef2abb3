"""A service that gives scripted answers to the Python client, without a network."""

import inspect
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
from levitate_clio import AsyncClio, Clio, Retries

T = TypeVar("T")
Answer = httpx.Response | Exception
CLIENTS: list[type[Clio] | type[AsyncClio]] = [Clio, AsyncClio]
TOKEN = "token-that-nobody-may-see"
URL = "http://clio.test"


def problem(status: int, code: str, **more: Any) -> httpx.Response:
    """Return an error as the service sends it."""
    headers = more.pop("headers", None)
    body = {"status": status, "code": code, "title": "A title", "detail": "A detail", **more}
    return httpx.Response(status, json={"request_id": "req_1", **body}, headers=headers)


def page(items: list[Any], cursor: str | None = None, **more: Any) -> httpx.Response:
    """Return a page of a list. There is a next one if it has a cursor."""
    body = {"data": items, "next_cursor": cursor, "has_more": cursor is not None, **more}
    return httpx.Response(200, json=body)


def event(event_id: str, kind: str = "client.new", **data: Any) -> dict[str, Any]:
    """Return an event as the service sends it."""
    timestamp = "2026-03-03T11:04:09.512Z"
    return {"id": event_id, "type": kind, "timestamp": timestamp, "data": data}


@dataclass
class ScriptedApi:
    """Gives the answers one after another, and keeps the requests. Its time passes only while the client sleeps."""

    answers: Iterator[Answer]
    requests: list[httpx.Request] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    time: float = 1000.0
    share: float = 1.0  # what the client draws at random

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Return a copy of the next answer, or raise it: httpx makes a response part of one request."""
        self.requests.append(request)
        answer = next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def retries(self, **options: float) -> Retries:
        """Return retries that use this time."""

        async def sleep(seconds: float) -> None:
            self.sleep(seconds)

        return Retries(
            **options,
            clock=lambda: self.time,
            random=lambda: self.share,
            sleep=self.sleep,
            async_sleep=sleep,
        )

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.slept.append(seconds)
        self.time += seconds

    def client(self, kind: Callable[..., T], **options: Any) -> T:
        """Return a client of this service."""
        options = {"retries": self.retries(), **options}
        return kind(URL, TOKEN, transport=httpx.MockTransport(self.answer), **options)


def scripted(*answers: Answer) -> ScriptedApi:
    """Return a service with these answers."""
    return ScriptedApi(iter(answers))


async def value(result: T | Awaitable[T]) -> T:
    """Return what a call of either client returned."""
    return await result if inspect.isawaitable(result) else result
