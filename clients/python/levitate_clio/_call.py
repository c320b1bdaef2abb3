"""What the generated operations and the clients share: a request that is ready, and who sends it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import httpx

T = TypeVar("T")


@dataclass(frozen=True)
class Call(Generic[T]):
    """A request of one operation, and how its response is read."""

    method: str
    path: str
    parse: Callable[[httpx.Response], T]
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    takes_key: bool = False  # whether the operation needs an Idempotency-Key


class Sender(Protocol):
    """Sends a call and returns what came back."""

    def call(self, call: Call[T]) -> T:
        """Send the call. Raise ApiError if the service refused."""
        ...


class AsyncSender(Protocol):
    """Sends a call and returns what came back, without blocking."""

    async def call(self, call: Call[T]) -> T:
        """Send the call. Raise ApiError if the service refused."""
        ...
