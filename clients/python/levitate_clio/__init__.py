"""A typed client of levitate-clio: `Clio` for threads, `AsyncClio` for asyncio. The README has examples."""

from levitate_clio._exchange import Answer
from levitate_clio.client import AsyncClio, Clio
from levitate_clio.errors import (
    ApiError,
    ClioError,
    Conflict,
    CursorExpired,
    FieldError,
    Forbidden,
    Gone,
    Invalid,
    InvalidSignature,
    NotFound,
    RateLimited,
    ServerError,
    Unauthorized,
    Unavailable,
    Unreachable,
    Unreadable,
)
from levitate_clio.retries import Retries

__all__ = [
    "Answer",
    "ApiError",
    "AsyncClio",
    "Clio",
    "ClioError",
    "Conflict",
    "CursorExpired",
    "FieldError",
    "Forbidden",
    "Gone",
    "Invalid",
    "InvalidSignature",
    "NotFound",
    "RateLimited",
    "Retries",
    "ServerError",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
    "Unreadable",
]
