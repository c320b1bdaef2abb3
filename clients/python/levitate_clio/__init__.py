"""A typed client of levitate-clio: `Clio` for threads, `AsyncClio` for asyncio. The README has examples."""

from levitate_clio._exchange import Answer
from levitate_clio.client import AsyncClio, Clio
from levitate_clio.cursors import CursorStore, FileCursorStore
from levitate_clio.errors import (
    ApiError,
    ClioError,
    Conflict,
    CursorExpired,
    FieldError,
    Forbidden,
    Gone,
    InProgress,
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
from levitate_clio.follow import Batch, Following
from levitate_clio.retries import Retries

__all__ = [
    "Answer",
    "ApiError",
    "AsyncClio",
    "Batch",
    "Clio",
    "ClioError",
    "Conflict",
    "CursorExpired",
    "CursorStore",
    "FieldError",
    "FileCursorStore",
    "Following",
    "Forbidden",
    "Gone",
    "InProgress",
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
