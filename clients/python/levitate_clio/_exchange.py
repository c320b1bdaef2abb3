"""From a call to an HTTP request, and from a response to a result. The same for both clients, without I/O."""

import dataclasses
import uuid
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx

from levitate_clio._call import Call
from levitate_clio.errors import Unreachable, Unreadable, error_of

T = TypeVar("T")
# Nothing was sent for these, and nothing will be: the address or the request is wrong.
NOT_SENT = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What a call returns, with the status and the headers of the response."""

    data: T
    status: int
    headers: Mapping[str, str]

    @property
    def etag(self) -> str:
        """The version of what was read, for `if_match=` of a change."""
        return self.headers["etag"]


# The responses of the calls that are made inside `with_headers`, in this thread or task only.
responses: ContextVar[list[httpx.Response] | None] = ContextVar("responses", default=None)


def answer(data: T) -> Answer[T]:
    """Return the result of the last call inside `with_headers`, with its response."""
    response = (responses.get() or [])[-1]
    return Answer(data, response.status_code, response.headers)


def with_key(call: Call[T]) -> Call[T]:
    """Return the call with an idempotency key, if its operation needs one and the caller gave none."""
    if not call.takes_key or "Idempotency-Key" in call.headers:
        return call
    return dataclasses.replace(call, headers={**call.headers, "Idempotency-Key": str(uuid.uuid4())})


def acting_headers(user: str | None, role: str | None) -> dict[str, str]:
    """Return the headers that name the user for whom requests are made. Ids may have any character."""
    named = {"Levitate-User": user and quote(user, safe=""), "Levitate-Role": role}
    return {name: value for name, value in named.items() if value is not None}


def arguments(call: Call[Any], acting: Mapping[str, str], timeout: float) -> dict[str, Any]:
    """Return what httpx needs to send a call. A long poll may take as much longer as it waits."""
    wait = call.params.get("wait", 0)
    return {
        "method": call.method,
        "url": call.path,
        "params": call.params,
        "headers": {**acting, **call.headers},
        "json": call.json,
        "timeout": httpx.Timeout(timeout, read=timeout + wait),
    }


def unreachable(error: httpx.TransportError) -> Unreachable:
    """Return the error for a request that got no response. Raise what is an error of the program."""
    if isinstance(error, NOT_SENT):
        raise error
    return Unreachable(f"no response from the service ({type(error).__name__})")


def result(call: Call[T], response: httpx.Response) -> T:
    """Return what a response means. Raise ApiError or Unreadable."""
    if not response.is_success:
        raise error_of(response)
    try:
        data = call.parse(response)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise Unreadable(
            f"a response with status {response.status_code} is not what the document promises"
        ) from error
    seen = responses.get()
    if seen is not None:
        seen.append(response)
    return data
